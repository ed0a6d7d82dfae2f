//! The file of a backup until it is whole: beside the target, under a name of its own, removed unless it was renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustix::fs::{Advice, FallocateFlags};

use crate::journal::{JournalError, access, check, place};

/// What the name of the target is continued with.
const SUFFIX: &str = ".partial";

/// A backup that is being written.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    file: File,
}

/// The folder of a file.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

impl Partial {
    /// Makes the file, which only this user may read, for a target that is not there yet.
    pub(super) fn create(target: &Path) -> Result<Self, JournalError> {
        let Some(name) = target.file_name() else {
            return Err(access::refused(target, "names no file"));
        };
        if target.symlink_metadata().is_ok() {
            return Err(exists(target));
        }
        let mut name = name.to_owned();
        name.push(SUFFIX);
        let path = target.with_file_name(name);
        let made = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match made {
            Ok(file) => Ok(Self { path, file }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(access::refused(
                &path,
                "exists already: a backup was interrupted, or is being made: remove it if none is, or name another file",
            )),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(access::refused(
                target,
                format_args!(
                    "there is no folder {}: make it first",
                    folder_of(target).display()
                ),
            )),
            Err(error) => Err(access::explained(
                target,
                "the backup cannot be written",
                error,
            )),
        }
    }

    /// A connection for the copy alone. Nothing of it needs to survive a crash.
    pub(super) fn connect(&self) -> Result<Connection, JournalError> {
        let connection = Connection::open(&self.path)?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        Ok(connection)
    }

    /// A connection that leaves no file beside it.
    pub(super) fn connect_to_read(&self) -> Result<Connection, JournalError> {
        check::connect_immutable(&self.path)
    }

    /// Takes the room for so many bytes; the file stays as short as it is. Where the file system finds room for what is
    /// copied only as it comes, every sync of the journal on the same disk waits for the copy's data too.
    pub(super) fn reserve(&self, bytes: u64) {
        // File systems that cannot do this write the same file. One that has no room says so soon enough.
        let _ = rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, bytes.max(1));
    }

    /// Brings what was copied to the disk, and out of the page cache, which is for the journal.
    pub(super) fn sync_data(&self) -> Result<(), JournalError> {
        self.file
            .sync_data()
            .map_err(|error| self.unwritten(error))?;
        // Advice, and no more.
        let _ = rustix::fs::fadvise(&self.file, 0, None, Advice::DontNeed);
        Ok(())
    }

    /// Brings all of it to the disk, and gives back what was reserved beyond it.
    pub(super) fn sync(&self) -> Result<(), JournalError> {
        let bytes = self.bytes()?;
        self.file
            .set_len(bytes)
            .and_then(|()| self.file.sync_all())
            .map_err(|error| self.unwritten(error))
    }

    pub(super) fn bytes(&self) -> Result<u64, JournalError> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|error| self.unwritten(error))?.len())
    }

    /// Gives the whole file its name, for good.
    pub(super) fn rename_to(&self, target: &Path) -> Result<(), JournalError> {
        place::rename_to_new(&self.path, target).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists(target),
            _ => access::explained(target, "the backup cannot be renamed", error),
        })?;
        let folder = File::open(folder_of(target)).and_then(|folder| folder.sync_all());
        folder.map_err(|error| access::explained(target, "its folder cannot be synced", error))
    }

    /// What `SQLite` says of the copy, in words of the disk.
    pub(super) fn explained(&self, error: JournalError) -> JournalError {
        match error {
            JournalError::Full(_) => self.unwritten(ErrorKind::StorageFull.into()),
            other => other.of(&self.path),
        }
    }

    fn unwritten(&self, error: io::Error) -> JournalError {
        access::explained(&self.path, "the backup cannot be written", error)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Renamed, it is not there any more.
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(file = %self.path.display(), %error, "what is left of a backup cannot be removed");
        }
    }
}

fn exists(target: &Path) -> JournalError {
    access::refused(
        target,
        "exists already: a backup overwrites nothing, name another file",
    )
}
