//! The digest of a pay-result, and the answer of the biller that accepted it.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::codec::{Decoder, Encode, Unreadable};

/// The SHA-256 digest of a pay-result's body. It is the idempotency key of the pay-result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageDigest([u8; 32]);

impl MessageDigest {
    /// Returns the digest of `body`.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// Returns a stored digest; `None` unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MessageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..8] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…")
    }
}

/// The answer with which a biller accepted a pay-result. Every later copy gets it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status of the biller's answer.
    pub status: u16,
    /// The relayed `Content-Type`.
    pub content_type: Bytes,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Encode for KeptAnswer {
    fn encode(&self, out: &mut Vec<u8>) {
        u64::from(self.status).encode(out);
        self.content_type.as_ref().encode(out);
        self.body.as_ref().encode(out);
    }
}

impl KeptAnswer {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            status: u16::try_from(decoder.number()?).map_err(|_| Unreadable)?,
            content_type: Bytes::copy_from_slice(decoder.bytes()?),
            body: Bytes::copy_from_slice(decoder.bytes()?),
        })
    }
}
