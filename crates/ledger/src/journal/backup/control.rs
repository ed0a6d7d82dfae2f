//! What a backup's caller, its thread and the writer tell each other.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// What is done now: `copying`, then `verifying`.
    pub what: &'static str,
    /// What is copied.
    pub done_bytes: u64,
    /// The size of the journal; 0 while it is not known.
    pub of_bytes: u64,
}

/// The state of one backup.
#[derive(Default)]
pub(in crate::journal) struct Control {
    is_cancelled: AtomicBool,
    copied_bytes: AtomicU64,
    journal_bytes: AtomicU64,
    is_copied: AtomicBool,
    synced_bytes: AtomicU64,
    verification: Mutex<Option<InterruptHandle>>,
    has_ended: Mutex<bool>,
    ended: Condvar,
}

impl Control {
    /// Ends the backup as soon as it can be ended; nothing of it stays.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
        let verification = self
            .verification
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(verification) = &*verification {
            verification.interrupt();
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire)
    }

    /// Has a cancellation interrupt what this connection does.
    pub(super) fn may_interrupt(&self, connection: &Connection) {
        let mut verification = self
            .verification
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let handle = connection.get_interrupt_handle();
        *verification = Some(handle);
    }

    /// The journal has so many bytes now.
    pub(super) fn measured(&self, journal_bytes: u64) {
        self.journal_bytes.store(journal_bytes, Ordering::Release);
    }

    /// All is copied: the copy is synced and verified.
    pub(super) fn has_copied(&self) {
        self.is_copied.store(true, Ordering::Release);
    }

    pub(super) fn progress(&self) -> BackupProgress {
        let of_bytes = self.journal_bytes.load(Ordering::Acquire);
        if self.is_copied.load(Ordering::Acquire) {
            return BackupProgress {
                what: "verifying",
                done_bytes: of_bytes,
                of_bytes,
            };
        }
        BackupProgress {
            what: "copying",
            done_bytes: self.copied().min(of_bytes),
            of_bytes,
        }
    }

    pub(super) fn add_copied(&self, bytes: u64) {
        self.copied_bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    pub(super) fn copied(&self) -> u64 {
        self.copied_bytes.load(Ordering::Acquire)
    }

    /// So much of what was copied is on the disk of the copy.
    pub(super) fn synced(&self, bytes: u64) {
        self.synced_bytes.store(bytes, Ordering::Release);
    }

    pub(super) fn unsynced(&self) -> u64 {
        self.copied()
            .saturating_sub(self.synced_bytes.load(Ordering::Acquire))
    }

    pub(super) fn end(&self) {
        *self
            .has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    pub(super) fn has_ended(&self) -> bool {
        *self
            .has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait_for_end(&self, within: Duration) {
        let has_ended = self
            .has_ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .ended
            .wait_timeout_while(has_ended, within, |ended| !*ended);
        let (has_ended, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !*has_ended {
            tracing::warn!(
                "a backup did not end in time: the disk of its file does not answer, and a .partial may stay there"
            );
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("copied_bytes", &self.copied())
            .finish_non_exhaustive()
    }
}
