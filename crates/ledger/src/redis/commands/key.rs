//! A [`Keyspace`] writes the names of keys.

use std::fmt;

use crate::Author;
use crate::redis::settings::Settings;
use crate::redis::settings::value_key::ValueKey;

/// A `Key` is a key among those of a biller. `Debug` does not show its name, which may be a payer's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// What kind of value it is; a short word without `:`.
    pub kind: &'a str,
    /// The name within its kind; any bytes.
    pub name: &'a [u8],
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {} bytes)", self.kind, self.name.len())
    }
}

/// A key that is no biller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommonKey {
    /// By which a running node is known.
    Node(u32),
    /// The list of all nodes.
    Nodes,
}

/// A stream of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKey {
    /// The facts of an author, in the order of their numbers.
    Facts(Author),
    /// Facts of an author, for a node that lacks them.
    Refill {
        /// The node.
        node: u32,
        /// The author.
        of: Author,
    },
}

/// The name of the stream behind the prefix.
impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts(author) => write!(f, "stream:{author}"),
            Self::Refill { node, of } => write!(f, "refill:{node}:{of}"),
        }
    }
}

/// A `Keyspace` writes the names of the keys of one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Keyspace {
    prefix: Box<str>,
    /// What follows the name of the epoch: it differs with the value key, so that another key, or none, makes another
    /// Redis.
    epoch_of: Box<str>,
}

impl Keyspace {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
            epoch_of: Box::default(),
        }
    }

    /// Returns the keyspace of these settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        let fingerprint = settings.value_key.as_ref().map(ValueKey::fingerprint);
        Self {
            epoch_of: fingerprint.map_or_else(Box::default, |word| format!("-{word}").into()),
            ..Self::new(&settings.key_prefix)
        }
    }

    /// Returns the name of a key that is no biller's.
    pub(crate) fn common(&self, key: CommonKey) -> String {
        match key {
            CommonKey::Node(number) => format!("{}:node:{number}", self.prefix),
            CommonKey::Nodes => format!("{}:nodes", self.prefix),
        }
    }

    /// Returns the name of a stream.
    pub(crate) fn stream(&self, stream: StreamKey) -> String {
        format!("{}:{stream}", self.prefix)
    }

    /// Returns `{prefix}:{{BILLER}}:{kind}:{name}`.
    pub(crate) fn spell(&self, biller: &str, key: Key<'_>) -> Vec<u8> {
        self.parts(biller, key).concat()
    }

    /// Returns the same in pieces.
    pub(crate) const fn parts<'a>(&'a self, biller: &'a str, key: Key<'a>) -> [&'a [u8]; 7] {
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

    /// Returns the key by which a wiped server is recognized; for one server of a Cluster, with a tag that lies in one
    /// of its slots.
    pub(crate) fn epoch(&self, tag: Option<&str>) -> EpochKeys {
        let key = |name: &str| {
            let key = format!("{}:{name}{}", self.prefix, self.epoch_of);
            tag.map_or_else(|| key.clone(), |tag| format!("{key}:{{{tag}}}"))
        };
        EpochKeys {
            today: key("epoch2"),
            before: key("epoch"),
        }
    }
}

/// The key by which a wiped server is recognized. Its name changes with the format of values, so that a Redis with the
/// values of before is another one: each node writes everything to it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EpochKeys {
    pub(crate) today: String,
    /// Its name with nodes that have one value for a bill group.
    pub(crate) before: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_carries_the_biller_as_its_hash_tag() {
        let keys = Keyspace::new("relay");
        let key = Key {
            kind: "b",
            name: b"a}{b\0",
        };
        assert_eq!(keys.spell("B0001", key), b"relay:{B0001}:b:a}{b\0");
        assert_eq!(keys.epoch(None).today, "relay:epoch2");
        assert_eq!(keys.epoch(Some("17")).today, "relay:epoch2:{17}");
        assert_eq!(keys.epoch(Some("17")).before, "relay:epoch:{17}");
    }

    #[test]
    fn a_keys_name_is_not_shown() {
        let key = Key {
            kind: "b",
            name: b"secret",
        };
        assert_eq!(format!("{key:?}"), "Key(b, 6 bytes)");
    }
}
