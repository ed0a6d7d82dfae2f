//! An answer on its way in.

use std::time::Duration;

use actix_http::StatusCode;
use bytes::{Buf, Bytes, BytesMut};

use super::answer::{Answer, UpstreamFault};
use super::chunks::ChunkDecoder;
use super::connection::UpstreamConnection;
use super::framing::{AnswerFraming, Unframed};
use super::head::{AnswerHead, HEAD_MAX_BYTES, find_end, is_interim};
use super::progress::Progress;

/// How many interim answers (`100 Continue`, `103 Early Hints`) may come before the answer.
const INTERIM_MAX: u8 = 8;

/// What is read at once: nearly every answer is smaller.
const READ_BYTES: usize = 4096;

/// What is read at once of a body that is known to be larger.
const LARGE_READ_BYTES: usize = 64 * 1024;

/// A whole answer.
pub(super) struct WholeAnswer {
    pub(super) answer: Answer,
    /// How long the connection may wait for its next call; `None`: it is to be closed.
    pub(super) kept_for: Option<Duration>,
}

/// No whole answer.
pub(super) struct ReadFailure {
    pub(super) fault: UpstreamFault,
    /// The stream ended or broke before one byte of an answer: where the connection was a pooled one,
    /// the pool was out of date.
    pub(super) is_silent: bool,
}

impl From<UpstreamFault> for ReadFailure {
    fn from(fault: UpstreamFault) -> Self {
        Self {
            fault,
            is_silent: false,
        }
    }
}

/// Reads the answer to a request that was written. Bytes behind it are never taken for another one:
/// the connection is then not kept.
pub(super) async fn read(
    connection: &mut UpstreamConnection,
    body_max_bytes: usize,
    progress: &Progress,
) -> Result<WholeAnswer, ReadFailure> {
    let mut bytes = BytesMut::new();
    let head = read_head(connection, &mut bytes, progress).await?;
    let head = AnswerHead::parse(&head).ok_or(UpstreamFault::Unreadable)?;
    let status = head.status;
    let framing = match head.framing {
        Ok(framing) => framing,
        Err(Unframed::NoEnd) => return Err(UpstreamFault::CutShort { status }.into()),
        Err(Unframed::Ambiguous) => return Err(UpstreamFault::Unreadable.into()),
    };
    let mut body = Body {
        connection,
        bytes,
        max_bytes: body_max_bytes,
        status,
    };
    let content = match framing {
        AnswerFraming::Bodiless => Bytes::new(),
        AnswerFraming::Length(length) => body.of_length(length).await?,
        AnswerFraming::Chunked => body.chunked().await?,
        AnswerFraming::UntilClose => body.until_close().await?,
    };
    Ok(WholeAnswer {
        kept_for: head.kept_for.filter(|_| body.bytes.is_empty()),
        answer: Answer {
            status,
            content_type: head.content_type,
            retry_after: head.retry_after,
            body: content,
        },
    })
}

/// The final answer's head; what came behind it is left in `bytes`.
async fn read_head(
    connection: &mut UpstreamConnection,
    bytes: &mut BytesMut,
    progress: &Progress,
) -> Result<Bytes, ReadFailure> {
    let mut interim = 0;
    let mut searched = 0;
    let mut has_spoken = false;
    loop {
        match find_end(bytes, searched) {
            Ok(end) if end > HEAD_MAX_BYTES => return Err(UpstreamFault::Unreadable.into()),
            Ok(end) if !is_interim(&bytes[..end]) => return Ok(bytes.split_to(end).freeze()),
            Ok(_) if interim == INTERIM_MAX => return Err(UpstreamFault::Unreadable.into()),
            Ok(end) => {
                interim += 1;
                searched = 0;
                bytes.advance(end);
                continue;
            }
            Err(end) => searched = end,
        }
        if bytes.len() > HEAD_MAX_BYTES {
            return Err(UpstreamFault::Unreadable.into());
        }
        bytes.reserve(READ_BYTES);
        if !matches!(connection.read(bytes).await, Ok(1..)) {
            let sent = progress.sent();
            return Err(ReadFailure {
                fault: UpstreamFault::Closed { sent },
                is_silent: !has_spoken,
            });
        }
        has_spoken = true;
    }
}

/// A body on its way in.
struct Body<'a> {
    connection: &'a mut UpstreamConnection,
    /// What has come and is not taken yet.
    bytes: BytesMut,
    max_bytes: usize,
    status: StatusCode,
}

impl Body<'_> {
    async fn of_length(&mut self, length: u64) -> Result<Bytes, UpstreamFault> {
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.max_bytes)
            .ok_or_else(|| self.too_large())?;
        while self.bytes.len() < length {
            let missing = length - self.bytes.len();
            // Not at once what the party says it has: memory follows what has come.
            self.read(missing.min(LARGE_READ_BYTES)).await?;
        }
        Ok(self.bytes.split_to(length).freeze())
    }

    async fn chunked(&mut self) -> Result<Bytes, UpstreamFault> {
        let mut chunks = ChunkDecoder::default();
        let mut body = BytesMut::new();
        loop {
            let taken = chunks.take(&self.bytes, &mut body, self.max_bytes);
            self.bytes.advance(taken);
            if body.len() > self.max_bytes {
                return Err(self.too_large());
            }
            if chunks.is_lost() {
                return Err(UpstreamFault::Unreadable);
            }
            if chunks.is_whole() {
                return Ok(body.freeze());
            }
            self.read(READ_BYTES).await?;
        }
    }

    async fn until_close(&mut self) -> Result<Bytes, UpstreamFault> {
        loop {
            if self.bytes.len() > self.max_bytes {
                return Err(self.too_large());
            }
            self.bytes.reserve(READ_BYTES);
            match self.connection.read(&mut self.bytes).await {
                Ok(0) => return Ok(std::mem::take(&mut self.bytes).freeze()),
                Ok(_) => {}
                Err(_) => return Err(self.cut_short()),
            }
        }
    }

    /// At least one byte more.
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
