//! What is sent.

use actix_http::header::HeaderValue;
use bytes::Bytes;

use crate::request_id::TraceParent;

/// What is the same in the heads of all requests.
const FIXED_HEADERS: &[u8] = b"content-type: application/json;charset=utf-8\r\n\
    accept: application/json;charset=utf-8\r\n\
    accept-encoding: identity\r\n";

/// Where one API is at a party: the begin of each of its requests' heads, up to and with `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Bytes);

impl Endpoint {
    /// `path`, with its slash, and `host` must be fit for a head.
    pub(super) fn new(path: &str, host: &str) -> Self {
        Self(format!("POST {path} HTTP/1.1\r\nhost: {host}\r\n").into())
    }

    /// The path, for tests and for people.
    pub fn path(&self) -> &str {
        let head = std::str::from_utf8(&self.0).unwrap_or_default();
        head.split(' ').nth(1).unwrap_or_default()
    }
}

/// One POST to a party. `Content-Type` and `Accept` are always the guide's JSON type.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamRequest<'a> {
    /// From [`Party::endpoint`](super::Party::endpoint).
    pub endpoint: &'a Endpoint,
    /// `X-Request-Id`.
    pub request_id: &'a HeaderValue,
    /// W3C `traceparent`.
    pub traceparent: &'a TraceParent,
    /// `Authorization`: to Kakao Pay only, never to a biller (contract section 1).
    pub authorization: Option<&'a HeaderValue>,
    /// The caller's body, byte for byte.
    pub body: &'a [u8],
}

impl UpstreamRequest<'_> {
    /// Head and body in one piece: a body is at most some tens of KiB, and one write is one packet and
    /// one TLS record.
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

/// What the names of the headers of one request, its length and the line ends take at most.
const NAMES_BYTES: usize = 128;

/// No value holds a line end: `HeaderValue` sees to that.
fn header(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Whether a request may go out again once bytes of it were written on a pooled connection that
/// then turned out closed (contract section 4, "Protection").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// `notice` and `prepay`: asking twice changes nothing.
    Safe,
    /// The link APIs and `pay_result`.
    Never,
}
