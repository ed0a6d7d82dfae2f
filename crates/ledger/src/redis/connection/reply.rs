//! A [`Reply`] is what a server writes, in RESP2.

use redis::Value;

/// Replies are read down to this nesting; those to the ledger's commands nest two levels deep.
const LEVELS_MAX: usize = 8;

/// The longest line: a number, a word, or an error's text.
const LINE_MAX_BYTES: usize = 64 * 1024;

/// The longest value. The ledger's own have some KiB; a greater length is malformed.
const BULK_MAX_BYTES: usize = 64 * 1024 * 1024;

/// The most items of one array.
const ITEMS_MAX: usize = 1024 * 1024;

/// A `Reply` is what the bytes received so far begin with.
#[derive(Debug, PartialEq)]
pub(crate) enum Reply {
    /// A whole reply, and its length in bytes.
    Whole(Value, usize),
    /// The beginning of a reply.
    Partial,
}

/// The bytes are no reply, so the beginning of the next one is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MalformedReply;

impl Reply {
    /// Reads the first reply of `bytes`.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, MalformedReply> {
        let mut reader = Reader { bytes, at: 0 };
        Ok(match reader.value(LEVELS_MAX)? {
            Some(value) => Self::Whole(value, reader.at),
            None => Self::Partial,
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads the next value, at most so many levels deep; `None` where its end is not received yet.
    fn value(&mut self, levels: usize) -> Result<Option<Value>, MalformedReply> {
        let Some(line) = self.line()? else {
            return Ok(None);
        };
        let (kind, content) = line.split_first().ok_or(MalformedReply)?;
        Ok(match kind {
            b'$' => match length(content, BULK_MAX_BYTES)? {
                Some(length) => self.bulk(length)?,
                None => Some(Value::Nil),
            },
            b'*' => match length(content, ITEMS_MAX)? {
                Some(length) => self.array(length, levels)?,
                None => Some(Value::Nil),
            },
            b':' => Some(Value::Int(number(content)?)),
            b'+' if content == b"OK" => Some(Value::Okay),
            b'+' => Some(Value::SimpleString(text(content)?.to_owned())),
            b'-' => Some(error(line)?),
            _ => return Err(MalformedReply),
        })
    }

    /// Reads a line without its end mark; `None` where that is not received yet.
    fn line(&mut self) -> Result<Option<&'a [u8]>, MalformedReply> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().position(|byte| *byte == b'\r') else {
            return Self::unless_beyond(LINE_MAX_BYTES, rest);
        };
        match rest.get(end + 1) {
            _ if end > LINE_MAX_BYTES => Err(MalformedReply),
            Some(b'\n') => {
                self.at += end + 2;
                Ok(Some(&rest[..end]))
            }
            Some(_) => Err(MalformedReply),
            None => Ok(None),
        }
    }

    fn unless_beyond<T>(limit: usize, rest: &[u8]) -> Result<Option<T>, MalformedReply> {
        if rest.len() > limit {
            Err(MalformedReply)
        } else {
            Ok(None)
        }
    }

    fn bulk(&mut self, length: usize) -> Result<Option<Value>, MalformedReply> {
        let rest = &self.bytes[self.at..];
        let Some((content, end)) = rest.split_at_checked(length) else {
            return Ok(None);
        };
        match end {
            [b'\r', b'\n', ..] => {
                self.at += length + 2;
                Ok(Some(Value::BulkString(content.to_vec())))
            }
            [] | [b'\r'] => Ok(None),
            _ => Err(MalformedReply),
        }
    }

    fn array(&mut self, length: usize, levels: usize) -> Result<Option<Value>, MalformedReply> {
        let levels = levels.checked_sub(1).ok_or(MalformedReply)?;
        // Memory is reserved for what was received, not for what is announced.
        let mut items = Vec::with_capacity(length.min(16));
        for _ in 0..length {
            let Some(item) = self.value(levels)? else {
                return Ok(None);
            };
            items.push(item);
        }
        Ok(Some(Value::Array(items)))
    }
}

/// Reads a length; `None` for `-1`, which stands for no value.
fn length(digits: &[u8], most: usize) -> Result<Option<usize>, MalformedReply> {
    if digits == b"-1" {
        return Ok(None);
    }
    let length = usize::try_from(number(digits)?).map_err(|_| MalformedReply)?;
    if length <= most {
        Ok(Some(length))
    } else {
        Err(MalformedReply)
    }
}

fn number(digits: &[u8]) -> Result<i64, MalformedReply> {
    text(digits)?.parse().map_err(|_| MalformedReply)
}

fn text(bytes: &[u8]) -> Result<&str, MalformedReply> {
    std::str::from_utf8(bytes).map_err(|_| MalformedReply)
}

/// Reads an error by the library's parser, which knows their kinds: errors are rare.
fn error(line: &[u8]) -> Result<Value, MalformedReply> {
    let reply = [line, b"\r\n"].concat();
    redis::parse_redis_value(&reply).map_err(|_| MalformedReply)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> Value {
        match Reply::read(bytes) {
            Ok(Reply::Whole(value, length)) if length == bytes.len() => value,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn replies_are_read_as_the_library_reads_them() {
        for bytes in [
            &b"+OK\r\n"[..],
            b"+PONG\r\n",
            b"+\r\n",
            b":0\r\n",
            b":-42\r\n",
            b"$-1\r\n",
            b"$0\r\n\r\n",
            b"$5\r\na\r\nbc\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"*3\r\n$1\r\n\xff\r\n$-1\r\n:7\r\n",
            b"*2\r\n*1\r\n+OK\r\n*1\r\n-ERR inside\r\n",
            b"-ERR unknown command\r\n",
            b"-MOVED 3999 127.0.0.1:6381\r\n",
            b"-NOSCRIPT No matching script.\r\n",
            b"-OOM command not allowed\r\n",
        ] {
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(
                whole(bytes),
                redis::parse_redis_value(bytes).unwrap(),
                "{shown}"
            );
        }
    }

    #[test]
    fn malformed_bytes_are_an_error_and_never_guessed() {
        let deep = "*1\r\n".repeat(LEVELS_MAX + 1);
        let long = "+".repeat(LINE_MAX_BYTES + 2);
        for bytes in [
            "\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
            "$5\r\nabcdefg\r\n",
            "$-2\r\n",
            "$x\r\n",
            "$\r\n",
            "$99999999999\r\n",
            "*99999999999\r\n",
            ":1.5\r\n",
            ":1\rx",
            ">1\r\n+x\r\n",
            &deep,
            &long,
        ] {
            assert_eq!(
                Reply::read(bytes.as_bytes()),
                Err(MalformedReply),
                "{bytes:.40}"
            );
        }
    }

    fn replies() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            Just(b"$-1\r\n".to_vec()),
            any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
            "[ -~]{0,12}".prop_map(|text| format!("+{text}\r\n").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| {
                let head = format!("${}\r\n", bytes.len()).into_bytes();
                [&head[..], &bytes, b"\r\n"].concat()
            }),
        ];
        leaf.prop_recursive(3, 24, 6, |item| {
            prop::collection::vec(item, 0..6).prop_map(|items| {
                let head = format!("*{}\r\n", items.len()).into_bytes();
                [vec![head], items].concat().concat()
            })
        })
    }

    proptest! {
        #[test]
        fn every_reply_is_whole_at_its_end_and_nowhere_before(reply in replies(), more: Vec<u8>) {
            let value = redis::parse_redis_value(&reply).unwrap();
            for cut in 0..reply.len() {
                prop_assert_eq!(Reply::read(&reply[..cut]), Ok(Reply::Partial));
            }
            let read = Reply::read(&[&reply[..], &more].concat());
            prop_assert_eq!(read, Ok(Reply::Whole(value, reply.len())));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r"[*$:+\-0-3\r\nOK]{0,40}") {
            let _ = Reply::read(&bytes);
            let _ = Reply::read(text.as_bytes());
        }
    }
}
