//! The nodes share a [`ValueKey`] that Redis does not know.

use std::fmt;

use ring::hmac;
use sha2::{Digest, Sha256};

/// The purpose of the secret, so that no other checksum is made with the same key.
const PURPOSE: &[u8] = b"relay ledger values 1\0";

/// A `ValueKey` is the key of the checksums of values in Redis. `Debug` does not show it.
#[derive(Clone)]
pub struct ValueKey {
    key: hmac::Key,
    fingerprint: Box<str>,
}

impl ValueKey {
    /// Returns the key that is made from a secret.
    pub fn new(secret: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(PURPOSE)
            .chain_update(secret)
            .finalize();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &digest);
        let named = hmac::sign(&key, b"fingerprint");
        let fingerprint = named.as_ref().iter().take(4);
        Self {
            fingerprint: fingerprint.map(|byte| format!("{byte:02x}")).collect(),
            key,
        }
    }

    pub(crate) const fn hmac(&self) -> &hmac::Key {
        &self.key
    }

    /// Returns a text that differs from that of another key, and from which the key cannot be found.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Debug for ValueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValueKey(***)")
    }
}
