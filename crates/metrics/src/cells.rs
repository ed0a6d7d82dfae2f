//! Counters without names, for the series of a biller.
//!
//! Each counter of the `prometheus` crate is a separate allocation with its name, help text and labels. A call
//! counts in some ten series of its biller. With thousands of billers, each of these allocations is a cache miss.
//! The counters here are stored together and get their names at a scrape.

use std::array;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A counter.
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

/// A gauge.
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

/// A histogram of durations with at most `N` bounds, and a bucket above the last bound. The caller passes the
/// bounds, in ascending seconds, because many histograms share them.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Durations<const N: usize> {
    /// In nanoseconds; 64 bits are enough for 584 years. It comes first, next to the buckets of short durations.
    sum: Count,
    buckets: [Count; N],
    above: Count,
}

impl<const N: usize> Default for Durations<N> {
    fn default() -> Self {
        Self {
            sum: Count::default(),
            buckets: array::from_fn(|_| Count::default()),
            above: Count::default(),
        }
    }
}

impl<const N: usize> Durations<N> {
    pub(crate) fn observe(&self, took: Duration, bounds: &[f64]) {
        let seconds = took.as_secs_f64();
        // A linear search, because most calls are in the first buckets.
        let at = bounds.iter().position(|bound| seconds <= *bound);
        at.and_then(|at| self.buckets.get(at))
            .unwrap_or(&self.above)
            .inc();
        self.sum
            .add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum.get())
    }

    /// Returns the count of each bucket; the last is the one above the last bound.
    pub(crate) fn counts(&self) -> impl Iterator<Item = u64> {
        self.buckets.iter().chain([&self.above]).map(Count::get)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let durations = Durations::<4>::default();
        let bounds = [0.001, 0.5, 3.0];
        for micros in [0, 1_000, 1_001, 500_000, 3_000_000, 3_000_001] {
            durations.observe(Duration::from_micros(micros), &bounds);
        }
        assert_eq!(durations.counts().collect::<Vec<_>>(), [2, 2, 1, 0, 1]);
        assert_eq!(durations.sum(), Duration::from_micros(6_502_002));
    }
}
