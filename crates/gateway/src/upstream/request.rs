//! The requests that are sent to parties.

use std::sync::Arc;

use actix_http::header::HeaderValue;
use bytes::Bytes;
use tokio::time::Instant;

use super::answer_memory::AnswerMemory;
use crate::request_id::TraceParent;

/// The headers that are the same in all requests. Apache announces how long a connection may be idle only to clients
/// that ask for `keep-alive`.
const FIXED_HEADERS: &[u8] = concat!(
    "content-type: application/json;charset=utf-8\r\n",
    "accept: application/json;charset=utf-8\r\n",
    "accept-encoding: identity\r\n",
    "connection: keep-alive\r\n",
    "user-agent: relay-gateway/",
    env!("CARGO_PKG_VERSION"),
    "\r\n",
)
.as_bytes();

/// The endpoint of one API at a party: the start of every request head, up to and including `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiEndpoint(Bytes);

impl ApiEndpoint {
    /// `path`, which begins with a slash, and `host` must be valid in a request head.
    pub(super) fn new(path: &str, host: &str) -> Self {
        Self(format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n").into())
    }

    /// The path, for tests and texts.
    pub fn path(&self) -> &str {
        let head = std::str::from_utf8(&self.0).unwrap_or_default();
        head.split(' ').nth(1).unwrap_or_default()
    }
}

/// One POST request to a party. `Content-Type` and `Accept` are always the guide's JSON type.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamRequest<'a> {
    /// The result of [`Party::endpoint`](super::Party::endpoint).
    pub endpoint: &'a ApiEndpoint,
    /// `X-Request-Id`.
    pub request_id: &'a HeaderValue,
    /// The W3C `traceparent`.
    pub traceparent: &'a TraceParent,
    /// `Authorization`: to Kakao Pay only, never to a biller (contract section 1).
    pub authorization: Option<&'a HeaderValue>,
    /// The client's body, byte for byte.
    pub body: &'a [u8],
}

impl UpstreamRequest<'_> {
    /// Returns head and body in one buffer, because a body has at most some tens of KiB and one write makes one
    /// packet and one TLS record.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let authorization = self.authorization.map(HeaderValue::as_bytes);
        let length = self.endpoint.0.len()
            + FIXED_HEADERS.len()
            + self.request_id.len()
            + self.traceparent.as_bytes().len()
            + authorization.map_or(0, <[u8]>::len)
            + self.body.len();
        let mut bytes = Vec::with_capacity(length + NAMES_BYTES);
        bytes.extend_from_slice(&self.endpoint.0);
        bytes.extend_from_slice(FIXED_HEADERS);
        header(&mut bytes, b"x-request-id: ", self.request_id.as_bytes());
        header(&mut bytes, b"traceparent: ", self.traceparent.as_bytes());
        if let Some(authorization) = authorization {
            header(&mut bytes, b"authorization: ", authorization);
        }
        let mut digits = itoa::Buffer::new();
        let length = digits.format(self.body.len());
        header(&mut bytes, b"content-length: ", length.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body);
        bytes
    }
}

/// Most bytes of the header names, the length value and the line ends of one request.
const NAMES_BYTES: usize = 128;

/// Appends a header. No value holds a line end: `HeaderValue` and `TraceParent` exclude it.
fn header(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Whether a request may be sent again after some of its bytes were written to a pooled connection that was closed
/// (contract section 4, "Protection").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It may, as for `notice` and `prepay`, which change nothing.
    Safe,
    /// It must not, as for the link APIs and `pay_result`.
    Never,
}

/// The request of a call, and the limits of its answer and its time.
pub(super) struct Exchange {
    /// The request's head and body.
    pub(super) request: Vec<u8>,
    /// The limit of the answer's body.
    pub(super) answer_max_bytes: usize,
    /// The memory that the party's large answers share.
    pub(super) answer_memory: Arc<AnswerMemory>,
    pub(super) repeat: Repeat,
    pub(super) deadline: Instant,
}
