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

/// How far ahead of the own clock a stamp from outside may be and still move it. What is further ahead is no
/// clock that is merely kept badly.
pub(crate) const FOLLOWED_AHEAD: Duration = Duration::from_mins(1);

/// The hybrid logical clock of one node: the source of its stamps.
#[derive(Debug)]
pub struct HybridLogicalClock {
    node: u32,
    last: AtomicI64,
    /// Counts the stamps that follow one that the clock does not follow; see [`Self::next_after`].
    beyond: AtomicI64,
    /// Where in a millisecond the clock begins.
    offset: i64,
}

impl HybridLogicalClock {
    /// Returns the clock of `node`; its stamps are later than `last`.
    pub const fn new(node: u32, last: i64) -> Self {
        Self {
            node,
            last: AtomicI64::new(last),
            beyond: AtomicI64::new(0),
            offset: 0,
        }
    }

    /// Returns the clock of a node that has made stamps later than `last`, which are not followed. Its stamps
    /// differ from those: `seed` grows from start to start.
    #[must_use]
    pub(crate) fn after_stamps_ahead(self, seed: i64) -> Self {
        Self {
            beyond: AtomicI64::new(seed),
            offset: seed & ((1 << (COUNTER_BITS - 1)) - 1),
            ..self
        }
    }

    /// Returns the node of this clock.
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// Advances the clock: later stamps follow `seen`. A fact that follows from another node's fact
    /// is then ordered after it, even when the wall clock of this node is behind. A stamp that is more
    /// than a minute ahead of `now` moves nothing.
    pub fn observe(&self, seen: Stamp, now: Timestamp) {
        if seen.time <= Stamp::time_of(now.plus(FOLLOWED_AHEAD)) {
            self.last.fetch_max(seen.time, Ordering::AcqRel);
        }
    }

    /// Returns the next stamp: `now`, or the successor of the last stamp where `now` is not later.
    pub fn next(&self, now: Timestamp) -> Stamp {
        let wall = Stamp::time_of(now).saturating_add(self.offset);
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

    /// Returns a stamp that is later than `known`, the latest stamp of a bill. Where the clock did not follow
    /// `known`, this stamp alone goes ahead: what is said of that bill is ordered, and no other bill is touched.
    pub fn next_after(&self, known: Stamp, now: Timestamp) -> Stamp {
        let next = self.next(now);
        if next > known {
            return next;
        }
        let beyond = self.beyond.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        Stamp {
            time: known.time.saturating_add(beyond.max(1)),
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
        let now = Timestamp::from_millis(1_000);
        behind.observe(seen, now);
        assert!(behind.next(now) > seen);
        behind.observe(Stamp::default(), now);
        assert!(behind.next(now) > seen);
    }

    #[test]
    fn a_stamp_more_than_a_minute_ahead_moves_no_clock_and_is_followed_for_its_bill_only() {
        let now = Timestamp::from_seconds(1_000);
        for (ahead, is_followed) in [(60_000, true), (60_001, false), (i64::MAX >> 21, false)] {
            let clock = HybridLogicalClock::new(7, 0);
            let seen = Stamp {
                time: Stamp::time_of(Timestamp::from_millis(now.millis() + ahead)),
                node: u32::MAX,
            };
            clock.observe(seen, now);
            assert_eq!(clock.next(now) > seen, is_followed, "{ahead}");
            let (first, second) = (clock.next_after(seen, now), clock.next_after(seen, now));
            assert!(seen < first && first < second, "{ahead}");
            assert_eq!(clock.next(now) > seen, is_followed, "{ahead}");
        }
    }

    #[test]
    fn a_clock_that_begins_below_its_own_stamps_makes_none_of_them_again() {
        let now = Timestamp::from_seconds(1_000);
        let ahead = HybridLogicalClock::new(7, 0).next(now.plus(Duration::from_hours(1)));
        let clock = HybridLogicalClock::new(7, 0).after_stamps_ahead(41);
        let later = clock.next(now.plus(Duration::from_hours(1)));
        assert!(later != ahead && later.timestamp() == ahead.timestamp());
    }
}
