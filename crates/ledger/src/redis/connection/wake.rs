//! A [`Wake`] wakes the supervisor and hands it requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::redis::settings::address::ServerAddress;

/// At most so many servers are kept that redirections named and that are not connected yet.
const WANTED_BOUND: usize = 16;

/// A `Wake` wakes the supervisor. Many calls before its next check are one.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    notify: Notify,
    stopped: AtomicBool,
    large_value_connections_wanted: AtomicBool,
    wanted: Mutex<Vec<ServerAddress>>,
}

impl Wake {
    /// Has the supervisor check at once, because something changed.
    pub(crate) fn check_now(&self) {
        self.notify.notify_one();
    }

    /// Asks for a connection to a server that a redirection named.
    pub(crate) fn want(&self, address: &ServerAddress) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.len() < WANTED_BOUND && !wanted.contains(address) {
            wanted.push(address.clone());
        }
        drop(wanted);
        self.check_now();
    }

    /// Asks for a second connection to every server, from now on, because there is a large value.
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

    /// Ends the supervisor, because the store was dropped.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.check_now();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Waits for the next wake-up; returns at once where there was one since the last wait.
    pub(crate) async fn woken(&self) {
        self.notify.notified().await;
    }
}
