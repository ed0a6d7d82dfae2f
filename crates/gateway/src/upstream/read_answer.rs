//! Reads the answer to a request.

use std::io;
use std::time::Duration;

use actix_http::StatusCode;
use bytes::{Buf, Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, UpstreamFault};
use super::answer_memory::AnswerShare;
use super::chunks::ChunkDecoder;
use super::connection::UpstreamConnection;
use super::framing::AnswerFraming;
use super::head::{AnswerHead, HEAD_MAX_BYTES, find_end, may_be_interim};
use super::json_object::JsonObject;
use super::malformed::Malformed;
use super::progress::CallProgress;
use super::request::Exchange;
use crate::tls::server_alert;

/// Most interim answers (`100 Continue`, `103 Early Hints`) before the final answer.
const INTERIM_MAX: u8 = 8;

/// The room for one read. Nearly every answer is smaller.
const READ_BYTES: usize = 4096;

/// The room for one read of a body that is known to be larger.
const LARGE_READ_BYTES: usize = 64 * 1024;

/// How long the end of the connection is waited for behind a whole object without a length. White space may follow it,
/// and what else follows it makes the answer unreadable.
const SILENCE_MAX: Duration = Duration::from_millis(100);

/// A whole answer with the further use of its connection.
pub(super) struct WholeAnswer {
    pub(super) answer: Answer,
    /// How long the connection may be idle before its next call; `None` if it must be closed.
    pub(super) keep_alive: Option<Duration>,
}

/// Why no whole answer was read.
pub(super) struct ReadFailure {
    pub(super) fault: UpstreamFault,
    /// The connection ended before the first byte of an answer. If it came from the pool, the party had closed it
    /// while it was idle.
    pub(super) is_before_first_byte: bool,
}

impl From<UpstreamFault> for ReadFailure {
    fn from(fault: UpstreamFault) -> Self {
        Self {
            fault,
            is_before_first_byte: false,
        }
    }
}

impl From<Malformed> for ReadFailure {
    fn from(rule: Malformed) -> Self {
        UpstreamFault::Malformed(rule).into()
    }
}

/// Reads the answer to a written request. If more bytes follow the answer, the connection is not kept, so that they
/// never become part of another answer.
pub(super) async fn read(
    connection: &mut UpstreamConnection,
    exchange: &Exchange,
    progress: &CallProgress,
) -> Result<WholeAnswer, ReadFailure> {
    let mut bytes = BytesMut::new();
    let head = read_head(connection, &mut bytes, progress).await?;
    let mut body = Body {
        connection,
        bytes,
        max_bytes: exchange.answer_max_bytes,
        share: exchange.answer_memory.share(),
        status: head.status,
    };
    let content = match head.framing {
        AnswerFraming::Bodiless => Bytes::new(),
        AnswerFraming::Length(length) => body.of_length(length).await?,
        AnswerFraming::Chunked => body.chunked().await?,
        // Boxed, so that the future of every call does not hold the room for this rare case.
        AnswerFraming::UntilClose => Box::pin(body.until_close(exchange.deadline)).await?,
    };
    Ok(WholeAnswer {
        keep_alive: head.keep_alive.filter(|_| body.bytes.is_empty()),
        answer: Answer {
            status: head.status,
            content_type: head.content_type,
            retry_after: head.retry_after,
            body: body.share.hold(content),
        },
    })
}

/// Reads the head of the final answer. The bytes that follow it stay in `bytes`.
async fn read_head(
    connection: &mut UpstreamConnection,
    bytes: &mut BytesMut,
    progress: &CallProgress,
) -> Result<AnswerHead, ReadFailure> {
    let mut interim = 0;
    let mut searched = 0;
    let mut has_received = false;
    loop {
        match find_end(bytes, searched) {
            Ok(end) if end > HEAD_MAX_BYTES => return Err(Malformed::HeadTooLarge.into()),
            Ok(end) => {
                let may_be_interim = may_be_interim(bytes);
                let head = AnswerHead::parse(&bytes.split_to(end).freeze())?;
                if !(may_be_interim && head.is_interim()) {
                    return Ok(head);
                }
                if interim == INTERIM_MAX {
                    return Err(Malformed::TooManyInterim.into());
                }
                interim += 1;
                searched = 0;
                continue;
            }
            Err(end) => searched = end,
        }
        if let Some(rule) = Malformed::of_begin(bytes) {
            return Err(rule.into());
        }
        if bytes.len() > HEAD_MAX_BYTES {
            return Err(Malformed::HeadTooLarge.into());
        }
        bytes.reserve(READ_BYTES);
        let read = connection.read(bytes).await;
        if !matches!(read, Ok(1..)) {
            let sent = progress.sent();
            let alert = read.err().and_then(|error| server_alert(&error));
            return Err(ReadFailure {
                fault: match alert {
                    Some(what) => UpstreamFault::RefusedByTls { what, sent },
                    None => UpstreamFault::Closed { sent },
                },
                is_before_first_byte: !has_received,
            });
        }
        has_received = true;
    }
}

/// The body that is being read.
struct Body<'a> {
    connection: &'a mut UpstreamConnection,
    /// The bytes that were read and not used yet.
    bytes: BytesMut,
    max_bytes: usize,
    share: AnswerShare,
    status: StatusCode,
}

impl Body<'_> {
    async fn of_length(&mut self, length: u64) -> Result<Bytes, UpstreamFault> {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.max_bytes)
            .ok_or_else(|| self.too_large())?;
        self.share.grow(length, length).await;
        while self.bytes.len() < length {
            let missing = length - self.bytes.len();
            // The announced length is not allocated at once: memory grows with the bytes that arrive.
            self.read(missing.min(LARGE_READ_BYTES)).await?;
        }
        Ok(self.bytes.split_to(length).freeze())
    }

    async fn chunked(&mut self) -> Result<Bytes, UpstreamFault> {
        let mut chunks = ChunkDecoder::default();
        let mut body = BytesMut::new();
        loop {
            let used = chunks.decode(&self.bytes, &mut body, self.max_bytes);
            self.bytes.advance(used);
            if body.len() > self.max_bytes {
                return Err(self.too_large());
            }
            if let Some(rule) = chunks.fault() {
                return Err(UpstreamFault::Malformed(rule));
            }
            if chunks.is_complete() {
                return Ok(body.freeze());
            }
            let so_far = body.len() + self.bytes.len();
            self.share.grow(so_far, self.max_bytes).await;
            self.read(READ_BYTES).await?;
        }
    }

    /// Reads a body that ends with the connection. A JSON object shows by itself whether it is whole: it needs neither
    /// the end, for which it is not waited long, nor an end in good order.
    async fn until_close(&mut self, deadline: Instant) -> Result<Bytes, UpstreamFault> {
        let mut object = JsonObject::new();
        let mut seen = 0;
        let mut longest_wait = None;
        loop {
            object.read(&self.bytes[seen..]);
            seen = self.bytes.len();
            if seen > self.max_bytes {
                return Err(self.too_large());
            }
            let so_far = self.bytes.len();
            self.share.grow(so_far, self.max_bytes).await;
            self.bytes.reserve(READ_BYTES);
            let read = self.connection.read(&mut self.bytes);
            let read = match object {
                JsonObject::Other => break,
                JsonObject::Complete => {
                    let until = longest_wait
                        .get_or_insert_with(|| deadline.min(Instant::now() + SILENCE_MAX));
                    let Ok(read) = timeout_at(*until, read).await else {
                        break;
                    };
                    read
                }
                _ => read.await,
            };
            match (read, object) {
                (Ok(1..), _) => {}
                (_, JsonObject::Complete) | (Ok(_), JsonObject::Mark(_) | JsonObject::Blank) => {
                    break;
                }
                // TLS without `close_notify`.
                (Err(error), JsonObject::Mark(_) | JsonObject::Blank)
                    if error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    break;
                }
                _ => return Err(self.cut_short()),
            }
        }
        Ok(std::mem::take(&mut self.bytes).freeze())
    }

    /// Reads at least one more byte.
    async fn read(&mut self, room: usize) -> Result<(), UpstreamFault> {
        self.bytes.reserve(room);
        match self.connection.read(&mut self.bytes).await {
            Ok(1..) => Ok(()),
            Ok(0) | Err(_) => Err(self.cut_short()),
        }
    }

    const fn cut_short(&self) -> UpstreamFault {
        UpstreamFault::CutShort {
            status: self.status,
        }
    }

    const fn too_large(&self) -> UpstreamFault {
        UpstreamFault::TooLarge {
            status: self.status,
        }
    }
}
