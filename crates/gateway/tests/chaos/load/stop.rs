//! Stops threads that go on until they are told to end.

use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets it when it is dropped, also by a panic.
#[derive(Debug)]
pub struct StopGuard<'a>(&'a Stop);

impl<'a> StopGuard<'a> {
    pub const fn of(stop: &'a Stop) -> Self {
        Self(stop)
    }
}

impl Drop for StopGuard<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}
