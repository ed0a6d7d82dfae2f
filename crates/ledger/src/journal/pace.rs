//! How often the journal may sync: at once for the lone call, gathered under load.

use std::time::{Duration, Instant};

/// Syncs that may follow each other without a pause.
const BURST: f64 = 20.0;

/// Syncs per second in the long run. A disk sync is dear; at a thousand pay-results a second,
/// gathering costs a call a few milliseconds of its three seconds and saves nine syncs of ten.
const SYNCS_PER_SECOND: f64 = 150.0;

/// Entries that wait no longer: a sync that twelve pay-results share costs each of them little, and a larger group
/// hardly less, but the wait for it is a part of every answer.
pub(super) const ENOUGH: usize = 24;

/// A token bucket over the writer's commits.
#[derive(Debug)]
pub(super) struct Pace {
    tokens: f64,
    refilled: Instant,
}

impl Pace {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            tokens: BURST,
            refilled: now,
        }
    }

    /// Takes a token; answers how long to gather before committing.
    pub(super) fn wait_before_commit(&mut self, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.refilled);
        self.tokens = passed
            .as_secs_f64()
            .mul_add(SYNCS_PER_SECOND, self.tokens)
            .min(BURST);
        self.refilled = now;
        // Large groups are committed before the time is over: nobody else waits for that.
        self.tokens = (self.tokens - 1.0).max(-1.0);
        if self.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-self.tokens / SYNCS_PER_SECOND)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_commits_at_once_and_a_stream_is_gathered() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..20 {
            assert_eq!(pace.wait_before_commit(start), Duration::ZERO);
        }
        assert!(pace.wait_before_commit(start) > Duration::from_millis(5));
        let later = start + Duration::from_secs(1);
        assert_eq!(pace.wait_before_commit(later), Duration::ZERO);
    }

    #[test]
    fn commits_before_the_time_make_no_later_one_wait_longer() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..10_000 {
            assert!(pace.wait_before_commit(now) <= Duration::from_millis(7));
            now += Duration::from_micros(100);
        }
    }

    #[test]
    fn in_the_long_run_there_are_fewer_than_two_hundred_syncs_a_second() {
        let mut now = Instant::now();
        let end = now + Duration::from_secs(10);
        let mut pace = Pace::new(now);
        let mut commits = 0;
        while now < end {
            now += pace.wait_before_commit(now);
            commits += 1;
        }
        assert!(commits < 2_000, "{commits} syncs in ten seconds");
    }
}
