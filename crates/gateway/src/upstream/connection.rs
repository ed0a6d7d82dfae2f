//! A connection to a party: one call at a time, and then perhaps another.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;

use super::progress::Progress;
use crate::tls::Stream;

/// How long a connection serves at most: names move, load balancers are drained.
const LIFETIME: Duration = Duration::from_mins(2);

/// Dropping it closes it.
pub(super) struct Connection {
    stream: Stream,
    /// No call begins on it from here on.
    ends_at: Instant,
    /// Until when it may wait for its next call.
    kept_until: Instant,
}

impl Connection {
    pub(super) fn new(stream: Stream, now: Instant) -> Self {
        Self {
            stream,
            ends_at: now + LIFETIME,
            kept_until: now,
        }
    }

    /// Its call is over, and it may wait so long for the next one.
    pub(super) fn keep_for(&mut self, idle: Duration, now: Instant) {
        self.kept_until = self.ends_at.min(now + idle);
    }

    /// Whether it has waited long enough.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.kept_until
    }

    /// Whether nothing has come while it was idle, where nothing may: no end, no fault, and no bytes,
    /// which would pass for the next call's answer.
    pub(super) fn is_quiet(&mut self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut byte));
        matches!(read, Poll::Pending)
    }

    /// Writes all of a request.
    pub(super) async fn write(&mut self, mut bytes: &[u8], progress: &Progress) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.stream.write(bytes).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            progress.wrote();
            bytes = &bytes[written..];
        }
        self.stream.flush().await
    }

    /// Appends what comes next, at most what `buffer` has room for; 0 at the stream's end.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        self.stream.read_buf(buffer).await
    }
}
