//! The file that a journal is restored from.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};

use super::{BESIDE, beside};
use crate::journal::{JournalError, access};

/// The first bytes of a file of `SQLite`.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Bytes of its head.
const HEAD_BYTES: usize = 100;

/// A backup, or the journal of a gateway that does not run.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    file: File,
    /// What a gateway that was killed had not brought to the file yet.
    log: Option<File>,
}

impl Source {
    /// Opens it; it stays locked against a start.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let unreadable = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => access::refused(path, "there is no such file to restore from"),
            _ => access::explained(path, "cannot be read", error),
        };
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(access::refused(
                path,
                "is no file: name the file of a backup",
            ));
        }
        // A file system without locks has no running gateway on it either.
        if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
            return Err(access::refused(
                path,
                "is the journal of a running gateway: restore from a backup that `gateway ledger backup` makes of it, \
                 or stop that gateway first",
            ));
        }
        let log = match File::open(beside(path, BESIDE[0])) {
            Ok(log) => Some(log),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(error)),
        };
        let source = Self {
            path: path.to_path_buf(),
            file,
            log,
        };
        source.check_head()?;
        Ok(source)
    }

    /// Whether it begins as a file of `SQLite`, and is as long as it says.
    fn check_head(&self) -> Result<(), JournalError> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let unreadable = |error| access::explained(&self.path, "cannot be read", error);
        let mut file = &self.file;
        file.take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        let [page_bytes, pages] = [(16, 2), (28, 4)].map(|(at, width)| {
            let field = head.get(at..at + width).unwrap_or_default();
            field
                .iter()
                .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        });
        if !head.starts_with(MAGIC) || head.len() < HEAD_BYTES {
            return Err(access::refused(
                &self.path,
                "is no journal (it does not begin as a file of SQLite does): name a file that `gateway ledger backup` made",
            ));
        }
        let bytes = self.file.metadata().map_err(unreadable)?.len();
        // In the head a 1 stands for 65,536. With a log beside it, the file need not be as its head says.
        let expected = pages * if page_bytes == 1 { 65_536 } else { page_bytes };
        if self.log.is_none() && bytes < expected {
            return Err(access::refused(
                &self.path,
                format_args!(
                    "is cut short: {bytes} bytes of {expected} are there: copy it again, or take another backup"
                ),
            ));
        }
        Ok(())
    }

    /// Copies it into an empty file, where `path` is the file's name.
    pub(super) fn copy_to(&self, mut file: &File, path: &Path) -> Result<(), JournalError> {
        let uncopied = |error: io::Error| {
            access::explained(path, "the journal cannot be copied to here", error)
        };
        let bytes = self.file.metadata().map_err(uncopied)?.len();
        let system = rustix::fs::fstatvfs(file).map_err(|error| uncopied(error.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        if free < bytes {
            return Err(access::refused(
                path,
                format_args!(
                    "its file system has {free} bytes free, and the journal takes {bytes}: make room, or name another folder"
                ),
            ));
        }
        io::copy(&mut &self.file, &mut file).map_err(uncopied)?;
        if let Some(mut log) = self.log.as_ref() {
            let mut to = File::create_new(beside(path, BESIDE[0])).map_err(uncopied)?;
            io::copy(&mut log, &mut to).map_err(uncopied)?;
        }
        Ok(())
    }

    /// What is wrong with the copy is wrong with the file.
    pub(super) fn explained(&self, error: JournalError) -> JournalError {
        match error {
            JournalError::Damaged(_, what) => access::refused(
                &self.path,
                format_args!("is damaged ({what}): nothing was restored; take another backup"),
            ),
            JournalError::Sqlite(what) => access::refused(
                &self.path,
                format_args!(
                    "is no journal of this gateway ({what}): name a file that `gateway ledger backup` made"
                ),
            ),
            JournalError::Full(what) => access::refused(
                &self.path,
                format_args!("cannot be restored ({what}): make room where the journal shall lie"),
            ),
            other => other,
        }
    }
}
