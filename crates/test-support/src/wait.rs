//! Polling for conditions that another process or thread brings about.

use std::time::{Duration, Instant};

/// A test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until the condition holds; panics after [`PATIENCE`].
#[track_caller]
pub fn until(holds: impl FnMut() -> bool) {
    within(PATIENCE, "the condition of this line", holds);
}

/// Waits until the condition holds; panics with its name after `patience`.
#[track_caller]
pub fn within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < patience, "it never came about: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}
