//! The stream that the HTTP library reads from: only requests that have one reading come through.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::connection::{Body, Connection};
use super::early_fault::EarlyFault;
use super::farewell::Farewell;
use super::framing::{Step, Stop};
use super::intake::Intake;
use super::stream::poll_readable;
use crate::tls::Stream;

/// How long a caller may take over what is its turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From a head's first byte to its last.
    pub(super) head: Duration,
    /// From the answer to the next head's first byte.
    pub(super) idle: Duration,
    /// Without taking one byte of an answer.
    pub(super) answer: Duration,
}

/// A caller's stream with a guard on what it sends.
///
/// The reader gets a head when it is complete and sound, in the place of one that is not the stand-in of its
/// [`EarlyFault`], and the next head when the call before it is answered.
#[derive(Debug)]
pub(super) struct GuardedStream {
    stream: Stream,
    connection: Rc<Connection>,
    patience: Patience,
    intake: Intake,
    head_begun: Option<Instant>,
    answer_stalled: Option<Instant>,
    phase: Phase,
    alarm: Alarm,
    farewell: Farewell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The stand-in was handed on; nothing comes after it.
    Refused,
    /// The body under way has no sound end.
    Broken,
    /// The reader is told that the stream has ended.
    Ended,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Caller,
    Handler,
    /// Nobody's: the connection is at its end.
    Over,
}

impl GuardedStream {
    pub(super) fn new(stream: Stream, connection: Rc<Connection>, patience: Patience) -> Self {
        Self {
            stream,
            connection,
            patience,
            intake: Intake::new(),
            head_begun: None,
            answer_stalled: None,
            phase: Phase::Open,
            alarm: Alarm::default(),
            farewell: Farewell::default(),
        }
    }

    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    fn turn(&self) -> Turn {
        match (self.connection.has_call(), self.intake.is_in_body()) {
            (true, false) => Turn::Handler,
            // Answered before the body's end: what is left of it is of no use.
            (false, true) => Turn::Over,
            (false, false) if self.connection.is_last() => Turn::Over,
            (true, true) | (false, false) => Turn::Caller,
        }
    }

    /// Takes note of what the framing found.
    fn note(&mut self, step: Step) {
        if step.head_completed {
            self.head_begun = None;
            self.connection.request_handed_on(Instant::now());
        }
        match step.stop {
            Stop::InBody => {}
            Stop::InHead => {
                self.head_begun.get_or_insert_with(Instant::now);
            }
            Stop::RequestEnd => self.connection.set_body(Body::Complete),
            Stop::BadHead(fault) => self.refuse(fault),
            Stop::BadBody => {
                self.phase = Phase::Broken;
                self.farewell.expect_unread_bytes();
            }
        }
    }

    fn refuse(&mut self, fault: EarlyFault) {
        self.intake.replace(fault.stand_in());
        self.phase = Phase::Refused;
        self.connection.stand_in_handed_on(fault, Instant::now());
        self.farewell.expect_unread_bytes();
    }

    /// The caller hung up, in good order or not: to the call under way it is all one, its answer goes out
    /// if it still can.
    fn caller_hung_up(&mut self) {
        if self.intake.is_in_body() {
            self.connection.set_body(Body::Cut);
        }
        self.phase = Phase::Ended;
        self.farewell.expect_nothing();
    }

    /// The call under way is to be answered first. What comes next wakes the task by itself if it is not
    /// here yet, and so does the time: then the answer need not.
    fn wait_for_handler(&mut self, cx: &mut Context<'_>) {
        let is_here = self.intake.has_fresh() || poll_readable(&mut self.stream, cx).is_ready();
        self.connection.set_watched(!is_here);
        self.connection.wake_later(cx.waker());
        // Idle only from the answer on, so this is early, but costs no look at the clock.
        let (early, idle) = (self.connection.head_read_at(), self.patience.idle);
        self.alarm
            .ring_by(early + idle, cx, || Instant::now() + idle);
    }

    /// Nothing comes from the caller at the moment: is its time over?
    fn wait_for_caller(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.intake.is_in_body() {
            // The call has a budget of its own for this.
            return Poll::Pending;
        }
        if let Some(begun) = self.head_begun {
            if self.alarm.is_over(begun + self.patience.head, cx) {
                self.refuse(EarlyFault::Timeout);
                return Poll::Ready(());
            }
            return Poll::Pending;
        }
        let idle_until = self.connection.idle_since() + self.patience.idle;
        let ends_at = self.connection.idle_ends_at();
        let until = ends_at.map_or(idle_until, |ends_at| ends_at.min(idle_until));
        if self.alarm.is_over(until, cx) {
            self.phase = Phase::Ended;
            self.farewell.expect_nothing();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// The caller takes nothing of its answer at the moment.
    fn wait_for_writing<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let since = *self.answer_stalled.get_or_insert_with(Instant::now);
        if self.alarm.is_over(since + self.patience.answer, cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let start = buffer.filled().len();
        loop {
            if this.intake.has_cleared() {
                this.intake.hand_on(buffer);
                return Poll::Ready(Ok(()));
            }
            match this.phase {
                Phase::Open => {}
                Phase::Refused => return Poll::Pending,
                Phase::Broken => {
                    this.connection.set_body_fault(EarlyFault::BadRequest);
                    this.phase = Phase::Ended;
                    continue;
                }
                Phase::Ended => return Poll::Ready(Ok(())),
            }
            match this.turn() {
                Turn::Caller => {}
                Turn::Handler => {
                    this.wait_for_handler(cx);
                    return Poll::Pending;
                }
                Turn::Over => {
                    this.phase = Phase::Ended;
                    continue;
                }
            }
            if this.intake.has_fresh() {
                let step = this.intake.judge();
                this.note(step);
                continue;
            }
            match Pin::new(&mut this.stream).poll_read(cx, buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() > start => {
                    if let Some(step) = this.intake.take(buffer, start) {
                        this.note(step);
                        if step.passed > 0 {
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
                Poll::Ready(_) => this.caller_hung_up(),
                Poll::Pending => {
                    if this.wait_for_caller(cx).is_pending() {
                        this.connection.wake_later(cx.waker());
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Pending => this.wait_for_writing(cx),
            ready @ Poll::Ready(_) => {
                this.answer_stalled = None;
                ready
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Pending => this.wait_for_writing(cx),
            ready @ Poll::Ready(_) => {
                this.answer_stalled = None;
                ready
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.farewell
            .poll(&mut this.stream, &mut this.alarm, cx)
            .map(Ok)
    }
}
