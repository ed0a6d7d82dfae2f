//! Faults found before a request exists.

/// The method name of the stand-in request. Refused when it comes from outside, so a caller cannot forge one.
pub(super) const SYNTHETIC_METHOD: &[u8] = b"RELAY-EARLY-FAULT";

/// Why the bytes of a connection did not become a request, or stopped being one.
///
/// The handler sees it as [`IncomingRequest::fault`](super::Arrival::fault) and answers like any other refusal, so
/// that early faults too have the body of contract section 3 and are counted and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyFault {
    /// Framing that two servers could read differently, or a malformed head: 400.
    BadRequest,
    /// The head did not arrive within `limits.head_timeout` of its first byte: 408.
    Timeout,
    /// The head is longer than [`HEAD_MAX_BYTES`](super::HEAD_MAX_BYTES) or has more than
    /// [`HEADERS_MAX`](super::HEADERS_MAX) headers: 431.
    HeadTooLarge,
}

impl EarlyFault {
    /// The HTTP status that answers this fault.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Timeout => 408,
            Self::HeadTooLarge => 431,
        }
    }

    /// The well-formed request that stands in for what could not be read, so that the answer takes its turn
    /// behind the answers to earlier requests of the connection.
    pub(super) const fn synthetic_request(self) -> &'static [u8] {
        match self {
            Self::BadRequest => {
                b"RELAY-EARLY-FAULT /400 HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n"
            }
            Self::Timeout => {
                b"RELAY-EARLY-FAULT /408 HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n"
            }
            Self::HeadTooLarge => {
                b"RELAY-EARLY-FAULT /431 HTTP/1.1\r\nhost: -\r\nconnection: close\r\n\r\n"
            }
        }
    }
}
