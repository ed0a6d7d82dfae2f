//! The bytes that come from a party, given on one answer at a time.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::chunks::Chunks;
use super::framing::Framing;
use super::trace::CallTrace;

/// The most that an answer's head may have. (The HTTP client's own bound is 128 KiB.)
const HEAD_LIMIT_BYTES: usize = 64 * 1024;

/// How many interim answers (`100 Continue`, `103 Early Hints`) may come before the answer.
const INTERIM_LIMIT: u8 = 8;

/// What is read at once while a head is awaited.
const READ_BYTES: usize = 4096;

/// Holds back whatever does not belong to the answer that is being read. What is left when a
/// connection comes back to the pool is found by the pool's own check, which then closes it.
#[derive(Default)]
pub(super) struct Inbound {
    stage: Stage,
    /// Read, and not given on.
    buffer: BytesMut,
    /// How much of `buffer` was searched for a head's end.
    searched: usize,
    interim: u8,
}

#[derive(Default)]
enum Stage {
    /// Between calls: nothing may come.
    #[default]
    Idle,
    /// A head is awaited; interim answers are passed over.
    Head,
    /// The head is complete, so many bytes of it are still to be given on, and then nothing until
    /// its framing is told.
    Handing(usize),
    /// The body is given on to its end and no further.
    Body(Body),
}

enum Body {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

impl Inbound {
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// A request is about to be written.
    pub(super) fn expect_head(&mut self) {
        self.stage = Stage::Head;
        self.searched = 0;
        self.interim = 0;
    }

    /// The head was understood: here is how its body ends.
    pub(super) fn expect_body(&mut self, framing: Framing, trace: &CallTrace) {
        self.stage = match framing {
            Framing::Bodiless | Framing::Length(0) => {
                trace.whole();
                Stage::Idle
            }
            Framing::Length(length) => Stage::Body(Body::Length(length)),
            Framing::Chunked => Stage::Body(Body::Chunked(Chunks::default())),
            Framing::UntilClose => Stage::Body(Body::UntilClose),
        };
    }

    /// Reads for the HTTP client.
    pub(super) fn poll_read<Io: AsyncRead + Unpin>(
        &mut self,
        io: &mut Io,
        trace: Option<&CallTrace>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Stage::Head = self.stage {
            match ready!(self.poll_head(io, trace, cx))? {
                Some(end) => self.stage = Stage::Handing(end),
                None => return Poll::Ready(Ok(())),
            }
        }
        match &mut self.stage {
            Stage::Handing(left) if *left > 0 => {
                *left -= give(&mut self.buffer, *left, out);
                Poll::Ready(Ok(()))
            }
            Stage::Handing(_) => Poll::Ready(Err(no_http())),
            Stage::Body(_) => self.poll_body(io, trace, cx, out),
            Stage::Idle | Stage::Head if self.buffer.is_empty() => Pin::new(io).poll_read(cx, out),
            Stage::Idle | Stage::Head => {
                give(&mut self.buffer, usize::MAX, out);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// The length of the next answer's head; `None` when the stream ended before.
    fn poll_head<Io: AsyncRead + Unpin>(
        &mut self,
        io: &mut Io,
        trace: Option<&CallTrace>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<usize>>> {
        loop {
            while let Some(end) = self.find_head_end() {
                if !is_interim(&self.buffer[..end]) {
                    return Poll::Ready(Ok(Some(end)));
                }
                if self.interim == INTERIM_LIMIT {
                    return Poll::Ready(Err(no_http()));
                }
                self.interim += 1;
                self.buffer.advance(end);
                self.searched = 0;
            }
            if self.buffer.len() > HEAD_LIMIT_BYTES {
                return Poll::Ready(Err(no_http()));
            }
            self.buffer.reserve(READ_BYTES);
            let read = ready!(pin!(io.read_buf(&mut self.buffer)).poll(cx));
            match (&read, trace) {
                (Ok(1..), Some(trace)) => trace.read(),
                (_, Some(trace)) => trace.ended(),
                (_, None) => {}
            }
            if read? == 0 {
                return Poll::Ready(Ok(None));
            }
        }
    }

    /// Behind the first empty line. A line may end without its CR, as the HTTP client has it.
    fn find_head_end(&mut self) -> Option<usize> {
        while let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..]) {
            let line_end = self.searched + at;
            match &self.buffer[line_end + 1..] {
                [b'\n', ..] => return Some(line_end + 2),
                [b'\r', b'\n', ..] => return Some(line_end + 3),
                [] | [b'\r'] => {
                    self.searched = line_end;
                    return None;
                }
                _ => self.searched = line_end + 1,
            }
        }
        self.searched = self.buffer.len();
        None
    }

    fn poll_body<Io: AsyncRead + Unpin>(
        &mut self,
        io: &mut Io,
        trace: Option<&CallTrace>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Stage::Body(body) = &mut self.stage else {
            return Poll::Ready(Err(no_http()));
        };
        let before = out.filled().len();
        if self.buffer.is_empty() {
            let read = ready!(Pin::new(io).poll_read(cx, out));
            let ended = read.is_err() || out.filled().len() == before;
            if let (true, Some(trace)) = (ended, trace) {
                trace.ended();
                if read.is_ok() && matches!(body, Body::UntilClose) {
                    trace.whole();
                }
            }
            read?;
        } else {
            give(&mut self.buffer, usize::MAX, out);
        }
        let fresh = &out.filled()[before..];
        let taken = body.take(fresh);
        if taken < fresh.len() {
            let mut leftover = BytesMut::from(&fresh[taken..]);
            leftover.unsplit(std::mem::take(&mut self.buffer));
            self.buffer = leftover;
            out.set_filled(before + taken);
        }
        if body.is_whole() {
            if let Some(trace) = trace {
                trace.whole();
            }
            self.stage = Stage::Idle;
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl Body {
    /// How many of `bytes` belong to the body.
    fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Length(left) => {
                let taken =
                    usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= u64::try_from(taken).unwrap_or(*left);
                taken
            }
            Self::Chunked(chunks) => chunks.advance(bytes),
            Self::UntilClose => bytes.len(),
        }
    }

    fn is_whole(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_whole(),
            Self::UntilClose => false,
        }
    }
}

/// Moves at most `limit` bytes, and says how many.
fn give(buffer: &mut BytesMut, limit: usize, out: &mut ReadBuf<'_>) -> usize {
    let length = limit.min(buffer.len()).min(out.remaining());
    out.put_slice(&buffer[..length]);
    buffer.advance(length);
    length
}

/// `1xx`, save `101`, which ends what HTTP can say on this connection.
fn is_interim(head: &[u8]) -> bool {
    matches!(head, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'1', tens, ones, ..]
        if [*tens, *ones] != *b"01")
}

fn no_http() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
