//! Faults of a client's bytes that are found before a request exists.

/// The method of a synthetic request. A client's request with this method is refused, so none can be forged.
pub(super) const SYNTHETIC_METHOD: &[u8] = b"RELAY-EARLY-FAULT";

/// Why the bytes of a connection are not a request or not the rest of one.
///
/// The handler receives it as [`IncomingRequest::fault`](super::IncomingRequest::fault) and answers it like any
/// other refusal, so that early faults, too, have the body of contract section 3 and are counted and logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyFault {
    /// The head is malformed or its framing is ambiguous: 400.
    BadRequest,
    /// The head did not arrive within `limits.head_timeout` of its first byte: 408.
    Timeout,
    /// The head is longer than [`HEAD_MAX_BYTES`](super::HEAD_MAX_BYTES) or has more than
    /// [`HEADERS_MAX`](super::HEADERS_MAX) headers: 431.
    HeadTooLarge,
}

impl EarlyFault {
    /// The HTTP status of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Timeout => 408,
            Self::HeadTooLarge => 431,
        }
    }

    /// The well-formed request in place of the refused one. As a request it is answered in order, after the
    /// earlier requests of the connection.
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
