//! Entries that could not be written when they were made, and are owed to the journal.

use std::collections::VecDeque;

use super::Entry;

/// Entries owed at most; what comes after it is told loudly and stays in memory only.
const BOUND: usize = 100_000;

/// The debt, oldest first.
#[derive(Debug, Default)]
pub(super) struct Owed {
    entries: VecDeque<Entry>,
    facts: usize,
    dropped: u64,
}

impl Owed {
    /// Takes an entry over; at the bound it is dropped and counted.
    pub(super) fn push(&mut self, entry: Entry) {
        if self.entries.len() < BOUND {
            self.facts += entry.facts().len();
            self.entries.push_back(entry);
        } else {
            self.dropped += 1;
            tracing::error!(
                dropped = self.dropped,
                "the journal cannot be written and too many entries are owed: facts stay in memory only"
            );
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many facts the entries have.
    pub(super) const fn facts(&self) -> usize {
        self.facts
    }

    /// The oldest entries, at most `most` of them.
    pub(super) fn oldest(&self, most: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().take(most)
    }

    /// Takes the oldest entry.
    pub(super) fn take(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.facts -= entry.facts().len();
        Some(entry)
    }

    /// Puts back the entry that was taken.
    pub(super) fn put_back(&mut self, entry: Entry) {
        self.facts += entry.facts().len();
        self.entries.push_front(entry);
    }

    /// The oldest entries have been paid.
    pub(super) fn paid(&mut self, entries: usize) {
        let paid = self.entries.drain(..entries.min(self.entries.len()));
        self.facts -= paid.map(|entry| entry.facts().len()).sum::<usize>();
    }
}
