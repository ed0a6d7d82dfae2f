//! Check 4: the body, whole, within its limit and within the budget.

use std::future::poll_fn;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::time::{Instant, timeout_at};

use crate::reply::Problem;

/// Reads the whole body.
///
/// # Errors
/// [`Problem::BodyTooLarge`] as soon as more than `limit_bytes` are announced or come,
/// [`Problem::BodyLate`] when it is not whole at `deadline`, [`Problem::BodyBroken`] when the
/// caller broke off.
pub async fn read(
    headers: &HeaderMap,
    payload: Payload,
    limit_bytes: usize,
    deadline: Instant,
) -> Result<Bytes, Problem> {
    if announced(headers).is_some_and(|announced| announced > limit_bytes) {
        return Err(Problem::BodyTooLarge);
    }
    timeout_at(deadline, collect(payload, limit_bytes))
        .await
        .map_err(|_| Problem::BodyLate)?
}

/// The announced length; one that no `usize` holds is larger than any limit.
fn announced(headers: &HeaderMap) -> Option<usize> {
    let text = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    Some(text.parse().unwrap_or(usize::MAX))
}

async fn collect(mut payload: Payload, limit_bytes: usize) -> Result<Bytes, Problem> {
    // Nearly every body comes in one piece: it is taken as it is, without a copy.
    let mut whole = next(&mut payload).await?.unwrap_or_default();
    let mut more: Option<BytesMut> = None;
    loop {
        let so_far = more.as_ref().map_or(whole.len(), BytesMut::len);
        if so_far > limit_bytes {
            return Err(Problem::BodyTooLarge);
        }
        let Some(chunk) = next(&mut payload).await? else {
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
