//! One clock for callers, parties and faults: only what it says can be compared.

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

/// Longer than anything may take that comes about by itself, on a machine that has no time.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// How often something is looked at that cannot be awaited.
pub const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Waits for something that another process brings about.
#[track_caller]
pub fn until(what: &str, holds: impl FnMut() -> bool) {
    test_support::within(PATIENCE, what, holds);
}
