//! What one call has seen on its connections, told by the streams themselves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::answer::{Fault, Sent, Unreached};
use super::connection::Connection;

tokio::task_local! {
    /// The call that is being polled.
    static CALL: Rc<CallTrace>;
}

/// One call, over at most two attempts. What belongs to an attempt begins anew with it.
#[derive(Default)]
pub(super) struct CallTrace {
    attempts: Cell<u8>,
    /// Time spent on connections that were, or were not, made.
    connect: Cell<Option<Duration>>,
    /// Since when a connection is being made.
    dialling_since: Cell<Option<Instant>>,
    written_ever: Cell<bool>,
    attempt: RefCell<Attempt>,
}

#[derive(Default)]
struct Attempt {
    connection: Option<Rc<Connection>>,
    unreached: Option<Unreached>,
    written: bool,
    came: Came,
    /// The stream ended or broke, in either direction.
    ended: bool,
}

/// How much of the answer came.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Came {
    #[default]
    Nothing,
    Part,
    Whole,
}

impl CallTrace {
    /// The call that is being polled, if any.
    pub(super) fn current() -> Option<Rc<Self>> {
        CALL.try_with(Rc::clone).ok()
    }

    /// Polls `call` as this call.
    pub(super) async fn scope<T>(self: &Rc<Self>, call: impl Future<Output = T>) -> T {
        CALL.scope(Rc::clone(self), call).await
    }

    pub(super) fn begin_attempt(&self) {
        self.attempts.set(self.attempts.get().saturating_add(1));
        self.attempt.replace(Attempt::default());
    }

    pub(super) fn attempts(&self) -> u8 {
        self.attempts.get()
    }

    /// Whether pooled connections are out of the question: the second attempt's is always new.
    pub(super) fn wants_fresh(&self) -> bool {
        self.attempts.get() > 1
    }

    /// How long connecting has taken; `None` where nothing was dialled.
    pub(super) fn connect(&self) -> Option<Duration> {
        // One that was still being made when the time was over counts up to now.
        self.dialled();
        self.connect.get()
    }

    pub(super) fn dials(&self) {
        self.dialling_since.set(Some(Instant::now()));
    }

    /// The connection is there, or is not going to be.
    pub(super) fn dialled(&self) {
        if let Some(since) = self.dialling_since.take() {
            let before = self.connect.get().unwrap_or_default();
            self.connect.set(Some(before + since.elapsed()));
        }
    }

    pub(super) fn not_connected(&self, unreached: Unreached) {
        self.attempt.borrow_mut().unreached = Some(unreached);
    }

    /// `connection` begins to carry the request.
    pub(super) fn carried_by(&self, connection: Rc<Connection>) {
        self.attempt.borrow_mut().connection = Some(connection);
    }

    pub(super) fn connection(&self) -> Option<Rc<Connection>> {
        self.attempt.borrow().connection.clone()
    }

    pub(super) fn wrote(&self) {
        self.written_ever.set(true);
        self.attempt.borrow_mut().written = true;
    }

    /// Bytes of a head came.
    pub(super) fn read(&self) {
        self.attempt.borrow_mut().came = Came::Part;
    }

    /// The stream ended or broke, in either direction.
    pub(super) fn ended(&self) {
        self.attempt.borrow_mut().ended = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.attempt.borrow().ended
    }

    /// The answer's last byte was read.
    pub(super) fn whole(&self) {
        self.attempt.borrow_mut().came = Came::Whole;
    }

    pub(super) fn is_whole(&self) -> bool {
        self.attempt.borrow().came == Came::Whole
    }

    /// Over all attempts.
    pub(super) fn sent(&self) -> Sent {
        if self.written_ever.get() {
            Sent::MaybeSent
        } else {
            Sent::NotSent
        }
    }

    /// Whether this attempt wrote bytes.
    pub(super) fn attempt_sent(&self) -> Sent {
        if self.attempt.borrow().written {
            Sent::MaybeSent
        } else {
            Sent::NotSent
        }
    }

    /// Whether this attempt died on a pooled connection without a byte of an answer: the pool was
    /// out of date, and a new connection may well serve.
    pub(super) fn was_stale(&self) -> bool {
        let attempt = self.attempt.borrow();
        let pooled = attempt.connection.as_ref().is_some_and(|c| c.is_reused());
        pooled && attempt.ended && attempt.came == Came::Nothing
    }

    /// Why no head of an answer came.
    pub(super) fn fault_before_head(&self) -> Fault {
        let mut attempt = self.attempt.borrow_mut();
        match (attempt.unreached.take(), self.sent()) {
            (Some(unreached), Sent::NotSent) => Fault::NotReached(unreached),
            (Some(_), sent) => Fault::Closed { sent },
            (None, sent) if attempt.ended || !attempt.written => Fault::Closed { sent },
            (None, _) => Fault::Unreadable,
        }
    }
}
