//! Takes a copy of a journal into service, as another node.
//!
//! The copy is made under a name that no start reads, changed, verified and synced there, and renamed last: a restore
//! that is interrupted leaves no journal.

mod source;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::{FILE_NAME, JournalError, access, author, check, place, schema};
use crate::Author;
use source::Source;

/// What the name of the journal is continued with until it is whole.
const SUFFIX: &str = ".restoring";

/// Files that `SQLite` keeps beside one.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// What a restore took into service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The number of the new node.
    pub node: u32,
    /// Facts in the journal.
    pub facts: u64,
}

/// Makes the journal of the folder `directory` from the file `from`, a backup or the journal of a stopped gateway.
///
/// It gets a new node number and a new identity, so that it can be started beside the original.
///
/// # Errors
/// When there is a journal already, when `from` is none, is cut, damaged, in use or of a later version, or when the
/// folder cannot be written. No journal is there then.
pub fn restore(from: &Path, directory: &Path) -> Result<Restored, JournalError> {
    let source = Source::open(from)?;
    access::prepare_folder(directory)?;
    let path = directory.join(FILE_NAME);
    refuse_where_a_journal_is(&path)?;
    let copy = Copy::begin(&path)?;
    source.copy_to(&copy.file, &copy.path)?;
    let restored = copy
        .take_into_service()
        .map_err(|error| source.explained(error))?;
    copy.rename_to(&path)?;
    tracing::warn!(
        journal = %path.display(), from = %from.display(), node = restored.node, facts = restored.facts,
        "a journal was restored, as a node of its own"
    );
    Ok(restored)
}

/// Refuses a start in a folder whose restore was interrupted: it would begin with an empty journal.
pub(super) fn refuse_where_interrupted(journal: &Path) -> Result<(), JournalError> {
    let copy = beside(journal, SUFFIX);
    if journal.exists() || !copy.exists() {
        return Ok(());
    }
    Err(access::refused(
        &copy,
        "a restore into this folder was interrupted, or is under way: run `gateway ledger restore` again, or remove \
         this file to begin with an empty journal",
    ))
}

fn refuse_where_a_journal_is(journal: &Path) -> Result<(), JournalError> {
    for suffix in ["", BESIDE[0], BESIDE[1], BESIDE[2]] {
        let file = beside(journal, suffix);
        if file.symlink_metadata().is_ok() {
            return Err(access::refused(
                &file,
                "there is a journal already, or a part of one: a restore overwrites nothing. Name a folder without one, \
                 or move it away with its -wal and -shm",
            ));
        }
    }
    Ok(())
}

/// A file whose name begins as another's.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The journal until it has its name; removed unless it was renamed.
struct Copy {
    path: PathBuf,
    /// Locked: one restore at a time.
    file: File,
}

impl Copy {
    /// Makes the file, or empties the one that an interrupted restore left.
    fn begin(journal: &Path) -> Result<Self, JournalError> {
        let path = beside(journal, SUFFIX);
        let unwritten = |error| access::explained(&path, "the journal cannot be written", error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(unwritten)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse(
                    path.clone(),
                    access::lock_holder(&file),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(unwritten(error)),
        }
        let copy = Self { path, file };
        copy.remove_beside();
        copy.file
            .set_len(0)
            .map_err(|error| copy.unwritten(error))?;
        Ok(copy)
    }

    /// Gives it a number and an identity, and verifies it.
    fn take_into_service(&self) -> Result<Restored, JournalError> {
        let connection = Connection::open(&self.path)?;
        schema::refuse_later_version(&connection, &self.path)?;
        check::pages(&connection)?;
        let counted = check::facts(&connection)?;
        let former: Option<u32> = connection
            .query_row("SELECT number FROM node", [], |row| row.get(0))
            .optional()?;
        schema::add_identity(&connection)?;
        let mut number = schema::draw_number(&connection)?;
        while former == Some(number) {
            number = schema::draw_number(&connection)?;
        }
        let place = place::of(&self.file).map_err(|error| self.unwritten(error))?;
        part_from_former(&connection, former)?;
        let changed = connection.execute(
            "UPDATE node SET number = ?1, identity = ?2, place = ?3",
            params![number, place::draw(&connection)?, place],
        )?;
        if changed != 1 {
            return Err(JournalError::Damaged(
                PathBuf::new(),
                format!("it has {changed} nodes"),
            ));
        }
        // Everything into the one file that is renamed.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        connection
            .close()
            .map_err(|(_, error)| JournalError::from(error))?;
        Ok(Restored {
            node: number,
            facts: counted.number,
        })
    }

    fn rename_to(&self, journal: &Path) -> Result<(), JournalError> {
        self.file
            .sync_all()
            .map_err(|error| self.unwritten(error))?;
        self.remove_beside();
        place::rename_to_new(&self.path, journal).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => access::refused(
                journal,
                "a journal was made while this one was restored: stop the gateway that made it, and move that away",
            ),
            _ => access::explained(journal, "the journal cannot be renamed", error),
        })?;
        let folder = journal.parent().unwrap_or(journal);
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| access::explained(folder, "the folder cannot be synced", error))
    }

    fn remove_beside(&self) {
        for suffix in BESIDE {
            // Mostly there is none.
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }

    fn unwritten(&self, error: std::io::Error) -> JournalError {
        access::explained(&self.path, "the journal cannot be written", error)
    }
}

/// Leaves the facts that were published to the node that the copy is from.
fn part_from_former(connection: &Connection, former: Option<u32>) -> Result<(), JournalError> {
    let identity: Option<Option<i64>> = connection
        .query_row("SELECT identity FROM node", [], |row| row.get(0))
        .optional()?;
    let has_authors = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'author'")?
        .exists([])?;
    match (former, identity.flatten()) {
        (Some(node), Some(journal)) if has_authors => {
            author::part_from(connection, Author { node, journal })
        }
        _ => Ok(()),
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.remove_beside();
        // Renamed, it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}
