//! The parsing of HTTP/1.1 heads and chunked bodies, for the server and for the caller.

mod chunks;
mod head;

pub(crate) use chunks::Chunks;
pub(crate) use head::{Framing, Head, header};

/// The most bytes of a head.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;

/// The most bytes of a body.
pub(crate) const BODY_BYTES: usize = 64 * 1024 * 1024;

/// Bytes are not an HTTP/1.1 message, with the reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl From<Malformed> for std::io::Error {
    fn from(malformed: Malformed) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, malformed.0)
    }
}
