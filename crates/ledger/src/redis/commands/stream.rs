//! Commands on streams, whose entries are named by the number of the last fact in them.

use std::time::Duration;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::{Commands, milliseconds};
use crate::redis::commands::key::StreamKey;
use crate::redis::out_of_reach::OutOfReach;

/// The one field of an entry.
const FIELD: &str = "e";

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// The number that its name begins with.
    pub number: i64,
    /// What it holds; empty where it was not written by a node.
    pub value: Bytes,
}

impl Commands {
    /// Puts an entry behind all others; an error where one of them has a number that is not below.
    pub(crate) fn append(&self, stream: StreamKey, number: i64, value: &[u8]) -> Cmd {
        let mut command = redis::cmd("XADD");
        command.arg(self.stream_name(stream)).arg(name(number));
        command.arg(FIELD).arg(value);
        command
    }

    /// Reads entries behind a number, at most `most`.
    pub(crate) fn entries_after(&self, stream: StreamKey, number: i64, most: usize) -> Cmd {
        let mut command = redis::cmd("XRANGE");
        command.arg(self.stream_name(stream));
        command.arg(format!("({}", name(number))).arg("+");
        command.arg("COUNT").arg(most);
        command
    }

    /// Reads the last entry.
    pub(crate) fn last_entry(&self, stream: StreamKey) -> Cmd {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(self.stream_name(stream)).arg("+").arg("-");
        command.arg("COUNT").arg(1);
        command
    }

    /// Counts the entries.
    pub(crate) fn count_entries(&self, stream: StreamKey) -> Cmd {
        let mut command = redis::cmd("XLEN");
        command.arg(self.stream_name(stream));
        command
    }

    /// Takes the entries out whose numbers are not above this one.
    pub(crate) fn trim(&self, stream: StreamKey, up_to: i64) -> Cmd {
        let mut command = redis::cmd("XTRIM");
        command.arg(self.stream_name(stream)).arg("MINID");
        command.arg(name(up_to.saturating_add(1)));
        command
    }

    /// Lets a stream expire.
    pub(crate) fn expire(&self, stream: StreamKey, after: Duration) -> Cmd {
        let mut command = redis::cmd("PEXPIRE");
        command
            .arg(self.stream_name(stream))
            .arg(milliseconds(after));
        command
    }

    /// Takes a stream away, whatever lies under its name.
    pub(crate) fn remove(&self, stream: StreamKey) -> Cmd {
        // A time that is over deletes at once, and needs no other right than `expire`.
        let mut command = redis::cmd("PEXPIRE");
        command.arg(self.stream_name(stream)).arg(0);
        command
    }

    /// Waits until so many replicas have what this connection wrote.
    pub(crate) fn wait(replicas: u32, within: Duration) -> Cmd {
        let mut command = redis::cmd("WAIT");
        command.arg(replicas).arg(milliseconds(within));
        command
    }
}

fn name(number: i64) -> String {
    format!("{}-0", number.max(0))
}

/// Reads what `XRANGE` and `XREVRANGE` answered. What is no entry of a node comes with an empty value.
pub(crate) fn read_entries(answer: Value) -> Result<Vec<StreamEntry>, OutOfReach> {
    let Value::Array(entries) = answer else {
        return Err(OutOfReach::Refused);
    };
    entries.into_iter().map(read_entry).collect()
}

fn read_entry(entry: Value) -> Result<StreamEntry, OutOfReach> {
    let Value::Array(entry) = entry else {
        return Err(OutOfReach::Refused);
    };
    let [Value::BulkString(name), Value::Array(fields)] = entry.as_slice() else {
        return Err(OutOfReach::Refused);
    };
    let name = std::str::from_utf8(name).map_err(|_| OutOfReach::Refused)?;
    let number = name
        .split('-')
        .next()
        .and_then(|number| number.parse().ok());
    let value = match fields.as_slice() {
        [Value::BulkString(field), Value::BulkString(value)] if field == FIELD.as_bytes() => {
            Bytes::copy_from_slice(value)
        }
        _ => Bytes::new(),
    };
    Ok(StreamEntry {
        // A name that is beyond all numbers is that of an entry that no node wrote.
        number: number.unwrap_or(i64::MAX),
        value,
    })
}

/// Reads a number.
pub(crate) fn read_count(answer: &Value) -> Result<u64, OutOfReach> {
    match answer {
        Value::Int(count) => u64::try_from(*count).map_err(|_| OutOfReach::Refused),
        _ => Err(OutOfReach::Refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, fields: &[&str]) -> Value {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let fields = fields.iter().map(|field| text(field)).collect();
        Value::Array(vec![text(name), Value::Array(fields)])
    }

    #[test]
    fn entries_of_strangers_are_read_as_empty_ones() {
        for (entry, number, value) in [
            (entry("7-0", &["e", "x"]), 7, "x"),
            (entry("7-3", &["f", "x"]), 7, ""),
            (entry("7-0", &["e", "x", "g", "y"]), 7, ""),
            (entry("7-0", &[]), 7, ""),
            (entry("18446744073709551615-0", &["e", "x"]), i64::MAX, "x"),
        ] {
            let read = read_entries(Value::Array(vec![entry])).unwrap();
            let expected = StreamEntry {
                number,
                value: Bytes::from(value),
            };
            assert_eq!(read, [expected]);
        }
        for answer in [
            Value::Nil,
            Value::Array(vec![Value::Nil]),
            Value::Array(vec![Value::Array(vec![])]),
        ] {
            assert_eq!(read_entries(answer), Err(OutOfReach::Refused));
        }
    }
}
