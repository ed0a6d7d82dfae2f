//! The scanner: the grammar of RFC 8259 in one pass without recursion.

use super::cursor::{Cursor, LoneSurrogates};
use super::nesting::{Container, Nesting};
use super::string::Escapes;
use super::utf8::is_utf8;
use super::value::{InvalidJson, Text, Value};

/// The most levels of a request's body, including the root (contract check 5).
const REQUEST_LEVELS: usize = 128;

const NOT_UTF8: InvalidJson = InvalidJson("not UTF-8");

/// Reads one body. Call [`enter_object`](Self::enter_object), then [`next_name`](Self::next_name) and
/// [`value`](Self::value) in turns, and [`end`](Self::end) last.
pub(crate) struct Scanner<'a> {
    cursor: Cursor<'a>,
    /// The whole body, if most of it is read as text.
    text: Option<&'a str>,
    nesting: Nesting,
    /// Whether the innermost container was just opened.
    fresh: bool,
}

impl<'a> Scanner<'a> {
    /// Returns a scanner of a request's body: at most 128 levels, no lone surrogates.
    pub(crate) fn request(body: &'a [u8]) -> Result<Self, InvalidJson> {
        let text = std::str::from_utf8(body).map_err(|_| NOT_UTF8)?;
        let scanner = Self::new(body, REQUEST_LEVELS, LoneSurrogates::Refused);
        Ok(Self {
            text: Some(text),
            ..scanner
        })
    }

    /// Returns a scanner of an answer's body, which checks the grammar alone.
    pub(crate) fn answer(body: &'a [u8]) -> Result<Self, InvalidJson> {
        if !is_utf8(body) {
            return Err(NOT_UTF8);
        }
        Ok(Self::new(body, body.len(), LoneSurrogates::Accepted))
    }

    const fn new(bytes: &'a [u8], levels: usize, lone_surrogates: LoneSurrogates) -> Self {
        Self {
            cursor: Cursor {
                bytes,
                at: 0,
                lone_surrogates,
            },
            text: None,
            nesting: Nesting::new(levels),
            fresh: false,
        }
    }

    /// Returns a scanner of a part of a body whose grammar was checked before.
    pub(crate) fn checked(text: &'a str) -> Self {
        let scanner = Self::new(text.as_bytes(), REQUEST_LEVELS, LoneSurrogates::Refused);
        Self {
            text: Some(text),
            ..scanner
        }
    }

    /// Consumes the next value like [`value`](Self::value), and returns its text too if it is a literal, an array or an
    /// object; else `""`.
    pub(crate) fn spelled_value(&mut self) -> Result<(Value<'a>, &'a str), InvalidJson> {
        let start = self.cursor.at;
        let value = self.value()?;
        let text = match value {
            Value::Null | Value::Number(_) | Value::String(_) => "",
            Value::Bool | Value::Array | Value::Object => {
                self.slice(start, self.cursor.at).trim_ascii_start()
            }
        };
        Ok((value, text))
    }

    /// Enters the array that is next.
    pub(crate) fn enter_array(&mut self) -> Result<(), InvalidJson> {
        if self.cursor.peek_token() != Some(b'[') {
            return Err(InvalidJson("an array is expected"));
        }
        self.open(Container::Array)
    }

    /// Returns whether the innermost array has another element, which is then next. Leaves the array at
    /// its end.
    pub(crate) fn next_element(&mut self) -> Result<bool, InvalidJson> {
        self.next_item(b']')
    }

    /// Whether the next value is an object.
    pub(crate) fn object_is_next(&mut self) -> bool {
        self.cursor.peek_token() == Some(b'{')
    }

    /// Enters the object that is next.
    pub(crate) fn enter_object(&mut self) -> Result<(), InvalidJson> {
        if !self.object_is_next() {
            return Err(InvalidJson("an object is expected"));
        }
        self.open(Container::Object)
    }

    /// Returns the name of the innermost object's next member, whose value is then next. Returns
    /// `None` at the object's end and leaves the object.
    pub(crate) fn next_name(&mut self) -> Result<Option<Text<'a>>, InvalidJson> {
        if !self.next_item(b'}')? {
            return Ok(None);
        }
        self.expect_name()?;
        let name = self.text()?;
        self.skip_colon()?;
        Ok(Some(name))
    }

    /// Consumes the next value with all its content.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, InvalidJson> {
        let token = self.cursor.peek_token();
        let start = self.cursor.at;
        match token {
            Some(b'{') => self.container(Container::Object).map(|()| Value::Object),
            Some(b'[') => self.container(Container::Array).map(|()| Value::Array),
            Some(b'"') => self.text().map(Value::String),
            Some(b'-' | b'0'..=b'9') => {
                self.cursor.number()?;
                Ok(Value::Number(self.slice(start, self.cursor.at)))
            }
            token => {
                self.literal(token)?;
                Ok(if token == Some(b'n') {
                    Value::Null
                } else {
                    Value::Bool
                })
            }
        }
    }

    /// Checks that only white space follows the root.
    pub(crate) fn end(mut self) -> Result<(), InvalidJson> {
        match self.cursor.peek_token() {
            None => Ok(()),
            Some(_) => Err(InvalidJson("bytes after the root value")),
        }
    }

    /// Consumes a container with all its content.
    fn container(&mut self, outermost: Container) -> Result<(), InvalidJson> {
        let outside = self.nesting.depth();
        self.open(outermost)?;
        while self.nesting.depth() > outside {
            let item_is_next = match self.nesting.innermost() {
                Container::Object => self.next_item(b'}')?,
                Container::Array => self.next_item(b']')?,
            };
            if item_is_next {
                if self.nesting.innermost() == Container::Object {
                    self.expect_name()?;
                    self.cursor.string()?;
                    self.skip_colon()?;
                }
                match self.cursor.peek_token() {
                    Some(b'{') => self.open(Container::Object)?,
                    Some(b'[') => self.open(Container::Array)?,
                    Some(b'"') => drop(self.cursor.string()?),
                    Some(b'-' | b'0'..=b'9') => self.cursor.number()?,
                    token => self.literal(token)?,
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, container: Container) -> Result<(), InvalidJson> {
        self.nesting.push(container)?;
        self.cursor.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// Checks that a name is next; its opening quote is not consumed.
    fn expect_name(&mut self) -> Result<(), InvalidJson> {
        if self.cursor.peek_token() == Some(b'"') {
            Ok(())
        } else {
            Err(InvalidJson("a member name is expected"))
        }
    }

    /// Consumes the colon after a name.
    fn skip_colon(&mut self) -> Result<(), InvalidJson> {
        if self.cursor.peek_token() == Some(b':') {
            self.cursor.at += 1;
            Ok(())
        } else {
            Err(InvalidJson("a colon is expected"))
        }
    }

    /// Consumes the comma before the innermost container's next item and returns true, or consumes the
    /// container's `close` and returns false.
    #[expect(clippy::inline_always, reason = "the call costs as much as the body")]
    #[inline(always)]
    fn next_item(&mut self, close: u8) -> Result<bool, InvalidJson> {
        let token = self.cursor.peek_token();
        let fresh = std::mem::replace(&mut self.fresh, false);
        if token == Some(close) {
            self.cursor.at += 1;
            self.nesting.pop();
            return Ok(false);
        }
        if !fresh {
            if token != Some(b',') {
                return Err(InvalidJson("a comma or the end is expected"));
            }
            self.cursor.at += 1;
        }
        Ok(true)
    }

    /// Consumes `true`, `false` or `null`; `token` is its first byte.
    fn literal(&mut self, token: Option<u8>) -> Result<(), InvalidJson> {
        let literal: &[u8] = match token {
            Some(b't') => b"true",
            Some(b'f') => b"false",
            _ => b"null",
        };
        if !self.cursor.rest().starts_with(literal) {
            return Err(InvalidJson("a value is expected"));
        }
        self.cursor.at += literal.len();
        Ok(())
    }

    /// Consumes a string; its opening quote is next.
    fn text(&mut self) -> Result<Text<'a>, InvalidJson> {
        let start = self.cursor.at + 1;
        let escapes = self.cursor.string()?;
        // The cursor is after the closing quote.
        let raw = self.slice(start, self.cursor.at - 1);
        Ok(match escapes {
            Escapes::None => Text::plain(raw),
            Escapes::Some => Text::escaped(raw),
        })
    }

    /// Returns a part of the body. Both ends are next to ASCII characters, so no character is split.
    fn slice(&self, start: usize, end: usize) -> &'a str {
        let slice = if let Some(text) = self.text {
            text.get(start..end)
        } else {
            let bytes = self.cursor.bytes.get(start..end);
            bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())
        };
        slice.unwrap_or_default()
    }
}
