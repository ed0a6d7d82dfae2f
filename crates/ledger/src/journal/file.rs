//! The journal's file as the file system has it: held by one process, and still the same one.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::JournalError;

/// The open file, locked for this process. Its lock is its own, beside those of `SQLite`; but a
/// process that closes any handle of a file gives up all its POSIX locks on it, so this must be
/// the last handle to go.
#[derive(Debug)]
pub(super) struct HeldFile {
    path: PathBuf,
    file: File,
    is_new: bool,
}

impl HeldFile {
    /// Opens and locks the file, made where it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let io_error = |error| JournalError::Io(path.to_path_buf(), error);
        let is_new = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(JournalError::InUse(path.to_path_buf()));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(io_error(error)),
        }
        if !is_new && file.metadata().map_err(io_error)?.len() == 0 {
            return Err(JournalError::Emptied(path.to_path_buf()));
        }
        Ok(Self {
            path: path.to_path_buf(),
            file,
            is_new,
        })
    }

    /// Whether there was no journal before.
    pub(super) const fn is_new(&self) -> bool {
        self.is_new
    }

    /// A watch over the file, for the writer.
    pub(super) fn watch(&self) -> io::Result<FileWatch> {
        let metadata = self.file.metadata()?;
        Ok(FileWatch {
            path: self.path.clone(),
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: 0,
        })
    }
}

/// Notices when the file under the open connection is no longer the one that the path names:
/// what is committed then goes nowhere.
#[derive(Debug)]
pub(super) struct FileWatch {
    path: PathBuf,
    device: u64,
    inode: u64,
    bytes: u64,
}

impl FileWatch {
    /// # Errors
    /// When the file was deleted, replaced or cut since the last look.
    pub(super) fn look(&mut self) -> Result<(), JournalError> {
        let gone = |what| JournalError::Replaced(self.path.clone(), what);
        let metadata = std::fs::metadata(&self.path).map_err(|_| gone("is gone"))?;
        if (metadata.dev(), metadata.ino()) != (self.device, self.inode) {
            return Err(gone("was replaced by another file"));
        }
        // It is never shortened by us.
        if metadata.len() < self.bytes {
            return Err(gone("was cut"));
        }
        self.bytes = metadata.len();
        Ok(())
    }
}
