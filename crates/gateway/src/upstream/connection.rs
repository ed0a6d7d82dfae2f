//! A connection to a party, and the stream that the HTTP client has of it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::framing::Framing;
use super::inbound::Inbound;
use super::socket::Socket;
use super::trace::CallTrace;

/// What both the HTTP client's stream and the call that it serves can see.
pub(super) struct Connection {
    /// `None` once closed.
    socket: RefCell<Option<Socket>>,
    inbound: RefCell<Inbound>,
    trace: RefCell<Weak<CallTrace>>,
    /// How many calls were begun on it.
    calls: Cell<u64>,
    /// When it has waited long enough for its next call; `None` while it serves one.
    kept_until: Cell<Option<Instant>>,
}

impl Connection {
    pub(super) fn open(socket: Socket) -> UpstreamStream {
        UpstreamStream(Rc::new(Self {
            socket: RefCell::new(Some(socket)),
            inbound: RefCell::default(),
            trace: RefCell::default(),
            calls: Cell::new(0),
            kept_until: Cell::new(None),
        }))
    }

    /// Whether it has served a call before the one it serves.
    pub(super) fn is_reused(&self) -> bool {
        self.calls.get() > 1
    }

    /// The answer's head was understood: here is how its body ends.
    pub(super) fn expect_body(&self, framing: Framing, trace: &CallTrace) {
        self.inbound.borrow_mut().expect_body(framing, trace);
    }

    /// Closes it now, wherever the HTTP client keeps its stream; the pool then finds it ended.
    pub(super) fn close(&self) {
        self.socket.take();
    }

    /// It may wait for its next call until `end`.
    pub(super) fn keep_until(&self, end: Instant) {
        self.kept_until.set(Some(end));
    }

    /// Whether it has waited long enough.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.kept_until.get().is_some_and(|end| now >= end)
    }

    /// Whether it is not to be taken from the pool although it looks open: its time is over, or
    /// the call must have a new one.
    fn is_passed_over(&self) -> bool {
        self.is_over(Instant::now()) || CallTrace::current().is_some_and(|call| call.wants_fresh())
    }

    /// The first byte of a request binds the connection to the call that is being polled.
    fn begin_call(self: &Rc<Self>) {
        let mut inbound = self.inbound.borrow_mut();
        if inbound.is_idle() {
            inbound.expect_head();
            self.kept_until.set(None);
            self.calls.set(self.calls.get().saturating_add(1));
            let trace = CallTrace::current();
            if let Some(trace) = &trace {
                trace.carried_by(Rc::clone(self));
            }
            *self.trace.borrow_mut() = trace.as_ref().map(Rc::downgrade).unwrap_or_default();
        }
    }

    fn trace(&self) -> Option<Rc<CallTrace>> {
        self.trace.borrow().upgrade()
    }

    /// Tells the call that its stream broke.
    fn note_end<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let (Err(_), Some(trace)) = (&result, self.trace()) {
            trace.ended();
        }
        result
    }
}

/// The one handle that the HTTP client owns; dropping it closes the connection.
pub(super) struct UpstreamStream(Rc<Connection>);

impl UpstreamStream {
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.0
    }
}

impl Drop for UpstreamStream {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl AsyncRead for UpstreamStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let connection = &self.0;
        let mut inbound = connection.inbound.borrow_mut();
        // Read while idle, it is being looked over by the pool, which drops what has ended.
        if inbound.is_idle() && connection.is_passed_over() {
            return Poll::Ready(Ok(()));
        }
        match connection.socket.borrow_mut().as_mut() {
            Some(socket) => inbound.poll_read(socket, connection.trace().as_deref(), cx, out),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for UpstreamStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.begin_call();
        let written = with_socket(&self.0, |socket| socket.poll_write(cx, bytes));
        if let (Poll::Ready(Ok(1..)), Some(trace)) = (&written, self.0.trace()) {
            trace.wrote();
        }
        written.map(|result| self.0.note_end(result))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_socket(&self.0, |socket| socket.poll_flush(cx)).map(|done| self.0.note_end(done))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        with_socket(&self.0, |socket| socket.poll_shutdown(cx))
    }
}

/// Asked for by the HTTP client's types; nothing on the client's side calls it.
impl ActixStream for UpstreamStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        with_socket(&self.0, |socket| {
            ActixStream::poll_read_ready(socket.get_mut().tcp(), cx)
        })
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        with_socket(&self.0, |socket| {
            ActixStream::poll_write_ready(socket.get_mut().tcp(), cx)
        })
    }
}

impl fmt::Debug for UpstreamStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamStream").finish_non_exhaustive()
    }
}

fn with_socket<T>(
    connection: &Connection,
    poll: impl FnOnce(Pin<&mut Socket>) -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    match connection.socket.borrow_mut().as_mut() {
        Some(socket) => poll(Pin::new(socket)),
        None => Poll::Ready(Err(io::Error::from(io::ErrorKind::NotConnected))),
    }
}
