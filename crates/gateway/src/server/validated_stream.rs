//! The stream that the HTTP library reads from, which passes on only unambiguous requests.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::connection::{BodyState, ClientConnection};
use super::deadline_timer::DeadlineTimer;
use super::early_fault::EarlyFault;
use super::framing::{FramingStep, Stop};
use super::lingering_close::LingeringClose;
use super::read_buffer::ReadBuffer;
use super::stream::poll_readable;
use crate::tls::Stream;

/// The time limits of a client's connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamTimeouts {
    /// From a head's first byte to its last.
    pub(super) head: Duration,
    /// From an answer to the first byte of the next head.
    pub(super) idle: Duration,
    /// Without one byte of progress on an answer.
    pub(super) answer: Duration,
}

/// A client's stream that validates the requests it carries.
///
/// The reader receives a head when it is complete and valid, and the next head when the previous call is
/// answered. In place of an invalid head it receives the synthetic request of the [`EarlyFault`].
#[derive(Debug)]
pub(super) struct ValidatedStream {
    stream: Stream,
    connection: Rc<ClientConnection>,
    timeouts: StreamTimeouts,
    read_buffer: ReadBuffer,
    head_begun_at: Option<Instant>,
    answer_stalled_at: Option<Instant>,
    read_state: ReadState,
    timer: DeadlineTimer,
    lingering_close: LingeringClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadState {
    Open,
    /// The synthetic request is passed on and nothing follows it.
    Refused,
    /// The framing of the present body is broken.
    BrokenBody(EarlyFault),
    /// The reader receives the end of the stream.
    Ended,
}

/// What an open stream does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextStep {
    /// Reads from the client.
    Read,
    /// Waits until the handler has answered the present call.
    AwaitHandler,
    /// Ends the connection.
    End,
}

impl ValidatedStream {
    pub(super) fn new(
        stream: Stream,
        connection: Rc<ClientConnection>,
        timeouts: StreamTimeouts,
    ) -> Self {
        Self {
            stream,
            connection,
            timeouts,
            read_buffer: ReadBuffer::new(),
            head_begun_at: None,
            answer_stalled_at: None,
            read_state: ReadState::Open,
            timer: DeadlineTimer::default(),
            lingering_close: LingeringClose::default(),
        }
    }

    pub(super) fn connection(&self) -> &Rc<ClientConnection> {
        &self.connection
    }

    fn next_step(&self) -> NextStep {
        match (self.connection.has_call(), self.read_buffer.is_in_body()) {
            (true, false) => NextStep::AwaitHandler,
            // The call was answered before the end of its body, whose rest is not needed.
            (false, true) => NextStep::End,
            (false, false) if self.connection.is_last() => NextStep::End,
            (true, true) | (false, false) => NextStep::Read,
        }
    }

    /// Updates the state after a step of the framing.
    fn apply(&mut self, step: FramingStep) {
        if step.head_completed {
            self.head_begun_at = None;
            self.connection.begin_call(Instant::now());
        }
        match step.stop {
            Stop::InBody | Stop::BeforeHead => {}
            Stop::InHead => {
                self.head_begun_at.get_or_insert_with(Instant::now);
            }
            Stop::RequestEnd => self.connection.set_body(BodyState::Complete),
            Stop::BadHead(fault) => self.refuse(fault),
            Stop::BadBody(fault) => {
                self.read_state = ReadState::BrokenBody(fault);
                self.lingering_close.expect_unread_bytes();
            }
        }
    }

    fn refuse(&mut self, fault: EarlyFault) {
        self.read_buffer.replace(fault.synthetic_request());
        self.read_state = ReadState::Refused;
        self.connection.begin_synthetic_call(fault, Instant::now());
        self.lingering_close.expect_unread_bytes();
    }

    /// The client closed or reset the connection. The answer to the present call is sent in both cases, if the
    /// socket still takes it.
    fn end_of_input(&mut self) {
        if self.read_buffer.is_in_body() {
            self.connection.set_body(BodyState::Truncated);
        }
        self.read_state = ReadState::Ended;
        self.lingering_close.expect_nothing();
    }

    /// Waits for the answer to the present call. If the next request is not available yet, the socket or the timer
    /// wakes the task, and the end of the call need not.
    fn wait_for_handler(&mut self, cx: &mut Context<'_>) {
        let is_available =
            self.read_buffer.has_unvalidated() || poll_readable(&mut self.stream, cx).is_ready();
        self.connection.set_socket_wakes(!is_available);
        self.connection.set_waker(cx.waker());
        // The idle time begins with the answer, so this deadline is too early, but it needs no clock reading.
        let (early, idle) = (self.connection.head_read_at(), self.timeouts.idle);
        let deadline = earlier(early + idle, self.connection.certificate_expires_at());
        self.timer.wake_by(deadline, cx, || Instant::now() + idle);
    }

    /// Ready if the client sends nothing and its time limit has passed.
    fn poll_read_timeout(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.read_buffer.is_in_body() {
            // The budget of the call limits the time of a body.
            return Poll::Pending;
        }
        if let Some(begun_at) = self.head_begun_at {
            if self.timer.has_passed(begun_at + self.timeouts.head, cx) {
                self.refuse(EarlyFault::HeadLate);
                return Poll::Ready(());
            }
            return Poll::Pending;
        }
        let idle_end = self.connection.idle_since() + self.timeouts.idle;
        let end = earlier(idle_end, self.connection.idle_deadline());
        loop {
            let deadline = earlier(end, self.connection.certificate_expires_at());
            if !self.timer.has_passed(deadline, cx) {
                return Poll::Pending;
            }
            // A certificate of the chain that was not needed may expire.
            if deadline == end || !self.connection.is_still_trusted() {
                break;
            }
        }
        self.read_state = ReadState::Ended;
        self.lingering_close.expect_nothing();
        Poll::Ready(())
    }

    /// An error if the client has not read any of its answer for the time limit.
    fn poll_write_timeout<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let since = *self.answer_stalled_at.get_or_insert_with(Instant::now);
        if self.timer.has_passed(since + self.timeouts.answer, cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

fn earlier(deadline: Instant, other: Option<Instant>) -> Instant {
    other.map_or(deadline, |other| other.min(deadline))
}

impl AsyncRead for ValidatedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let start = buffer.filled().len();
        loop {
            if this.read_buffer.has_validated() {
                this.read_buffer.copy_to(buffer);
                return Poll::Ready(Ok(()));
            }
            match this.read_state {
                ReadState::Open => {}
                ReadState::Refused => return Poll::Pending,
                ReadState::BrokenBody(fault) => {
                    this.connection.set_body_fault(fault);
                    this.read_state = ReadState::Ended;
                    continue;
                }
                ReadState::Ended => return Poll::Ready(Ok(())),
            }
            match this.next_step() {
                NextStep::Read => {}
                NextStep::AwaitHandler => {
                    this.wait_for_handler(cx);
                    return Poll::Pending;
                }
                NextStep::End => {
                    this.read_state = ReadState::Ended;
                    continue;
                }
            }
            if this.read_buffer.has_unvalidated() {
                let step = this.read_buffer.validate();
                this.apply(step);
                continue;
            }
            match Pin::new(&mut this.stream).poll_read(cx, buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() > start => {
                    if let Some(step) = this.read_buffer.accept_read(buffer, start) {
                        this.apply(step);
                        if step.passed_bytes > 0 {
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
                Poll::Ready(_) => this.end_of_input(),
                Poll::Pending => {
                    if this.poll_read_timeout(cx).is_pending() {
                        this.connection.set_waker(cx.waker());
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for ValidatedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Pending => this.poll_write_timeout(cx),
            ready @ Poll::Ready(_) => {
                this.answer_stalled_at = None;
                ready
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Pending => this.poll_write_timeout(cx),
            ready @ Poll::Ready(_) => {
                this.answer_stalled_at = None;
                ready
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.lingering_close
            .poll(&mut this.stream, &mut this.timer, cx)
            .map(Ok)
    }
}
