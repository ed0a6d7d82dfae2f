//! What the writer counts, for those who ask how the journal stands.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::Observer;

/// Counts of one open journal.
#[derive(Default)]
pub(crate) struct Tally {
    commits: AtomicU64,
    owed_facts: AtomicU64,
    late: AtomicU64,
    last_row: AtomicI64,
    undelivered: AtomicI64,
    watch: OnceLock<Arc<dyn Observer>>,
}

impl Tally {
    /// Has every commit told, from now on; the first who asks for that is told.
    pub(crate) fn tell(&self, watch: Arc<dyn Observer>) {
        // Nobody else asks for it but the one ledger that owns the journal.
        let _ = self.watch.set(watch);
    }

    /// Transactions committed since the journal was opened.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Facts that the journal could not take yet.
    pub(crate) fn owed_facts(&self) -> u64 {
        self.owed_facts.load(Ordering::Relaxed) + self.late.load(Ordering::Relaxed)
    }

    pub(super) fn committed(&self, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        if let Some(watch) = self.watch.get() {
            watch.journal_committed(took);
        }
    }

    /// The number of the last fact that was written, whether anybody waited for it or not; 0 before
    /// the first one.
    pub(crate) fn last_row(&self) -> i64 {
        self.last_row.load(Ordering::Relaxed)
    }

    /// Returns how many events are undelivered.
    pub(crate) fn undelivered(&self) -> i64 {
        self.undelivered.load(Ordering::Relaxed)
    }

    pub(super) fn add_undelivered(&self, events: i64) {
        self.undelivered.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self, last_row: i64) {
        self.last_row.fetch_max(last_row, Ordering::Relaxed);
    }

    /// So many entries wait that nobody waits for any more, nearly all of one fact.
    pub(super) fn is_late_with(&self, entries: usize) {
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        self.late.store(entries, Ordering::Relaxed);
    }

    pub(super) fn owes(&self, facts: usize) {
        let facts = u64::try_from(facts).unwrap_or(u64::MAX);
        self.owed_facts.store(facts, Ordering::Relaxed);
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally")
            .field("commits", &self.commits())
            .field("owed_facts", &self.owed_facts())
            .finish_non_exhaustive()
    }
}
