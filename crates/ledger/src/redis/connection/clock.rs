//! A [`ServerClock`] measures by how much a server's clock differs from this machine's.
//!
//! A reservation is a lease that two nodes judge. Both must judge it by one clock, and that is the clock of the
//! server that they share.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Timestamp;
use crate::redis::settings::address::ServerAddress;

/// A difference above this is logged, because one of the two clocks does not keep time.
const LOG_ABOVE_MILLIS: i64 = 500;

/// A quick answer measures the difference better than a slow one; it is preferred for this long.
const BELIEVED_FOR: Duration = Duration::from_secs(10);

/// A `WallClock` returns the time of this machine.
#[derive(Clone, Copy)]
pub struct WallClock(pub fn() -> Timestamp);

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

/// A `Sample` is what one question to a server measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// This machine's time when the question was sent.
    pub(crate) asked: Timestamp,
    /// The server's time when it answered.
    pub(crate) answered: Timestamp,
    /// The time between question and answer.
    pub(crate) took: Duration,
    /// When it was measured, on a monotonic clock.
    pub(crate) at: Instant,
}

/// `Known` is the difference that the best of the latest answers measured.
#[derive(Clone, Copy, Debug)]
struct Known {
    ahead_millis: i64,
    /// The largest error of the measurement.
    within_millis: i64,
    since: Instant,
}

/// A `ServerClock` is the clock of one server.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    is_logged: bool,
}

impl ServerClock {
    /// Returns how many milliseconds the server's clock is ahead of this machine's; 0 while that is not known, and
    /// where the difference is within the error of the measurement: clocks that keep time then agree to the
    /// millisecond.
    pub(crate) fn ahead_millis(&self) -> i64 {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state
            .known
            .filter(|known| known.ahead_millis.abs() > known.within_millis);
        known.map_or(0, |known| known.ahead_millis)
    }

    /// Takes in a measurement, and logs once that the clocks differ.
    pub(crate) fn learn(&self, server: &ServerAddress, sample: Sample) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = better(state.known, sample);
        state.known = Some(known);
        let ahead = known.ahead_millis;
        let differs = ahead.abs() - known.within_millis > LOG_ABOVE_MILLIS;
        if differs && !state.is_logged {
            tracing::error!(
                %server,
                server_ahead_ms = ahead,
                "this machine's clock differs from that of Redis: links are reserved by \
                 the server's, but marks and stamps are wrong until both keep time"
            );
        } else if !differs && state.is_logged {
            tracing::info!(%server, "this machine's clock and that of Redis agree again");
        }
        state.is_logged = differs;
    }
}

/// The server read its clock at some time between question and answer. A new answer that
/// contradicts what is known means that a clock was set.
fn better(known: Option<Known>, sample: Sample) -> Known {
    let took = i64::try_from(sample.took.as_millis()).unwrap_or(i64::MAX);
    let half = took / 2;
    let new = Known {
        ahead_millis: sample.answered.millis() - sample.asked.millis() - half,
        within_millis: half + 1,
        since: sample.at,
    };
    match known {
        Some(known)
            if known.within_millis < new.within_millis
                && sample.at.duration_since(known.since) < BELIEVED_FOR
                && (known.ahead_millis - new.ahead_millis).abs()
                    <= known.within_millis + new.within_millis =>
        {
            known
        }
        _ => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_that_of_the_quickest_answer_until_a_clock_is_set() {
        let start = Instant::now();
        let clock = ServerClock::default();
        let server = ServerAddress::new("127.0.0.1", 1);
        // after how long | asked | answered | took | the server is ahead by
        for (after, asked, answered, took, ahead) in [
            (0, 1_000, 2_050, 100, 1_000),
            // Slower, and in agreement.
            (500, 1_500, 2_620, 180, 1_000),
            (1_000, 2_000, 3_003, 2, 1_002),
            (1_500, 2_500, 3_540, 80, 1_002),
            // This machine's clock was set.
            (2_000, 9_000, 4_040, 80, -5_000),
            // The quickest was long ago.
            (60_000, 69_000, 64_055, 90, -4_990),
            // It was set again, and is kept from now on.
            (60_500, 64_500, 64_506, 8, 0),
            (61_000, 65_000, 65_001, 0, 0),
        ] {
            let sample = Sample {
                asked: Timestamp::from_millis(asked),
                answered: Timestamp::from_millis(answered),
                took: Duration::from_millis(took),
                at: start + Duration::from_millis(after),
            };
            clock.learn(&server, sample);
            assert_eq!(clock.ahead_millis(), ahead, "{after}");
        }
    }
}
