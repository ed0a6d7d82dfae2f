//! Backup and restore of the journal.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Ledger;
use crate::{JournalError, journal};

/// A backup that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The bytes of the file.
    pub bytes: u64,
    /// The facts in it.
    pub facts: u64,
    /// How long it took.
    pub took: Duration,
}

/// A journal that was made from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The new number of the node.
    pub node: u32,
    /// The facts in it.
    pub facts: u64,
}

impl Ledger {
    /// Writes a copy of the journal to the new file `to`, while calls are served.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the journal cannot be read.
    pub async fn backup(&self, to: &Path) -> Result<BackupReport, JournalError> {
        let (began, to) = (Instant::now(), to.to_path_buf());
        let (bytes, facts) = self.read_journal(move |reader| reader.copy_to(&to)).await?;
        Ok(BackupReport {
            bytes,
            facts,
            took: began.elapsed(),
        })
    }
}

/// Makes the journal of the folder `directory` from a backup, as a new node.
///
/// # Errors
/// When there is a journal already, the backup is no journal or damaged, or the folder cannot be written.
pub fn restore(from: &Path, directory: &Path) -> Result<Restored, JournalError> {
    let (node, facts) = journal::restore(from, directory)?;
    Ok(Restored { node, facts })
}
