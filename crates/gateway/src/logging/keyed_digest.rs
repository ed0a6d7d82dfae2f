//! What stands for a user key in the log: the same for the same key, and telling nobody which.

use std::fmt;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// SHA-256 works on blocks of this size.
const BLOCK_BYTES: usize = 64;

/// Digest bytes that are shown: enough to tell the users of a day apart.
const SHOWN_BYTES: usize = 8;

/// HMAC-SHA-256 (RFC 2104) under a key that nobody outside the process knows, so that a digest
/// cannot be searched for by digesting all keys there are.
#[derive(Clone)]
pub struct KeyedDigest {
    inner: Sha256,
    outer: Sha256,
}

impl KeyedDigest {
    /// Digests under this key, which is to be random.
    pub fn new(key: [u8; 32]) -> Self {
        let keyed = |pad: u8| {
            let mut block = [pad; BLOCK_BYTES];
            block
                .iter_mut()
                .zip(key)
                .for_each(|(byte, key)| *byte ^= key);
            Sha256::new().chain_update(block)
        };
        Self {
            inner: keyed(0x36),
            outer: keyed(0x5c),
        }
    }

    /// Digests under a random key; `None` where the system has no randomness to give.
    pub fn with_random_key() -> Option<Self> {
        let mut key = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut key).ok()?;
        Some(Self::new(key))
    }

    /// The first 16 hex digits of the text's digest.
    pub fn digest(&self, text: &str) -> ShortDigest {
        let inner = self.inner.clone().chain_update(text).finalize();
        let outer = self.outer.clone().chain_update(inner).finalize();
        let mut shown = [0; SHOWN_BYTES];
        shown
            .iter_mut()
            .zip(outer)
            .for_each(|(shown, byte)| *shown = byte);
        ShortDigest(Some(shown))
    }
}

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedDigest(***)")
    }
}

/// The digest of a `biller_user_key` as it may stand in a log. Good until the process ends.
pub fn user_key_digest(biller_user_key: &str) -> ShortDigest {
    static OF_THIS_PROCESS: OnceLock<Option<KeyedDigest>> = OnceLock::new();
    let keyed = OF_THIS_PROCESS.get_or_init(KeyedDigest::with_random_key);
    keyed
        .as_ref()
        .map_or(ShortDigest(None), |keyed| keyed.digest(biller_user_key))
}

/// 16 hex digits; dashes where there was no key to digest under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShortDigest(Option<[u8; SHOWN_BYTES]>);

impl fmt::Display for ShortDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(shown) => shown.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            None => f.write_str("----------------"),
        }
    }
}

impl fmt::Debug for ShortDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hmac_sha_256() {
        // RFC 4231, test cases 1 and 2; a key is padded with zeros.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            KeyedDigest::new(key).digest("Hi There").to_string(),
            "b0344c61d8db3853"
        );
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let text = "what do ya want for nothing?";
        assert_eq!(
            KeyedDigest::new(key).digest(text).to_string(),
            "5bdcc146bf60754e"
        );
    }

    #[test]
    fn the_same_key_has_the_same_digest_in_one_process_only() {
        let digest = user_key_digest("user-1");
        assert_eq!(digest, user_key_digest("user-1"));
        assert_ne!(digest, user_key_digest("user-2"));
        assert_eq!(digest.to_string().len(), 16);
        let another = KeyedDigest::with_random_key().unwrap();
        assert_ne!(another.digest("user-1"), digest);
        assert_eq!(format!("{another:?}"), "KeyedDigest(***)");
    }
}
