//! What the journal takes, and what is left for it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

/// Bytes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The journal's file and its write-ahead log.
    pub journal_bytes: u64,
    /// Free on the file system that they lie on, for users without privileges.
    pub free_bytes: u64,
}

impl Space {
    /// Asks the file system about the journal in `file`; may take as long as that takes.
    pub(super) fn of(file: &Path) -> io::Result<Self> {
        let mut log = OsString::from(file);
        log.push("-wal");
        // There is none where nothing was written since the last checkpoint at a close.
        let log_bytes = fs::metadata(log).map_or(0, |log| log.len());
        let system = rustix::fs::statvfs(file)?;
        Ok(Self {
            journal_bytes: fs::metadata(file)?.len() + log_bytes,
            free_bytes: system.f_bavail.saturating_mul(system.f_frsize),
        })
    }
}
