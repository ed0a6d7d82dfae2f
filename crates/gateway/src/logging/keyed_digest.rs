//! Keyed digests, which replace user keys in the log.

use std::fmt;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// The block size of SHA-256.
const BLOCK_BYTES: usize = 64;

/// The shown bytes of a digest: enough to distinguish the users of a day.
const SHOWN_BYTES: usize = 8;

/// HMAC-SHA-256 (RFC 2104). With a secret key, the text cannot be found by digesting all possible texts.
#[derive(Clone)]
pub struct KeyedDigest {
    inner: Sha256,
    outer: Sha256,
}

impl KeyedDigest {
    /// Returns the HMAC under `key`.
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

    /// Returns the HMAC under a random key; `None` if the system's random generator fails.
    pub fn with_random_key() -> Option<Self> {
        let mut key = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut key).ok()?;
        Some(Self::new(key))
    }

    /// Returns the first 16 hex digits of the text's digest.
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

/// Returns the digest that replaces a `biller_user_key` in the log. Its random key lasts as long as the process.
pub fn user_key_digest(biller_user_key: &str) -> ShortDigest {
    static PROCESS_KEY: OnceLock<Option<KeyedDigest>> = OnceLock::new();
    let keyed = PROCESS_KEY.get_or_init(KeyedDigest::with_random_key);
    keyed
        .as_ref()
        .map_or(ShortDigest(None), |keyed| keyed.digest(biller_user_key))
}

/// The first 16 hex digits of a digest; 16 dashes if there was no random key.
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
    fn a_keyed_digest_is_hmac_sha_256() {
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
    fn equal_user_keys_have_equal_digests_under_one_key_only() {
        let digest = user_key_digest("user-1");
        assert_eq!(digest, user_key_digest("user-1"));
        assert_ne!(digest, user_key_digest("user-2"));
        assert_eq!(digest.to_string().len(), 16);
        let another = KeyedDigest::with_random_key().unwrap();
        assert_ne!(another.digest("user-1"), digest);
        assert_eq!(format!("{another:?}"), "KeyedDigest(***)");
    }
}
