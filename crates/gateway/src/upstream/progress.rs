//! The progress of one call, which is known even if its deadline ends it.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Sent;

/// The progress of one call over its attempts.
#[derive(Debug, Default)]
pub(super) struct CallProgress {
    attempts: Cell<u8>,
    /// The time spent on opening connections, even if that failed.
    connect_duration: Cell<Option<Duration>>,
    /// When the present opening of a connection began.
    connecting_since: Cell<Option<Instant>>,
    written: Cell<bool>,
    answered_at: Cell<Option<Instant>>,
}

impl CallProgress {
    pub(super) fn begin_attempt(&self) {
        self.attempts.set(self.attempts.get().saturating_add(1));
    }

    pub(super) fn attempts(&self) -> u8 {
        self.attempts.get()
    }

    /// Measures the time that `connecting` takes.
    pub(super) async fn time_connecting<T>(&self, connecting: impl Future<Output = T>) -> T {
        self.connecting_since.set(Some(Instant::now()));
        let result = connecting.await;
        self.end_connecting();
        result
    }

    /// The time spent on opening connections; `None` if none was opened.
    pub(super) fn connect_duration(&self) -> Option<Duration> {
        // If the deadline ended the call while it was connecting, the time up to now counts.
        self.end_connecting();
        self.connect_duration.get()
    }

    fn end_connecting(&self) {
        if let Some(since) = self.connecting_since.take() {
            let before = self.connect_duration.get().unwrap_or_default();
            self.connect_duration.set(Some(before + since.elapsed()));
        }
    }

    /// Records that bytes of the request were written.
    pub(super) fn set_written(&self) {
        self.written.set(true);
    }

    /// Records when the answer was whole.
    pub(super) fn set_answered(&self, now: Instant) {
        self.answered_at.set(Some(now));
    }

    /// When the answer was whole; `None` without a whole answer.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        self.answered_at.get()
    }

    /// Whether any attempt may have sent the request.
    pub(super) fn sent(&self) -> Sent {
        if self.written.get() {
            Sent::MaybeSent
        } else {
            Sent::NotSent
        }
    }
}
