//! What can go wrong with a journal, in words that say what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the journal did not take, or give, what was asked.
#[derive(Debug)]
pub enum JournalError {
    /// Another process has this journal open; its number, where the system tells.
    InUse(PathBuf, Option<u32>),
    /// The folder or a file is not as a ledger's must be: what is wrong, and what to do.
    Refused(PathBuf, String),
    /// The file is no journal, or a page or a row of it is damaged.
    Damaged(PathBuf, String),
    /// The folder or the lock cannot be made.
    Io(PathBuf, io::Error),
    /// The disk is full, in the words of `SQLite`.
    Full(String),
    /// `SQLite` said no: read-only file, foreign lock.
    Sqlite(String),
    /// A row that this version cannot read.
    Row(String),
    /// The file under the open journal is not the one that its path names any more.
    Replaced(PathBuf, &'static str),
    /// There was a journal here, and its content is gone.
    Emptied(PathBuf),
    /// The disk has not committed for longer than a call can wait; it may yet.
    Stalled,
    /// Entries were still owed when the journal was closed.
    Owed(usize),
    /// A backup of this journal is being made already.
    BackupRunning,
    /// The process ended, or nobody waited for the backup any more.
    BackupCancelled,
    /// The writer is behind by more than its bound, or gone.
    Overloaded,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path, holder) => {
                let file = path.display();
                match holder {
                    Some(pid) => write!(f, "{file}: in use by another process, {pid}")?,
                    None => write!(f, "{file}: in use by another process")?,
                }
                f.write_str(": stop it first, or give this gateway a ledger of its own")
            }
            Self::Refused(path, what) => write!(f, "{}: {what}", path.display()),
            Self::Damaged(path, what) if path.as_os_str().is_empty() => {
                write!(f, "the journal is damaged: {what}")
            }
            Self::Damaged(path, what) => write!(
                f,
                "{}: is damaged ({what}): put back a copy of it, or, to go on without the payments and links that only \
                 this journal knows, move it away with its -wal and -shm; `gateway ledger verify` says more",
                path.display()
            ),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Full(what) => write!(f, "journal: {what}: make room on its file system"),
            Self::Sqlite(what) => write!(f, "journal: {what}"),
            Self::Row(what) => write!(f, "journal: unreadable row: {what}"),
            Self::Replaced(path, what) => write!(
                f,
                "{} {what}: what is committed now is lost; stop the gateway, put the file back with its -wal and -shm, or \
                 a copy of them, and start again",
                path.display()
            ),
            Self::Emptied(path) => write!(
                f,
                "{}: is empty, so what was in it is gone; restore it, or remove it to begin anew",
                path.display()
            ),
            Self::Stalled => f.write_str("journal: the disk does not answer"),
            Self::Owed(entries) => write!(f, "journal: {entries} entries could not be written"),
            Self::BackupRunning => {
                f.write_str("a backup of this journal is being made: wait until it is done")
            }
            Self::BackupCancelled => {
                f.write_str("the backup was cancelled before it was whole; nothing of it is left")
            }
            Self::Overloaded => f.write_str("journal: the writer is behind"),
        }
    }
}

impl std::error::Error for JournalError {}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        // Some errors go on with the whole statement.
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default().to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged(PathBuf::new(), what)
            }
            Some(ErrorCode::DiskFull) => Self::Full(what),
            Some(ErrorCode::ReadOnly) => Self::Sqlite(format!(
                "{what}: let this user write the journal, and mount its file system read-write"
            )),
            _ => Self::Sqlite(what),
        }
    }
}

impl JournalError {
    /// Returns the error of an entry that is not tried, because earlier ones could not be written.
    pub(crate) fn earlier_entries_owed() -> Self {
        Self::Sqlite("earlier entries are still owed".to_owned())
    }

    /// Returns whether a part of the file is damaged: what lies elsewhere can still be written and read.
    pub(crate) const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(..) | Self::Row(_))
    }

    /// Returns the same error with the name of the file, for whoever starts the gateway.
    pub(crate) fn of(self, file: &Path) -> Self {
        match self {
            Self::Damaged(_, what) => Self::Damaged(file.to_path_buf(), what),
            Self::Row(what) => Self::Damaged(file.to_path_buf(), format!("unreadable row: {what}")),
            Self::Sqlite(what) => Self::Sqlite(format!("{}: {what}", file.display())),
            Self::Full(what) => Self::Full(format!("{}: {what}", file.display())),
            other => other,
        }
    }
}
