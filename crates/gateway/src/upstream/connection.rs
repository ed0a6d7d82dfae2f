//! A connection to a party, which serves one call at a time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use super::progress::CallProgress;
use crate::tls::Stream;

/// How long a connection serves at most, so that calls follow a changed address or a drained load balancer.
const LIFETIME_MAX: Duration = Duration::from_mins(2);

/// An open connection. Dropping it closes it.
pub(super) struct UpstreamConnection {
    stream: Stream,
    /// No call begins on the connection after this time.
    lifetime_end: Instant,
    /// Until when the connection may be idle before its next call.
    idle_end: Instant,
}

impl UpstreamConnection {
    pub(super) fn new(stream: Stream, now: Instant) -> Self {
        Self {
            stream,
            lifetime_end: now + LIFETIME_MAX,
            idle_end: now,
        }
    }

    /// Lets the connection be idle for this time before its next call.
    pub(super) fn keep_for(&mut self, idle: Duration, now: Instant) {
        self.idle_end = self.lifetime_end.min(now + idle);
    }

    /// Whether the connection has been idle for too long.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        now >= self.idle_end
    }

    /// Whether an idle connection is open and has received nothing. Unexpected bytes would be read as the answer to
    /// the next call.
    pub(super) fn is_healthy(&mut self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte));
        matches!(read, Poll::Pending)
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
