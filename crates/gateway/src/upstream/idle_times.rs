//! How long an upstream leaves an idle connection open, as its connections have shown.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long what connections have shown counts at least; it is forgotten within twice this time, for a server may have
/// been configured anew.
const PERIOD: Duration = Duration::from_mins(10);

/// The least time between the use of a connection and the moment at which it may be closed, beside the round trip.
///
/// Servers were seen to drop requests that arrive up to 33 ms before they close, and a request whose first packet is
/// lost arrives 200 ms late.
const MARGIN: Duration = Duration::from_millis(250);

/// The idle times that one origin is known to allow, for the connections of all workers.
///
/// They decide which pooled connection may carry a request that must not be sent twice. Nothing is assumed of an
/// origin: only its own connections show what it allows, and an announcement (`Keep-Alive: timeout=5`) can but lower
/// that. The state is of constant size.
#[derive(Debug)]
pub(super) struct IdleTimes(Mutex<Observed>);

/// What is known of an origin's idle times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownIdleTimes {
    /// The idle time up to which connections stay open.
    pub(super) proven: Duration,
    /// The longest idle time that a connection has outlived in this period; a longer one is worth recording.
    pub(super) outlived: Duration,
}

#[derive(Debug)]
struct Observed {
    /// The longest time for which a connection was idle and still open, since the last closing after less: in this period
    /// and in the one before.
    outlived: [Duration; 2],
    /// The shortest time after which the origin closed an idle connection, in this period and in the one before.
    closed: [Duration; 2],
    period_end: Instant,
}

impl IdleTimes {
    /// Starts without knowledge.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Observed {
            outlived: [Duration::ZERO; 2],
            closed: [Duration::MAX; 2],
            period_end: Instant::now() + PERIOD,
        }))
    }

    /// Records that a connection was idle for so long and is open.
    pub(super) fn outlived(&self, idle: Duration) {
        let mut observed = self.lock();
        observed.outlived[0] = observed.outlived[0].max(idle);
    }

    /// Records that the origin has closed a connection that was idle for so long, or has sent bytes on it.
    pub(super) fn closed(&self, idle: Duration, now: Instant) {
        let mut observed = self.lock();
        observed.begin_period(now);
        observed.closed[0] = observed.closed[0].min(idle);
        observed.outlived = observed.outlived.map(|outlived| outlived.min(idle));
    }

    /// Returns what is known.
    pub(super) fn known(&self, now: Instant) -> KnownIdleTimes {
        let mut observed = self.lock();
        observed.begin_period(now);
        let [outlived, outlived_before] = observed.outlived;
        let [closed, closed_before] = observed.closed;
        KnownIdleTimes {
            proven: outlived.max(outlived_before).min(closed).min(closed_before),
            outlived,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Observed> {
        // Every state of the numbers is valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observed {
    fn begin_period(&mut self, now: Instant) {
        if now < self.period_end {
            return;
        }
        let (mut outlived, mut closed) = (Duration::ZERO, Duration::MAX);
        if now < self.period_end + PERIOD {
            (outlived, closed) = (self.outlived[0], self.closed[0]);
        }
        self.outlived = [Duration::ZERO, outlived];
        self.closed = [Duration::MAX, closed];
        self.period_end = now + PERIOD;
    }
}

/// Returns how long a connection may have been idle for a request that must not be sent twice, if it stays open for
/// `open_for` and a round trip takes `round_trip`: at most half of that time, and so much less that the request arrives
/// in time.
pub(super) fn well_below(open_for: Duration, round_trip: Duration) -> Duration {
    open_for
        .saturating_sub(MARGIN + round_trip)
        .min(open_for / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn nothing_is_proven_of_a_new_origin() {
        let times = IdleTimes::new();
        assert_eq!(times.known(Instant::now()).proven, Duration::ZERO);
    }

    #[test]
    fn the_longest_idle_time_that_was_outlived_is_proven_until_a_shorter_one_ends() {
        let (times, now) = (IdleTimes::new(), Instant::now());
        let proven = || times.known(now).proven;
        times.outlived(ms(700));
        times.outlived(ms(300));
        assert_eq!(proven(), ms(700));
        times.closed(ms(1_000), now);
        assert_eq!(proven(), ms(700));
        times.outlived(ms(5_000));
        assert_eq!(proven(), ms(1_000), "another server behind it");
        times.closed(ms(20), now);
        assert_eq!(proven(), ms(20));
    }

    #[test]
    fn a_closing_is_forgotten_after_one_to_two_periods_and_must_be_outlived_then() {
        let (times, now) = (IdleTimes::new(), Instant::now());
        let proven = |periods| times.known(now + PERIOD * periods + ms(1)).proven;
        times.outlived(ms(9_000));
        times.closed(ms(20), now);
        times.outlived(ms(9_000));
        assert_eq!(proven(0), ms(20));
        assert_eq!(proven(1), ms(20));
        times.outlived(ms(9_000));
        assert_eq!(proven(2), ms(9_000));
    }

    #[test]
    fn what_was_outlived_must_be_proven_again_after_one_to_two_periods() {
        let (times, now) = (IdleTimes::new(), Instant::now());
        let known = |periods| times.known(now + PERIOD * periods + ms(1));
        times.outlived(ms(9_000));
        assert_eq!(known(0).outlived, ms(9_000));
        assert_eq!((known(1).proven, known(1).outlived), (ms(9_000), ms(0)));
        times.outlived(ms(800));
        assert_eq!(known(2).proven, ms(800));
        assert_eq!(known(9).proven, ms(0), "a biller that was not called");
    }

    #[test]
    fn a_request_arrives_well_before_the_connection_may_be_closed() {
        for (open_for, round_trip, idle) in [
            (0, 0, 0),
            (20, 10, 0),
            (250, 0, 0),
            (300, 10, 40),
            (400, 200, 0),
            (1_000, 10, 500),
            (1_000, 400, 350),
            (5_000, 10, 2_500),
        ] {
            assert_eq!(
                well_below(ms(open_for), ms(round_trip)),
                ms(idle),
                "{open_for} {round_trip}"
            );
        }
    }
}
