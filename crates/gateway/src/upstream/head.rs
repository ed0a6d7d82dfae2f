//! Parses the head of an answer.

use std::mem::MaybeUninit;
use std::time::Duration;

use actix_http::header::HeaderValue;
use actix_http::{StatusCode, Version};
use bytes::Bytes;
use httparse::{Header, ParserConfig, Response, Status};

use super::framing::{AnswerFraming, values};
use super::malformed::Malformed;

/// Longest head of an answer in bytes.
pub(super) const HEAD_MAX_BYTES: usize = 64 * 1024;

/// Most headers of an answer.
const HEADERS_MAX: usize = 96;

/// How long a connection may be idle in the pool. A shorter time that the party announces (`Keep-Alive: timeout=5`)
/// takes precedence.
const IDLE_MAX: Duration = Duration::from_secs(15);

/// The `Content-Type` of most answers, which is kept without a copy.
const JSON_UTF8: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");

/// The parsed head of a final answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: StatusCode,
    pub(super) framing: AnswerFraming,
    /// The first `Content-Type` value.
    pub(super) content_type: Option<HeaderValue>,
    /// The first `Retry-After` value.
    pub(super) retry_after: Option<HeaderValue>,
    /// How long the connection may be idle before its next call; `None` if it must be closed.
    pub(super) keep_alive: Option<Duration>,
}

impl AnswerHead {
    /// Whether another answer follows: `1xx` except `101`, which ends HTTP on the connection.
    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }

    /// Parses a head up to its final empty line.
    ///
    /// # Errors
    ///
    /// The rule that the head breaks.
    pub(super) fn parse(bytes: &Bytes) -> Result<Self, Malformed> {
        let mut fields = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut response = Response::new(&mut []);
        let parsed = ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, bytes, &mut fields)
            .map_err(|error| Malformed::of_head(bytes, error))?;
        let (Some(code), Some(minor)) = (response.code, response.version) else {
            return Err(Malformed::NotHttp);
        };
        if parsed != Status::Complete(bytes.len()) {
            return Err(Malformed::NotHttp);
        }
        let status = StatusCode::from_u16(code).map_err(|_| Malformed::Status)?;
        let version = match minor {
            0 => Version::HTTP_10,
            _ => Version::HTTP_11,
        };
        let framing = AnswerFraming::of(status, version, response.headers)?;
        Ok(Self {
            status,
            framing,
            content_type: first_value(response.headers, "content-type", bytes),
            retry_after: first_value(response.headers, "retry-after", bytes),
            keep_alive: keep_alive(status, version, framing, response.headers),
        })
    }
}

/// Whether the status line of a head can be an interim answer's. Nearly no head is parsed for that.
pub(super) fn may_be_interim(head: &[u8]) -> bool {
    head.get(9) == Some(&b'1')
}

/// Returns where the head ends, behind its first empty line. The first `from` bytes were searched before.
///
/// # Errors
///
/// If there is no empty line: how many bytes need not be searched again. A line may end with LF alone.
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

/// Returns the first value of a header, which shares the memory of the head.
fn first_value(fields: &[Header<'_>], name: &str, head: &Bytes) -> Option<HeaderValue> {
    let value = values(fields, name).next()?;
    if value == JSON_UTF8.as_bytes() {
        return Some(JSON_UTF8);
    }
    HeaderValue::from_maybe_shared(head.slice_ref(value)).ok()
}

/// Returns how long the connection may be kept. It is kept if HTTP/1.1 allows it and the end of the answer is
/// certain: the body of a status without one (204, 304) would not be read.
fn keep_alive(
    status: StatusCode,
    version: Version,
    framing: AnswerFraming,
    fields: &[Header<'_>],
) -> Option<Duration> {
    let has_end = match framing {
        AnswerFraming::Length(_) | AnswerFraming::Chunked => true,
        AnswerFraming::Bodiless => !announces_body(fields) && !status.is_informational(),
        AnswerFraming::UntilClose => false,
    };
    if !has_end || version != Version::HTTP_11 || says_close(fields) {
        return None;
    }
    let announced = values(fields, "keep-alive")
        .next()
        .and_then(parse_keep_alive);
    let idle = announced.map_or(IDLE_MAX, |announced| announced.min(IDLE_MAX));
    Some(idle).filter(|idle| !idle.is_zero())
}

fn announces_body(fields: &[Header<'_>]) -> bool {
    values(fields, "transfer-encoding").next().is_some()
        || values(fields, "content-length").any(|length| length != b"0")
}

fn says_close(fields: &[Header<'_>]) -> bool {
    values(fields, "connection")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

/// Parses the value of `Keep-Alive`, such as `timeout=5, max=100`. Returns the announced time less one second for
/// the transit of the next request, but at least half of it: many servers announce only a few seconds.
fn parse_keep_alive(value: &[u8]) -> Option<Duration> {
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
    let announced = Duration::from_secs(seconds.into());
    let less_one = announced.saturating_sub(Duration::from_secs(1));
    Some(less_one.max(announced / 2))
}
