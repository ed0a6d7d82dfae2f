//! What is sent.

use actix_http::Uri;
use actix_http::header::HeaderValue;
use bytes::Bytes;

/// One POST to a party. `Content-Type` and `Accept` are always the guide's JSON type.
#[derive(Clone, Debug)]
pub struct UpstreamRequest {
    /// From [`Party::uri`](super::Party::uri).
    pub uri: Uri,
    /// `X-Request-Id`.
    pub request_id: HeaderValue,
    /// W3C `traceparent`.
    pub traceparent: HeaderValue,
    /// `Authorization`: to Kakao Pay only, never to a biller (contract section 1).
    pub authorization: Option<HeaderValue>,
    /// The caller's body, byte for byte.
    pub body: Bytes,
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
