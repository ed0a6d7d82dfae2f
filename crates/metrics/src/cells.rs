//! Numbers that stand in the memory of what they are counted for.
//!
//! The library's counters have each a place of their own in memory, with their name, help text and labels beside
//! them. A call meets some ten series of its biller: of thousands of billers, none of those places is in a near
//! cache when its turn comes. So what is counted per biller lies together here, and is named when it is shown.

use std::array;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// What only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn inc(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Level(AtomicI64);

impl Level {
    pub(crate) fn add(&self, change: i64) {
        self.0.fetch_add(change, Ordering::Relaxed);
    }

    pub(crate) fn set(&self, level: i64) {
        self.0.store(level, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Durations by bucket: one for each of at most `N` edges, and one for what is beyond the last edge. The edges, in
/// seconds and ascending, are the same for many and come from outside.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Durations<const N: usize> {
    /// Whole nanoseconds: one addition each. 64 bits hold 584 years. In front, beside the buckets of short times.
    sum: Count,
    within: [Count; N],
    beyond: Count,
}

impl<const N: usize> Default for Durations<N> {
    fn default() -> Self {
        Self {
            sum: Count::default(),
            within: array::from_fn(|_| Count::default()),
            beyond: Count::default(),
        }
    }
}

impl<const N: usize> Durations<N> {
    pub(crate) fn observe(&self, took: Duration, edges: &[f64]) {
        let seconds = took.as_secs_f64();
        // Looked for from the first edge on, where most calls end.
        let at = edges.iter().position(|edge| seconds <= *edge);
        at.and_then(|at| self.within.get(at))
            .unwrap_or(&self.beyond)
            .inc();
        self.sum
            .add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum.get())
    }

    /// By bucket, what is beyond the last edge last.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        self.within.iter().chain([&self.beyond]).map(Count::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_holds_it_and_an_edge_belongs_to_its_bucket() {
        let durations = Durations::<4>::default();
        let edges = [0.001, 0.5, 3.0];
        for micros in [0, 1_000, 1_001, 500_000, 3_000_000, 3_000_001] {
            durations.observe(Duration::from_micros(micros), &edges);
        }
        assert_eq!(durations.counts().collect::<Vec<_>>(), [2, 2, 1, 0, 1]);
        assert_eq!(durations.sum(), Duration::from_micros(6_502_002));
    }
}
