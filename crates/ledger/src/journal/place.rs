//! Where a journal lies, so that a copy of it is told from itself.
//!
//! The journal remembers the place in which it was opened last. Opened elsewhere it is a copy, or it was moved: either
//! way it draws a new identity, so that nobody takes two of them for one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{JournalError, author, schema};
use crate::Author;

/// Who a journal is, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalIdentity {
    /// Drawn with the journal, and anew wherever it is opened in another place.
    pub(crate) identity: i64,
    /// File system, inode and machine, without white space.
    pub(crate) place: String,
}

/// Where an open file lies. The file system's own number is taken where it has one: a device's may change with the next
/// start of the machine.
pub(super) fn of(file: &File) -> io::Result<String> {
    let metadata = file.metadata()?;
    let file_system = match rustix::fs::fstatvfs(file)?.f_fsid {
        0 => metadata.dev(),
        number => number,
    };
    let machine = ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .into_iter()
        .find_map(|file| fs::read_to_string(file).ok())
        .unwrap_or_default();
    let machine: String = machine
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect();
    Ok(format!("{file_system:x}:{:x}:{machine}", metadata.ino()))
}

/// Returns who the journal is that lies in `place`, and writes it down where that is new.
pub(super) fn settle(
    connection: &Connection,
    path: &Path,
    place: String,
) -> Result<JournalIdentity, JournalError> {
    let known: Option<(Option<i64>, Option<String>)> = connection
        .query_row("SELECT identity, place FROM node", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (known_identity, known_place) = known.unwrap_or_default();
    let identity = match (known_identity, known_place) {
        (Some(identity), Some(known_place)) if known_place == place => {
            return Ok(JournalIdentity { identity, place });
        }
        // Made before a journal knew where it lies.
        (Some(identity), None) => identity,
        (None, _) => draw(connection)?,
        (Some(_), Some(_)) => {
            tracing::warn!(
                journal = %path.display(),
                "the journal lies elsewhere than when it was opened last: it was moved, or is a copy. Where it is a copy, \
                 see to it that its original is never started beside it, or use `gateway ledger restore`"
            );
            draw(connection)?
        }
    };
    let transaction = connection.unchecked_transaction()?;
    take_identity(&transaction, known_identity, identity)?;
    transaction.execute("UPDATE node SET place = ?1", [&place])?;
    transaction.commit()?;
    Ok(JournalIdentity { identity, place })
}

/// Gives the journal an identity; the author that it was until now keeps what was published.
pub(super) fn take_identity(
    connection: &Connection,
    former: Option<i64>,
    identity: i64,
) -> Result<(), JournalError> {
    if let Some(journal) = former.filter(|former| *former != identity) {
        let node = schema::node(connection)?;
        author::part_from(connection, Author { node, journal })?;
    }
    connection.execute("UPDATE node SET identity = ?1", [identity])?;
    Ok(())
}

/// A new identity.
pub(super) fn draw(connection: &Connection) -> Result<i64, JournalError> {
    Ok(connection.query_row("SELECT random()", [], |row| row.get(0))?)
}

/// Renames a file to a name that nothing has.
///
/// # Errors
/// `AlreadyExists` where something has it.
pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems, NFS among them, cannot do both in one step.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            if to.symlink_metadata().is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        outcome => Ok(outcome?),
    }
}
