//! One call.

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_http::header::{self, HeaderName, HeaderValue};
use actix_http::{Method, StatusCode, Version};
use awc::{Client, ClientResponse};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Fault, Report, Sent};
use super::clients::POOL_IDLE;
use super::framing::{Framing, Unframed};
use super::trace::CallTrace;
use super::{Party, Repeat, UpstreamRequest};

const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Sends and reads, at most twice, until the deadline.
pub(super) async fn call(
    client: &Client,
    party: &Party,
    request: &UpstreamRequest,
    deadline: Instant,
    repeat: Repeat,
) -> Report {
    let begin = Instant::now();
    let trace = Rc::new(CallTrace::default());
    let result = if begin < deadline {
        let attempts = trace.scope(attempts(client, party, request, repeat, &trace));
        timeout_at(deadline, attempts)
            .await
            .unwrap_or_else(|_elapsed| Err(Fault::TimedOut { sent: trace.sent() }))
    } else {
        Err(Fault::TimedOut {
            sent: Sent::NotSent,
        })
    };
    Report {
        result,
        upstream: begin.elapsed(),
        connect: trace.connect(),
        attempts: trace.attempts(),
    }
}

async fn attempts(
    client: &Client,
    party: &Party,
    request: &UpstreamRequest,
    repeat: Repeat,
    trace: &CallTrace,
) -> Result<Answer, Fault> {
    let first = attempt(client, party, request, trace).await;
    let may_repeat = repeat == Repeat::Safe || trace.attempt_sent() == Sent::NotSent;
    match first {
        Err(Fault::Closed { .. }) if trace.was_stale() && may_repeat => {
            attempt(client, party, request, trace).await
        }
        first => first,
    }
}

async fn attempt(
    client: &Client,
    party: &Party,
    request: &UpstreamRequest,
    trace: &CallTrace,
) -> Result<Answer, Fault> {
    trace.begin_attempt();
    // The client's own errors say less than the stream has seen: it calls an answer that never
    // came, too, "disconnected".
    let response = send(client, party, request)
        .await
        .map_err(|_error| trace.fault_before_head())?;
    let connection = trace.connection().ok_or(Fault::Unreadable)?;
    let answer = read(response, party.answer_limit_bytes(), trace).await;
    if answer.is_err() {
        connection.close();
    }
    answer
}

async fn send(
    client: &Client,
    party: &Party,
    request: &UpstreamRequest,
) -> Result<ClientResponse, awc::error::SendRequestError> {
    let mut head = client
        .request(Method::POST, request.uri.clone())
        .insert_header((header::HOST, party.target.host_header.clone()))
        .insert_header((header::CONTENT_TYPE, JSON))
        .insert_header((header::ACCEPT, JSON))
        .insert_header((X_REQUEST_ID, request.request_id.clone()))
        .insert_header((TRACEPARENT, request.traceparent.clone()));
    if let Some(authorization) = &request.authorization {
        head = head.insert_header((header::AUTHORIZATION, authorization.clone()));
    }
    head.send_body(request.body.clone()).await
}

/// From a head to a whole answer. Closing the connection on a fault is the caller's.
async fn read(
    mut response: ClientResponse,
    limit_bytes: usize,
    trace: &CallTrace,
) -> Result<Answer, Fault> {
    let status = response.status();
    let framing = match Framing::of(status, response.version(), response.headers()) {
        Ok(framing) => framing,
        Err(Unframed::NoEnd) => return Err(Fault::CutShort { status }),
        Err(Unframed::Ambiguous) => return Err(Fault::Unreadable),
    };
    if matches!(framing, Framing::Length(length) if !fits(length, limit_bytes)) {
        return Err(Fault::TooLarge { status });
    }
    let connection = trace.connection().ok_or(Fault::Unreadable)?;
    connection.expect_body(framing, trace);
    let body = match framing {
        Framing::Bodiless => Bytes::new(),
        _ => read_body(&mut response, status, limit_bytes, trace).await?,
    };
    // The client would keep what HTTP/1.0 closes. A body that comes where none may (204, 304) is
    // not read, and its connection closed with the response.
    if response.version() == Version::HTTP_11 {
        let kept = response.headers().get(KEEP_ALIVE).and_then(kept_for);
        let idle = kept.map_or(POOL_IDLE, |kept| kept.min(POOL_IDLE));
        connection.keep_until(Instant::now() + idle);
    } else {
        connection.close();
    }
    let first = |name: HeaderName| response.headers().get(name).cloned();
    Ok(Answer {
        status,
        content_type: first(header::CONTENT_TYPE),
        retry_after: first(header::RETRY_AFTER),
        body,
    })
}

async fn read_body(
    response: &mut ClientResponse,
    status: StatusCode,
    limit_bytes: usize,
    trace: &CallTrace,
) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(piece) = next(response).await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(_) if trace.has_ended() => return Err(Fault::CutShort { status }),
            Err(_) => return Err(Fault::Unreadable),
        };
        if first.len() + rest.len() + piece.len() > limit_bytes {
            return Err(Fault::TooLarge { status });
        }
        if first.is_empty() {
            first = piece;
        } else {
            rest.extend_from_slice(&piece);
        }
    }
    if !trace.is_whole() {
        return Err(Fault::CutShort { status });
    }
    // The common answer comes in one piece and is not copied.
    if rest.is_empty() {
        return Ok(first);
    }
    let mut body = BytesMut::with_capacity(first.len() + rest.len());
    body.extend_from_slice(&first);
    body.extend_from_slice(&rest);
    Ok(body.freeze())
}

async fn next(response: &mut ClientResponse) -> Option<<ClientResponse as Stream>::Item> {
    std::future::poll_fn(|cx| Pin::new(&mut *response).poll_next(cx)).await
}

/// `timeout=5, max=100`: how long the party waits for the next request, in whole seconds, less one
/// for the way there. Many servers wait five seconds only.
fn kept_for(keep_alive: &HeaderValue) -> Option<Duration> {
    let seconds = keep_alive.to_str().ok()?.split(',').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let seconds: u16 = value.trim().parse().ok()?;
        name.trim()
            .eq_ignore_ascii_case("timeout")
            .then_some(seconds)
    })?;
    Some(Duration::from_secs(u64::from(seconds.saturating_sub(1))))
}

fn fits(length: u64, limit_bytes: usize) -> bool {
    usize::try_from(length).is_ok_and(|length| length <= limit_bytes)
}
