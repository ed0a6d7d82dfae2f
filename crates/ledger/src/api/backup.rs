//! A copy of the journal while calls are served.

use std::path::Path;

use super::Ledger;
use crate::JournalError;
use crate::journal::{BackupProgress, BackupReport};

impl Ledger {
    /// Starts to copy this node's journal into the file `to`, which must not exist yet. Calls are served meanwhile: the copy is
    /// made at 32 MiB a second at most, synced, and verified before it gets its name. It holds all facts that were
    /// journalled when the copying ended. Dropping the future, or the ledger, cancels it and leaves no file.
    ///
    /// # Errors
    /// When a backup is running already, the file exists, its disk has no room or fails, or the copy is not whole.
    pub fn backup(
        &self,
        to: &Path,
    ) -> impl Future<Output = Result<BackupReport, JournalError>> + use<> {
        // It keeps no ledger open: where that is closed, the backup is cancelled.
        let backup = self.node.journal().back_up(to);
        async move { backup?.await }
    }

    /// Returns how far the running backup is; `None` where none runs.
    pub fn backup_progress(&self) -> Option<BackupProgress> {
        self.node.journal().backup_progress()
    }
}
