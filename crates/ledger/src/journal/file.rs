//! The journal's file as the file system has it: held by one process, and still the same one.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{JournalError, access, place};

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
        let log = log_of(path);
        if is_new && std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(access::refused(
                path,
                format_args!(
                    "is gone, and its write-ahead log {} is there, with commits that may be nowhere else: put the journal \
                     back beside it; to begin anew, move it away",
                    log.display()
                ),
            ));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| access::explained(path, "the journal cannot be opened", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let holder = access::lock_holder(&file);
                return Err(JournalError::InUse(path.to_path_buf(), holder));
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

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it lies.
    pub(super) fn place(&self) -> io::Result<String> {
        place::of(&self.file)
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
            log: None,
            bytes: 0,
            may_shrink_to: None,
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
    /// The write-ahead log, once it is there.
    log: Option<(u64, u64)>,
    bytes: u64,
    /// What its own writer gave back is no harm, until the file is as short as that.
    may_shrink_to: Option<u64>,
}

impl FileWatch {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Pages are given back: at some checkpoint the file may be cut to so many bytes, or to more.
    pub(super) fn may_shrink_to(&mut self, bytes: u64) {
        self.may_shrink_to = Some(self.may_shrink_to.unwrap_or(bytes).min(bytes));
    }

    /// # Errors
    /// When the file was deleted, replaced or cut since the last look.
    pub(super) fn look(&mut self) -> Result<(), JournalError> {
        let gone = |what| JournalError::Replaced(self.path.clone(), what);
        let metadata = std::fs::metadata(&self.path).map_err(|_| gone("is gone"))?;
        if (metadata.dev(), metadata.ino()) != (self.device, self.inode) {
            return Err(gone("was replaced by another file"));
        }
        let bytes = metadata.len();
        if bytes < self.bytes && self.may_shrink_to.is_none_or(|least| bytes < least) {
            return Err(gone("was cut"));
        }
        if self.may_shrink_to == Some(bytes) {
            self.may_shrink_to = None;
        }
        self.bytes = bytes;
        self.look_at_log()
    }

    /// The write-ahead log stays as long as the journal is open. Commits are in it before they are in the file.
    fn look_at_log(&mut self) -> Result<(), JournalError> {
        let path = log_of(&self.path);
        let found = std::fs::metadata(&path).map(|metadata| (metadata.dev(), metadata.ino()));
        match (self.log, found) {
            (None, found) => self.log = found.ok(),
            (Some(known), Ok(found)) if known == found => {}
            (Some(_), Ok(_)) => {
                return Err(JournalError::Replaced(path, "was replaced by another file"));
            }
            (Some(_), Err(_)) => return Err(JournalError::Replaced(path, "is gone")),
        }
        Ok(())
    }
}

/// Returns the path of a journal's write-ahead log.
pub(super) fn log_of(journal: &Path) -> PathBuf {
    let mut path = journal.as_os_str().to_owned();
    path.push("-wal");
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_file_may_be_as_short_as_its_writer_made_it_and_no_shorter() {
        // what the writer gave back, by what it left | what the file is cut to | is that harm
        let table: [(Option<u64>, u64, bool); 5] = [
            (None, 1_000, false),
            (None, 999, true),
            (Some(400), 700, false),
            (Some(400), 400, false),
            (Some(400), 399, true),
        ];
        let directory = TempDir::new().unwrap();
        for (number, (left, cut_to, is_harm)) in table.into_iter().enumerate() {
            let held = HeldFile::open(&directory.path().join(number.to_string())).unwrap();
            held.file.set_len(1_000).unwrap();
            let mut watch = held.watch().unwrap();
            watch.look().unwrap();
            if let Some(left) = left {
                watch.may_shrink_to(left);
            }
            held.file.set_len(cut_to).unwrap();
            assert_eq!(watch.look().is_err(), is_harm, "{left:?} {cut_to}");
            if left == Some(cut_to) {
                held.file.set_len(cut_to - 1).unwrap();
                assert!(
                    watch.look().is_err(),
                    "once it is as short as that, it is not cut again"
                );
            }
        }
    }
}
