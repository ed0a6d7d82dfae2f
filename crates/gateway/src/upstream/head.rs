//! An answer's head.

use std::mem::MaybeUninit;
use std::time::Duration;

use actix_http::header::HeaderValue;
use actix_http::{StatusCode, Version};
use bytes::Bytes;
use httparse::{Header, ParserConfig, Response, Status};

use super::framing::{AnswerFraming, Unframed, values};

/// The most that an answer's head may have.
pub(super) const HEAD_MAX_BYTES: usize = 64 * 1024;

/// The most headers of an answer.
const HEADERS_MAX: usize = 96;

/// How long a connection waits in the pool for its next call. Below what servers commonly keep an
/// idle connection (60 to 75 seconds), so that it is we who let go of it, not they in the moment
/// when a payment is written. A party that announces a shorter time (`Keep-Alive: timeout=5`) is
/// taken at its word.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// What most answers are labelled with; kept without a copy.
const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// A final answer's head, read.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: StatusCode,
    pub(super) framing: Result<AnswerFraming, Unframed>,
    /// The first `Content-Type`.
    pub(super) content_type: Option<HeaderValue>,
    /// The first `Retry-After`.
    pub(super) retry_after: Option<HeaderValue>,
    /// How long the connection may wait for its next call; `None`: there is none.
    pub(super) kept_for: Option<Duration>,
}

impl AnswerHead {
    /// Reads a head, given to its empty line; `None` where it is no HTTP.
    pub(super) fn parse(bytes: &Bytes) -> Option<Self> {
        let mut fields = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut response = Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            &mut fields,
        );
        if parsed != Ok(Status::Complete(bytes.len())) {
            return None;
        }
        let status = StatusCode::from_u16(response.code?).ok()?;
        let version = match response.version? {
            0 => Version::HTTP_10,
            _ => Version::HTTP_11,
        };
        let framing = AnswerFraming::of(status, version, response.headers);
        Some(Self {
            status,
            framing,
            content_type: first(response.headers, "content-type", bytes),
            retry_after: first(response.headers, "retry-after", bytes),
            kept_for: kept_for(status, version, framing, response.headers),
        })
    }
}

/// Whether bytes up to an empty line are an interim answer: `1xx`, save `101`, which ends what HTTP
/// can say on this connection.
pub(super) fn is_interim(head: &[u8]) -> bool {
    matches!(head, [b'H', b'T', b'T', b'P', b'/', b'1', b'.', _, b' ', b'1', tens, ones, ..]
        if [*tens, *ones] != *b"01")
}

/// Where the first empty line ends: a head's end. `from`: so many bytes were searched before. Without
/// one, how many need not be searched again. A line may end without its CR.
pub(super) fn find_end(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut searched = from;
    while let Some(at) = memchr::memchr(b'\n', &bytes[searched..]) {
        let line_end = searched + at;
        match &bytes[line_end + 1..] {
            [b'\n', ..] => return Ok(line_end + 2),
            [b'\r', b'\n', ..] => return Ok(line_end + 3),
            [] | [b'\r'] => return Err(line_end),
            _ => searched = line_end + 1,
        }
    }
    Err(bytes.len())
}

/// A share in the head's own memory.
fn first(fields: &[Header<'_>], name: &str, head: &Bytes) -> Option<HeaderValue> {
    let value = values(fields, name).next()?;
    if value == JSON_UTF8.as_bytes() {
        return Some(JSON_UTF8);
    }
    HeaderValue::from_maybe_shared(head.slice_ref(value)).ok()
}

/// A connection serves once more where HTTP/1.1 says so, and the answer has an end that is beyond
/// doubt: a body that comes where none may (204, 304) is not read.
fn kept_for(
    status: StatusCode,
    version: Version,
    framing: Result<AnswerFraming, Unframed>,
    fields: &[Header<'_>],
) -> Option<Duration> {
    let has_end = match framing {
        Ok(AnswerFraming::Length(_) | AnswerFraming::Chunked) => true,
        Ok(AnswerFraming::Bodiless) => !announces_body(fields) && !status.is_informational(),
        Ok(AnswerFraming::UntilClose) | Err(_) => false,
    };
    if !has_end || version != Version::HTTP_11 || closes(fields) {
        return None;
    }
    let announced = values(fields, "keep-alive").next().and_then(keep_alive);
    Some(announced.map_or(POOL_IDLE, |announced| announced.min(POOL_IDLE)))
}

fn announces_body(fields: &[Header<'_>]) -> bool {
    values(fields, "transfer-encoding").next().is_some()
        || values(fields, "content-length").any(|length| length != b"0")
}

fn closes(fields: &[Header<'_>]) -> bool {
    values(fields, "connection")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// `timeout=5, max=100`: how long the party waits for the next request, in whole seconds, less one
/// for the way there. Many servers wait five seconds only.
fn keep_alive(value: &[u8]) -> Option<Duration> {
    let seconds = std::str::from_utf8(value)
        .ok()?
        .split(',')
        .find_map(|part| {
            let (name, value) = part.split_once('=')?;
            let seconds: u16 = value.trim().parse().ok()?;
            name.trim()
                .eq_ignore_ascii_case("timeout")
                .then_some(seconds)
        })?;
    Some(Duration::from_secs(u64::from(seconds.saturating_sub(1))))
}
