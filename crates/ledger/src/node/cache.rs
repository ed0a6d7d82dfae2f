//! The bound of the bytes that all books of a node take together, and what was found in them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::filter::Filter;

/// The share of the bound that the filter takes.
const FILTER_SHARE: usize = 8;

/// What the state in memory takes, and how often it was enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// The bytes of all bills in memory and of the filter.
    pub bytes: usize,
    /// Look-ups that memory answered.
    pub hits: u64,
    /// Look-ups that read the journal.
    pub misses: u64,
}

/// Counts the bytes of all books against their bound.
#[derive(Debug)]
pub(crate) struct Cache {
    bound: usize,
    bytes: AtomicUsize,
    hits: AtomicU64,
    misses: AtomicU64,
    filter: Filter,
}

impl Cache {
    /// Returns a cache of so many bytes; of zero bytes, nothing stays in memory that no call needs.
    pub(crate) fn new(bound: usize) -> Self {
        let filter = Filter::new(bound / FILTER_SHARE);
        Self {
            bytes: AtomicUsize::new(0),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            bound: bound.saturating_sub(filter.bytes()),
            filter,
        }
    }

    /// Returns the filter of the bills that the journal may have.
    pub(crate) const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Returns the bound of the bills' bytes.
    pub(super) const fn bound(&self) -> usize {
        self.bound
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn is_over(&self) -> bool {
        self.bytes() > self.bound
    }

    /// A slot grew, shrank, came or went.
    pub(super) fn recount(&self, before: usize, after: usize) {
        if after >= before {
            self.bytes.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn figures(&self) -> CacheFigures {
        CacheFigures {
            bytes: self.bytes() + self.filter.bytes(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }
}
