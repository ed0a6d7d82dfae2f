//! How others reach the supervisor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::redis::settings::address::ServerAddress;

/// Servers that redirections named and that are not connected yet, at most.
const WANTED_BOUND: usize = 16;

/// Wakes the supervisor. Many wake-ups before it looks are one.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    notify: Notify,
    stopped: AtomicBool,
    large_value_connections_wanted: AtomicBool,
    wanted: Mutex<Vec<ServerAddress>>,
}

impl Wake {
    /// Something changed: look at once.
    pub(crate) fn check_now(&self) {
        self.notify.notify_one();
    }

    /// A redirection named a server that is not connected.
    pub(crate) fn want(&self, address: &ServerAddress) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() < WANTED_BOUND && !wanted.contains(address) {
            wanted.push(address.clone());
        }
        drop(wanted);
        self.check_now();
    }

    /// Somebody has a large value: from now on every server gets a second connection.
    pub(crate) fn want_large_value_connections(&self) {
        self.large_value_connections_wanted
            .store(true, Ordering::Release);
        self.check_now();
    }

    pub(crate) fn wants_large_value_connections(&self) -> bool {
        self.large_value_connections_wanted.load(Ordering::Acquire)
    }

    pub(crate) fn take_wanted(&self) -> Vec<ServerAddress> {
        std::mem::take(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Nobody uses the store any more.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.check_now();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Ends at the next wake-up, or at once where there was one that nobody saw.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}
