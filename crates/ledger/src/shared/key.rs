//! How a key is spelled.

use std::fmt;

use super::{Settings, ValueKey};

/// A key among those of a biller. `Debug` does not show its name, which may be a payer's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// What the value is; a short word without `:`.
    pub kind: &'a str,
    /// Whose it is; any bytes.
    pub name: &'a [u8],
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {} bytes)", self.kind, self.name.len())
    }
}

/// Spells keys.
#[derive(Clone, Debug)]
pub(super) struct Keyspace {
    prefix: Box<str>,
    /// Behind the name of the epoch: a Redis has nothing of what another key, or none, would have written.
    epoch_of: Box<str>,
}

impl Keyspace {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
            epoch_of: Box::default(),
        }
    }

    /// The keys of these settings.
    pub(super) fn of(settings: &Settings) -> Self {
        let fingerprint = settings.value_key.as_ref().map(ValueKey::fingerprint);
        Self {
            epoch_of: fingerprint.map_or_else(Box::default, |word| format!("-{word}").into()),
            ..Self::new(&settings.key_prefix)
        }
    }

    /// The key under which a running node is known.
    pub(super) fn node(&self, number: u32) -> String {
        format!("{}:node:{number}", self.prefix)
    }

    /// `{prefix}:{{BILLER}}:{kind}:{name}`.
    pub(super) fn spell(&self, biller: &str, key: Key<'_>) -> Vec<u8> {
        self.parts(biller, key).concat()
    }

    /// The same in pieces.
    pub(super) const fn parts<'a>(&'a self, biller: &'a str, key: Key<'a>) -> [&'a [u8]; 7] {
        [
            self.prefix.as_bytes(),
            b":{",
            biller.as_bytes(),
            b"}:",
            key.kind.as_bytes(),
            b":",
            key.name,
        ]
    }

    /// The key by which a wiped server is told from one that still holds what it held.
    pub(super) fn epoch(&self) -> String {
        format!("{}:epoch{}", self.prefix, self.epoch_of)
    }

    /// The same for one server of a Cluster: a tag that lies in one of its slots.
    pub(super) fn epoch_in(&self, tag: &str) -> String {
        format!("{}:epoch{}:{{{tag}}}", self.prefix, self.epoch_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_carries_the_biller_as_its_hash_tag() {
        let keys = Keyspace::new("relay");
        let key = Key {
            kind: "f",
            name: b"a}{b\0",
        };
        assert_eq!(keys.spell("B0001", key), b"relay:{B0001}:f:a}{b\0");
        assert_eq!(keys.epoch(), "relay:epoch");
        assert_eq!(keys.epoch_in("17"), "relay:epoch:{17}");
    }

    #[test]
    fn a_keys_name_is_not_shown() {
        let key = Key {
            kind: "f",
            name: b"secret",
        };
        assert_eq!(format!("{key:?}"), "Key(f, 6 bytes)");
    }
}
