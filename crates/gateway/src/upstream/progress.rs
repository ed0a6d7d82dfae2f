//! How far one call has come, told also when it is given up in the middle.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::Sent;

/// One call, over at most two attempts.
#[derive(Debug, Default)]
pub(super) struct Progress {
    attempts: Cell<u8>,
    /// Time spent on connections that were, or were not, made.
    connect: Cell<Option<Duration>>,
    /// Since when a connection is being made.
    dialling_since: Cell<Option<Instant>>,
    written: Cell<bool>,
    answered_at: Cell<Option<Instant>>,
}

impl Progress {
    pub(super) fn begin_attempt(&self) {
        self.attempts.set(self.attempts.get().saturating_add(1));
    }

    pub(super) fn attempts(&self) -> u8 {
        self.attempts.get()
    }

    /// Times the making of a connection.
    pub(super) async fn dialling<T>(&self, dial: impl Future<Output = T>) -> T {
        self.dialling_since.set(Some(Instant::now()));
        let dialled = dial.await;
        self.end_dialling();
        dialled
    }

    /// How long connecting has taken; `None` where nothing was dialled.
    pub(super) fn connect(&self) -> Option<Duration> {
        // One that was still being made when the time was over counts up to now.
        self.end_dialling();
        self.connect.get()
    }

    fn end_dialling(&self) {
        if let Some(since) = self.dialling_since.take() {
            let before = self.connect.get().unwrap_or_default();
            self.connect.set(Some(before + since.elapsed()));
        }
    }

    /// Bytes of the request went out.
    pub(super) fn wrote(&self) {
        self.written.set(true);
    }

    /// The answer is whole.
    pub(super) fn set_answered(&self, now: Instant) {
        self.answered_at.set(Some(now));
    }

    /// When the answer was whole; `None` where there is none.
    pub(super) fn answered_at(&self) -> Option<Instant> {
        self.answered_at.get()
    }

    /// Over all attempts.
    pub(super) fn sent(&self) -> Sent {
        if self.written.get() {
            Sent::MaybeSent
        } else {
            Sent::NotSent
        }
    }
}
