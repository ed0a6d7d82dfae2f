//! Check 4: the body within its limit and the budget (contract section 2).

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use actix_http::{HttpMessage as _, Payload};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::time::{Instant, timeout_at};

use crate::reply::Problem;
use crate::server::IncomingRequest;

/// The bytes of a body as far as they have been read. They outlive a failure to read the rest.
#[derive(Debug, Default)]
pub struct ReceivedBody {
    /// Nearly every body is one chunk, which is kept without a copy.
    first: Bytes,
    /// The first chunk and the following ones.
    more: Option<BytesMut>,
    is_whole: bool,
}

impl ReceivedBody {
    /// Returns the bytes.
    pub fn bytes(&mut self) -> &Bytes {
        if let Some(more) = self.more.take() {
            self.first = more.freeze();
        }
        &self.first
    }

    /// Returns whether these are all bytes of the body.
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn len(&self) -> usize {
        self.more.as_ref().map_or(self.first.len(), BytesMut::len)
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.first = chunk;
            return;
        }
        let first = &self.first;
        let more = self.more.get_or_insert_with(|| BytesMut::from(&first[..]));
        more.extend_from_slice(&chunk);
    }
}

/// Reads the whole body into `received`, which must be empty.
///
/// # Errors
/// [`Problem::BodyTooLarge`] as soon as more than `limit_bytes` are announced or arrive,
/// [`Problem::BodyLate`] if the body is incomplete at `deadline`, [`Problem::BodyBroken`] if it ends early.
pub async fn read(
    incoming: &mut IncomingRequest,
    received: &mut ReceivedBody,
    limit_bytes: usize,
    deadline: Instant,
) -> Result<(), Problem> {
    let announced = announced(incoming.request.headers());
    if announced.is_some_and(|announced| announced > limit_bytes) {
        return Err(Problem::BodyTooLarge);
    }
    let payload = &mut incoming.payload;
    let first = Pin::new(&mut *payload).poll_next(&mut Context::from_waker(Waker::noop()));
    if first.is_pending() && announced > Some(0) && incoming.connection.has_whole_body() {
        pending_once().await;
    }
    timeout_at(deadline, collect(first, payload, received, limit_bytes))
        .await
        .map_err(|_| Problem::BodyLate)?
}

/// Reads on what [`read`] left unread, up to `limit_bytes` in all.
pub async fn read_on(
    incoming: &mut IncomingRequest,
    received: &mut ReceivedBody,
    limit_bytes: usize,
    deadline: Instant,
) {
    let payload = &mut incoming.payload;
    // What stays unread makes no difference any more.
    let _ = timeout_at(
        deadline,
        collect(Poll::Pending, payload, received, limit_bytes),
    )
    .await;
}

/// Returns the value of `Content-Length`; `usize::MAX` for a larger number.
fn announced(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    Some(text.parse().unwrap_or(usize::MAX))
}

/// Returns `Pending` once without registering a waker.
///
/// The HTTP library polls a call before it takes the body out of its own buffer, and again right after that.
/// Registering a waker would cost each call another round through the executor. Only valid while a complete,
/// non-empty body is in that buffer.
async fn pending_once() {
    let mut polled = false;
    poll_fn(|_| {
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Concatenates the chunks of a body; `first` is the result of the first poll.
async fn collect(
    first: Poll<Option<Result<Bytes, PayloadError>>>,
    payload: &mut Payload,
    received: &mut ReceivedBody,
    limit_bytes: usize,
) -> Result<(), Problem> {
    let mut chunk = match first {
        Poll::Ready(first) => first.transpose().map_err(|_| Problem::BodyBroken)?,
        Poll::Pending => next(payload).await?,
    };
    while let Some(bytes) = chunk {
        received.push(bytes);
        if received.len() > limit_bytes {
            return Err(Problem::BodyTooLarge);
        }
        chunk = next(payload).await?;
    }
    received.is_whole = true;
    Ok(())
}

async fn next(payload: &mut Payload) -> Result<Option<Bytes>, Problem> {
    poll_fn(|context| Pin::new(&mut *payload).poll_next(context))
        .await
        .transpose()
        .map_err(|_| Problem::BodyBroken)
}
