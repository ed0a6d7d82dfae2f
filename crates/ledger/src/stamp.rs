//! Time as the ledger sees it: milliseconds of Unix time, and stamps that order facts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The machine's wall clock. Only the edge of the program calls this.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time less `span`; stops at the beginning of time instead of wrapping.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// This time and `span` more; stops at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

/// Bits of a stamp that count facts within one millisecond.
const COUNTER_BITS: u32 = 20;

/// When a fact was made and by which node: unique, and ordered the same way on every node.
///
/// `time` is a hybrid logical clock: milliseconds shifted left by 20 bits, plus a counter, so that
/// two facts of one node never share a stamp even when the wall clock stands still or steps back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp {
    /// Hybrid logical time.
    pub time: i64,
    /// The node that made the fact.
    pub node: u32,
}

impl Stamp {
    /// The first stamp time of a moment.
    pub(crate) const fn time_of(moment: Timestamp) -> i64 {
        moment.0 << COUNTER_BITS
    }

    /// The wall-clock part.
    pub const fn timestamp(self) -> Timestamp {
        Timestamp(self.time >> COUNTER_BITS)
    }
}

/// Hands out the stamps of one node.
#[derive(Debug)]
pub struct HybridLogicalClock {
    node: u32,
    last: AtomicI64,
}

impl HybridLogicalClock {
    /// A clock for `node` whose stamps all come after `last`.
    pub const fn new(node: u32, last: i64) -> Self {
        Self {
            node,
            last: AtomicI64::new(last),
        }
    }

    /// The node this clock stamps for.
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// All further stamps come after this one: whoever answers a fact of another node's must not
    /// seem to have come before it, however far this node's wall clock is behind.
    pub fn observe(&self, seen: Stamp) {
        self.last.fetch_max(seen.time, Ordering::AcqRel);
    }

    /// The next stamp: at `now`, or just after the last one where the wall clock lags behind it.
    pub fn next(&self, now: Timestamp) -> Stamp {
        let wall = now.0 << COUNTER_BITS;
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
    fn a_stamp_comes_after_those_that_were_seen() {
        let (ahead, behind) = (HybridLogicalClock::new(8, 0), HybridLogicalClock::new(7, 0));
        let seen = ahead.next(Timestamp::from_millis(5_000));
        behind.observe(seen);
        assert!(behind.next(Timestamp::from_millis(1_000)) > seen);
        behind.observe(Stamp::default());
        assert!(behind.next(Timestamp::from_millis(1_000)) > seen);
    }
}
