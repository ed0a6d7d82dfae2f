//! One clock for callers, parties and faults, so that their times can be compared.

use std::time::{Duration, Instant};

/// Time since the run began.
pub type Moment = Duration;

#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now(self) -> Moment {
        self.0.elapsed()
    }
}

/// Longer than anything awaited may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The interval at which a condition is polled that cannot be awaited.
pub const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Waits until a condition holds.
#[track_caller]
pub fn until(what: &str, holds: impl FnMut() -> bool) {
    test_support::within(PATIENCE, what, holds);
}
