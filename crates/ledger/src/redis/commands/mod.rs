//! [`Commands`] makes the commands of the store: a read, and a compare-and-swap by a script.

pub(crate) mod change;
pub(crate) mod key;
pub(crate) mod stream;

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Script, Value};

use crate::redis::out_of_reach::OutOfReach;
use change::{Change, Swap};
use key::{CommonKey, Key, Keyspace, StreamKey};

const SWAP: &str = include_str!("swap.lua");

/// A `Spelling` is how the script is named in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// By its digest: 40 bytes, where the server has it.
    Digest,
    /// By its text: the server has it from then on.
    Text,
}

/// `Commands` makes commands.
#[derive(Debug)]
pub(crate) struct Commands {
    keys: Keyspace,
    swap_digest: Box<str>,
}

impl Commands {
    pub(crate) fn new(keys: Keyspace) -> Self {
        Self {
            keys,
            swap_digest: Script::new(SWAP).get_hash().into(),
        }
    }

    /// Reads several keys of a biller.
    pub(crate) fn get(&self, biller: &str, keys: &[Key<'_>]) -> Cmd {
        let mut command = redis::cmd("MGET");
        for key in keys {
            command.arg(self.keys.spell(biller, *key));
        }
        command
    }

    /// Appends the same command as bytes.
    pub(crate) fn write_get(&self, biller: &str, keys: &[Key<'_>], out: &mut Vec<u8>) {
        write_length(b'*', keys.len() + 1, out);
        write_text(&[b"MGET"], out);
        for key in keys {
            write_text(&self.keys.parts(biller, *key), out);
        }
    }

    /// Writes one key of a biller where it is absent.
    pub(crate) fn put(&self, biller: &str, key: Key<'_>, value: &[u8], keep: Duration) -> Cmd {
        let mut command = redis::cmd("SET");
        command.arg(self.keys.spell(biller, key)).arg(value);
        command.arg("NX").arg("PX").arg(milliseconds(keep));
        command
    }

    /// Returns the name of a key that is no biller's.
    pub(crate) fn common_key(&self, key: CommonKey) -> String {
        self.keys.common(key)
    }

    /// Returns the name of a stream.
    pub(crate) fn stream_name(&self, stream: StreamKey) -> String {
        self.keys.stream(stream)
    }

    /// Reads a key that is no biller's.
    pub(crate) fn get_common(&self, key: CommonKey) -> Cmd {
        let mut command = redis::cmd("MGET");
        command.arg(self.common_key(key));
        command
    }

    /// Changes a key that is no biller's from what it must hold to the new value.
    pub(crate) fn swap_common(
        &self,
        key: CommonKey,
        (expected, new): (Option<&[u8]>, &[u8]),
        expires_in: Option<Duration>,
        spelling: Spelling,
    ) -> Cmd {
        let change = Change {
            key: Key {
                kind: "common",
                name: b"",
            },
            expected,
            new,
            expires_in,
        };
        self.swap_keys(&[self.common_key(key).into_bytes()], &[change], spelling)
    }

    /// Changes several keys of a biller, all or none.
    pub(crate) fn swap(&self, biller: &str, changes: &[Change<'_>], spelling: Spelling) -> Cmd {
        let spell = |change: &Change<'_>| self.keys.spell(biller, change.key);
        let keys: Vec<Vec<u8>> = changes.iter().map(spell).collect();
        self.swap_keys(&keys, changes, spelling)
    }

    fn swap_keys(&self, keys: &[Vec<u8>], changes: &[Change<'_>], spelling: Spelling) -> Cmd {
        let (name, script) = match spelling {
            Spelling::Digest => ("EVALSHA", &*self.swap_digest),
            Spelling::Text => ("EVAL", SWAP),
        };
        let mut command = redis::cmd(name);
        command.arg(script).arg(keys.len());
        for key in keys {
            command.arg(key.as_slice());
        }
        let expectations: Vec<u8> = changes
            .iter()
            .map(|change| {
                if change.expected.is_some() {
                    b'h'
                } else {
                    b'a'
                }
            })
            .collect();
        command.arg(expectations);
        for change in changes {
            command
                .arg(change.expected.unwrap_or_default())
                .arg(change.new)
                .arg(change.expires_in.map_or(0, milliseconds));
        }
        command
    }
}

/// Writes one argument of a command.
fn write_text(parts: &[&[u8]], out: &mut Vec<u8>) {
    write_length(b'$', parts.iter().map(|part| part.len()).sum(), out);
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n");
}

fn write_length(kind: u8, length: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Returns whole milliseconds, at least one: 0 would mean for ever.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros().div_ceil(1_000))
        .unwrap_or(u64::MAX)
        .clamp(1, LONGEST_MILLISECONDS)
}

/// The longest expiry is ten years; beyond some centuries Redis refuses the number.
const LONGEST_MILLISECONDS: u64 = 10 * 366 * 24 * 60 * 60 * 1_000;

/// Reads what `MGET` answered.
pub(crate) fn read_values(answer: Value) -> Result<Vec<Option<Bytes>>, OutOfReach> {
    let Value::Array(values) = answer else {
        return Err(OutOfReach::Refused);
    };
    values
        .into_iter()
        .map(|value| match value {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => Ok(Some(Bytes::from(bytes))),
            // The library's parser makes two short texts into variants of their own.
            Value::Okay => Ok(Some(Bytes::from_static(b"OK"))),
            Value::SimpleString(text) => Ok(Some(Bytes::from(text))),
            _ => Err(OutOfReach::Refused),
        })
        .collect()
}

/// Reads what the script answered.
pub(crate) fn read_swap(answer: Value) -> Result<Swap, OutOfReach> {
    match answer {
        Value::Int(1) => Ok(Swap::Done),
        held => read_values(held).map(Swap::Conflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_rounded_up_and_never_becomes_for_ever() {
        for (duration, expected) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(1), 1),
            (Duration::from_micros(1_001), 2),
            (Duration::from_secs(3), 3_000),
            (Duration::MAX, LONGEST_MILLISECONDS),
        ] {
            assert_eq!(milliseconds(duration), expected, "{duration:?}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_a_refusal() {
        assert_eq!(read_swap(Value::Int(2)), Err(OutOfReach::Refused));
        assert_eq!(read_values(Value::Nil), Err(OutOfReach::Refused));
        assert_eq!(
            read_values(Value::Array(vec![Value::Nil, Value::BulkString(vec![7])])),
            Ok(vec![None, Some(Bytes::from_static(&[7]))])
        );
    }

    #[test]
    fn a_question_is_written_as_the_library_writes_it() {
        let commands = Commands::new(Keyspace::new("relay"));
        let long = [b'x'; 300];
        let keys = [b"a}{b\0".as_slice(), b"", &long].map(|name| Key { kind: "f", name });
        for count in 0..=keys.len() {
            let mut written = b"before".to_vec();
            commands.write_get("B0001", &keys[..count], &mut written);
            let command = commands.get("B0001", &keys[..count]);
            let expected = [b"before", &*command.get_packed_command()].concat();
            assert_eq!(written, expected, "{count} keys");
        }
    }
}
