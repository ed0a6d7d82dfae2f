//! Timestamps in milliseconds, and the hybrid logical clock that orders facts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Returns the wall-clock time of this machine. Tests pass times as values instead.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// Returns the time this many milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the time this many seconds after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the time `span` earlier; saturates.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// Returns the time `span` later; saturates.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

/// The bits of a stamp that count facts within one millisecond.
const COUNTER_BITS: u32 = 20;

/// A hybrid logical clock timestamp: the time of a fact and the node that made it.
///
/// Stamps are unique and have the same order on every node. `time` holds milliseconds shifted left
/// by 20 bits, plus a counter: two facts of one node differ even when the wall clock stops or steps
/// back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp {
    /// The hybrid logical time.
    pub time: i64,
    /// The node that made the fact.
    pub node: u32,
}

impl Stamp {
    /// Returns the first stamp time of `moment`; saturates, for there are times beyond all stamps.
    pub(crate) const fn time_of(moment: Timestamp) -> i64 {
        moment.0.saturating_mul(1 << COUNTER_BITS)
    }

    /// Returns the wall-clock part.
    pub const fn timestamp(self) -> Timestamp {
        Timestamp(self.time >> COUNTER_BITS)
    }
}

/// The hybrid logical clock of one node: the source of its stamps.
#[derive(Debug)]
pub struct HybridLogicalClock {
    node: u32,
    last: AtomicI64,
}

impl HybridLogicalClock {
    /// Returns the clock of `node`; its stamps are later than `last`.
    pub const fn new(node: u32, last: i64) -> Self {
        Self {
            node,
            last: AtomicI64::new(last),
        }
    }

    /// Returns the node of this clock.
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// Advances the clock: later stamps follow `seen`. A fact that follows from another node's fact
    /// is then ordered after it, even when the wall clock of this node is behind.
    pub fn observe(&self, seen: Stamp) {
        self.last.fetch_max(seen.time, Ordering::AcqRel);
    }

    /// Returns the next stamp: `now`, or the successor of the last stamp where `now` is not later.
    pub fn next(&self, now: Timestamp) -> Stamp {
        let wall = Stamp::time_of(now);
        let previous = self
            .last
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| {
                Some(wall.max(last.saturating_add(1)))
            })
            .unwrap_or_else(|last| last);
        Stamp {
            time: wall.max(previous.saturating_add(1)),
            node: self.node,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_even_when_the_wall_clock_steps_back() {
        let clock = HybridLogicalClock::new(7, 0);
        let first = clock.next(Timestamp::from_millis(2_000));
        let second = clock.next(Timestamp::from_millis(1_000));
        let third = clock.next(Timestamp::from_millis(3_000));
        assert!(first < second && second < third);
        assert_eq!(third.timestamp(), Timestamp::from_millis(3_000));
    }

    #[test]
    fn a_stamp_follows_every_observed_stamp() {
        let (ahead, behind) = (HybridLogicalClock::new(8, 0), HybridLogicalClock::new(7, 0));
        let seen = ahead.next(Timestamp::from_millis(5_000));
        behind.observe(seen);
        assert!(behind.next(Timestamp::from_millis(1_000)) > seen);
        behind.observe(Stamp::default());
        assert!(behind.next(Timestamp::from_millis(1_000)) > seen);
    }
}
