//! The keyed checksum of values in Redis.
//!
//! With a key, a value is the byte 255, the value as it is without one, and an HMAC-SHA-256 over the names of its key and
//! its bytes. A value without a valid checksum was written by a node without the key, or by nobody of ours. Without a
//! key a checksum is passed over, so that nodes can be given the key one after the other.

use bytes::Bytes;
use ring::hmac;

use crate::shared::{Key, ValueKey};

/// Says that a checksum follows the value. No version of a value begins with it.
const KEYED: u8 = 0xff;

/// Bytes of a checksum.
const TAG_BYTES: usize = 32;

/// Makes and checks the checksums.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seal(Option<ValueKey>);

/// A value without its checksum.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) content: Bytes,
    /// Whether a node with the key wrote it, or there is no key.
    pub(super) is_valid: bool,
}

impl Seal {
    pub(crate) const fn new(key: Option<ValueKey>) -> Self {
        Self(key)
    }

    /// Returns the bytes to be written for a value.
    pub(super) fn close(&self, biller: &str, key: Key<'_>, content: Vec<u8>) -> Vec<u8> {
        let Some(secret) = &self.0 else {
            return content;
        };
        let tag = hmac::sign(secret.hmac(), &message(biller, key, &content));
        [&[KEYED][..], &content, tag.as_ref()].concat()
    }

    /// Reads the bytes of a value.
    pub(super) fn open(&self, biller: &str, key: Key<'_>, value: &Bytes) -> Opened {
        let tag_at = value.len().checked_sub(TAG_BYTES).filter(|at| *at > 0);
        match (value.first(), tag_at) {
            (Some(&KEYED), Some(tag_at)) => {
                let content = value.slice(1..tag_at);
                let verify = |secret: &ValueKey| {
                    let message = message(biller, key, &content);
                    hmac::verify(secret.hmac(), &message, &value[tag_at..]).is_ok()
                };
                let is_valid = self.0.as_ref().is_none_or(verify);
                Opened { content, is_valid }
            }
            _ => Opened {
                content: value.clone(),
                is_valid: self.0.is_none(),
            },
        }
    }
}

/// What a checksum is over. The lengths keep a value from being moved to another key.
fn message(biller: &str, key: Key<'_>, content: &[u8]) -> Vec<u8> {
    let parts = [biller.as_bytes(), key.kind.as_bytes(), key.name, content];
    let mut message = Vec::with_capacity(content.len() + key.name.len() + 64);
    for part in parts {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key<'_> = Key {
        kind: "f",
        name: b"name",
    };

    fn with(secret: &str) -> Seal {
        Seal::new(Some(ValueKey::new(secret)))
    }

    #[test]
    fn only_a_value_that_the_same_key_closed_for_the_same_place_is_valid() {
        let other = Key {
            kind: "f",
            name: b"nam",
        };
        let closed = Bytes::from(with("a").close("B0001", KEY, vec![1, 7]));
        let mut altered = closed.to_vec();
        altered[2] ^= 1;
        // who reads | of which biller | at which key | bytes | valid
        for (seal, biller, key, bytes, is_valid) in [
            (with("a"), "B0001", KEY, closed.clone(), true),
            (with("b"), "B0001", KEY, closed.clone(), false),
            (with("a"), "B0002", KEY, closed.clone(), false),
            (with("a"), "B0001", other, closed.clone(), false),
            (with("a"), "B0001", KEY, Bytes::from(altered), false),
            (with("a"), "B0001", KEY, Bytes::from_static(&[1, 7]), false),
            (with("a"), "B0001", KEY, Bytes::new(), false),
            (
                with("a"),
                "B0001",
                KEY,
                Bytes::from_static(&[0xff; 33]),
                false,
            ),
            (Seal::default(), "B0001", KEY, closed.clone(), true),
            (
                Seal::default(),
                "B0001",
                KEY,
                Bytes::from_static(&[1, 7]),
                true,
            ),
        ] {
            let opened = seal.open(biller, key, &bytes);
            assert_eq!(opened.is_valid, is_valid, "{biller} {bytes:?}");
        }
        let opened = Seal::default().open("B0001", KEY, &closed);
        assert_eq!(opened.content, [1, 7].as_slice());
    }
}
