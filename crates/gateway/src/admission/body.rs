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

/// Reads the whole body.
///
/// # Errors
/// [`Problem::BodyTooLarge`] as soon as more than `limit_bytes` are announced or arrive,
/// [`Problem::BodyLate`] if the body is incomplete at `deadline`, [`Problem::BodyBroken`] if it ends early.
pub async fn read(
    incoming: &mut IncomingRequest,
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Bytes, Problem> {
    let announced = announced(incoming.request.headers());
    if announced.is_some_and(|announced| announced > limit_bytes) {
        return Err(Problem::BodyTooLarge);
    }
    let payload = &mut incoming.payload;
    let first = Pin::new(&mut *payload).poll_next(&mut Context::from_waker(Waker::noop()));
    if first.is_pending() && announced > Some(0) && incoming.connection.has_whole_body() {
        pending_once().await;
    }
    timeout_at(deadline, collect(first, payload, limit_bytes))
        .await
        .map_err(|_| Problem::BodyLate)?
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
    limit_bytes: usize,
) -> Result<Bytes, Problem> {
    let first = match first {
        Poll::Ready(first) => first.transpose().map_err(|_| Problem::BodyBroken)?,
        Poll::Pending => next(payload).await?,
    };
    // Nearly every body is one chunk, which is returned without a copy.
    let mut whole = first.unwrap_or_default();
    let mut more: Option<BytesMut> = None;
    loop {
        let so_far = more.as_ref().map_or(whole.len(), BytesMut::len);
        if so_far > limit_bytes {
            return Err(Problem::BodyTooLarge);
        }
        let Some(chunk) = next(payload).await? else {
            break;
        };
        more.get_or_insert_with(|| BytesMut::from(&whole[..]))
            .extend_from_slice(&chunk);
    }
    if let Some(more) = more {
        whole = more.freeze();
    }
    Ok(whole)
}

async fn next(payload: &mut Payload) -> Result<Option<Bytes>, Problem> {
    poll_fn(|context| Pin::new(&mut *payload).poll_next(context))
        .await
        .transpose()
        .map_err(|_| Problem::BodyBroken)
}
