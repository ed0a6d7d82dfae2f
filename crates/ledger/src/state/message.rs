//! The digest of a pay-result, and the answer of the biller that accepted it.

use std::fmt;

use bytes::Bytes;
use protocol::CanonicalDigest;
use sha2::{Digest, Sha256};

use crate::state::codec::{Decoder, Encode, Unreadable};

/// The SHA-256 digest of a pay-result's body. It is the idempotency key of the pay-result.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageDigest([u8; 32]);

impl MessageDigest {
    /// Returns the digest of `body`.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// Returns the digest of bytes that came for `biller` after the same bytes had come for another one.
    pub(crate) fn of_named(biller: &str, body: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(biller)
            .chain_update([0])
            .chain_update(body);
        Self(digest.finalize().into())
    }

    /// Stands where a digest is not read.
    pub(crate) const NONE: Self = Self([0; 32]);

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

impl Encode for MessageDigest {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.as_slice().encode(out);
    }
}

impl MessageDigest {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Self::from_slice(decoder.bytes()?).ok_or(Unreadable)
    }
}

/// The digests by which copies of a pay-result are recognized. That of the bytes identifies it and decides
/// first; that of the canonical form finds what was accepted in another spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The digest of the body.
    pub bytes: MessageDigest,
    /// The digest of the canonical form; `None` where the pay-result has none, or an older version journalled it.
    pub canonical: Option<CanonicalDigest>,
}

impl From<MessageDigest> for Digests {
    fn from(bytes: MessageDigest) -> Self {
        Self {
            bytes,
            canonical: None,
        }
    }
}

/// The largest body that is kept of a biller's answer. A copy of the pay-result then gets the kept status, and a body
/// of the gateway's own.
const KEPT_BODY_MAX: usize = 64 * 1024;

/// The answer with which a biller accepted a pay-result. Every later copy gets it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status of the biller's answer.
    pub status: u16,
    /// The relayed `Content-Type`.
    pub content_type: Bytes,
    /// The body, byte for byte; empty where it was too large to be kept.
    pub body: Bytes,
}

impl KeptAnswer {
    /// Returns the answer as it is kept: without its body where that is above 64 KiB.
    #[must_use]
    pub(crate) fn bounded(mut self) -> Self {
        if self.body.len() > KEPT_BODY_MAX {
            self.body = Bytes::new();
        }
        self
    }
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
