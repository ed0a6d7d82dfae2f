//! HTTP/1.1 on the wire, without I/O: heads and chunked bodies, for the server and for the caller.

mod chunks;
mod head;

pub(crate) use chunks::Chunks;
pub(crate) use head::{Framing, Head, header};

/// A head may be so long.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;

/// A body may be so long.
pub(crate) const BODY_BYTES: usize = 64 * 1024 * 1024;

/// Why bytes are no HTTP/1.1 message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl From<Malformed> for std::io::Error {
    fn from(malformed: Malformed) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, malformed.0)
    }
}
