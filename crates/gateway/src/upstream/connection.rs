//! A connection to a party, which serves one call at a time.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use super::idle_times::well_below;
use super::progress::CallProgress;
use crate::tls::Stream;

/// How long a connection serves at most, so that calls follow a changed address or a drained load balancer.
const LIFETIME_MAX: Duration = Duration::from_mins(2);

/// The state of an idle connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdleState {
    /// It is open and has received nothing.
    Open,
    /// It has received TLS records that were not read yet: the end, or only session tickets.
    Unknown,
    /// The origin has closed it, or has sent bytes that no call asked for.
    Ended,
}

/// An open connection. Dropping it closes it.
pub(super) struct UpstreamConnection {
    stream: Stream,
    /// What it took to connect.
    round_trip: Duration,
    /// No call begins on the connection after this time.
    lifetime_end: Instant,
    /// When the last call ended.
    idle_since: Instant,
    /// Until when the connection may be idle before its next call.
    idle_end: Instant,
}

impl UpstreamConnection {
    pub(super) fn new(stream: Stream, round_trip: Duration, now: Instant) -> Self {
        Self {
            stream,
            round_trip,
            lifetime_end: now + LIFETIME_MAX,
            idle_since: now,
            idle_end: now,
        }
    }

    /// Lets the connection be idle for this time before its next call.
    pub(super) fn keep_for(&mut self, idle: Duration, now: Instant) {
        self.idle_since = now;
        self.idle_end = self.lifetime_end.min(now + idle);
    }

    /// How long the connection has been idle.
    pub(super) fn idle_time(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.idle_since)
    }

    /// Whether the connection has been idle for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        now >= self.idle_end
    }

    /// Whether the connection has been idle for so short a time that its origin, which leaves connections open for
    /// `proven`, does not close it before a request has arrived.
    pub(super) fn is_certain(&self, proven: Duration, now: Instant) -> bool {
        let open_for = proven.min(self.idle_end.saturating_duration_since(self.idle_since));
        self.idle_time(now) < well_below(open_for, self.round_trip)
    }

    /// Whether an idle connection is open and has received nothing, as far as the runtime knows. Unexpected bytes would
    /// be read as the answer to the next call. The task of `cx` is woken once this changes.
    pub(super) fn is_healthy(&mut self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte));
        matches!(read, Poll::Pending)
    }

    /// Returns the state of an idle connection as the system knows it, because a busy runtime learns late of a
    /// connection that was closed. The task of `cx` is woken once an open one changes.
    pub(super) fn idle_state(&mut self, cx: &mut Context<'_>) -> IdleState {
        if !self.is_healthy(cx) {
            return IdleState::Ended;
        }
        let (socket, is_tls) = match &self.stream {
            Stream::Left(tcp) => (tcp, false),
            Stream::Right(tls) => (&tls.get_ref().0.0, true),
        };
        let mut byte = [MaybeUninit::uninit()];
        match SockRef::from(socket).peek(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => IdleState::Open,
            Ok(1..) if is_tls => IdleState::Unknown,
            Ok(_) | Err(_) => IdleState::Ended,
        }
    }

    /// Writes all bytes of a request.
    pub(super) async fn write(
        &mut self,
        mut bytes: &[u8],
        progress: &CallProgress,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.stream.write(bytes).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            progress.set_written();
            bytes = &bytes[written..];
        }
        self.stream.flush().await
    }

    /// Appends the next bytes to `buffer`, as many as it has room for, and returns their number; 0 at the end.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        self.stream.read_buf(buffer).await
    }
}
