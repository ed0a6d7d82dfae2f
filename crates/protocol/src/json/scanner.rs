//! The scanner: grammar of RFC 8259, one pass, no recursion. Strings are in `string.rs`.

use super::nesting::{Container, Nesting};
use super::text::Text;
use super::{Fault, Value};

/// The most levels of a request's body, its root being the first (contract check 5).
const REQUEST_LEVELS: usize = 128;

/// Whether `\uD800` without its other half is taken. Such a string is JSON, but no text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LoneSurrogates {
    Refused,
    Tolerated,
}

/// Walks one body. Enter an object with [`enter_object`](Self::enter_object), then take
/// [`next_name`](Self::next_name) and its [`value`](Self::value) in turns, and
/// [`end`](Self::end) at last.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    pub(super) at: usize,
    nesting: Nesting,
    /// Whether nothing has come yet since the innermost container was opened.
    fresh: bool,
    pub(super) lone_surrogates: LoneSurrogates,
}

impl<'a> Scanner<'a> {
    /// A scanner of a request's body: 128 levels, no lone surrogates.
    pub(crate) fn request(body: &'a [u8]) -> Result<Self, Fault> {
        Self::new(body, REQUEST_LEVELS, LoneSurrogates::Refused)
    }

    /// A scanner of an answer's body: the grammar alone, as deep as the body is long.
    pub(crate) fn answer(body: &'a [u8]) -> Result<Self, Fault> {
        Self::new(body, body.len(), LoneSurrogates::Tolerated)
    }

    fn new(body: &'a [u8], levels: usize, lone_surrogates: LoneSurrogates) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| Fault("not UTF-8"))?;
        Ok(Self {
            text,
            at: 0,
            nesting: Nesting::new(levels),
            fresh: false,
            lone_surrogates,
        })
    }

    /// Whether the value that comes next is an object.
    pub(crate) fn object_is_next(&mut self) -> bool {
        self.peek_token() == Some(b'{')
    }

    /// Goes into the object that comes next.
    pub(crate) fn enter_object(&mut self) -> Result<(), Fault> {
        if !self.object_is_next() {
            return Err(Fault("no object where one is due"));
        }
        self.open(Container::Object)
    }

    /// The name of the innermost object's next member, the scanner then standing before its value;
    /// or `None` at the object's end, the scanner then standing behind it.
    pub(crate) fn next_name(&mut self) -> Result<Option<Text<'a>>, Fault> {
        if !self.next_item(b'}')? {
            return Ok(None);
        }
        if self.peek_token() != Some(b'"') {
            return Err(Fault("no name where one is due"));
        }
        let name = self.string()?;
        if self.peek_token() != Some(b':') {
            return Err(Fault("no colon after a name"));
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// Takes the value that comes next, whatever is in it.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek_token() {
            Some(b'{') => self.containers(Container::Object).map(|()| Value::Object),
            Some(b'[') => self.containers(Container::Array).map(|()| Value::Array),
            _ => self.scalar(),
        }
    }

    /// Nothing but white space may follow the root.
    pub(crate) fn end(mut self) -> Result<(), Fault> {
        match self.peek_token() {
            None => Ok(()),
            Some(_) => Err(Fault("something follows the root")),
        }
    }

    /// Takes a container and all that is in it.
    fn containers(&mut self, outermost: Container) -> Result<(), Fault> {
        let outside = self.nesting.depth();
        self.open(outermost)?;
        while self.nesting.depth() > outside {
            let item_is_next = match self.nesting.innermost() {
                Container::Object => self.next_name()?.is_some(),
                Container::Array => self.next_item(b']')?,
            };
            if item_is_next {
                match self.peek_token() {
                    Some(b'{') => self.open(Container::Object)?,
                    Some(b'[') => self.open(Container::Array)?,
                    _ => self.scalar().map(drop)?,
                }
            }
        }
        Ok(())
    }

    fn open(&mut self, container: Container) -> Result<(), Fault> {
        self.nesting.push(container)?;
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// Steps over the comma before the innermost container's next item, or over its `close`: then
    /// there is none.
    fn next_item(&mut self, close: u8) -> Result<bool, Fault> {
        let token = self.peek_token();
        let fresh = std::mem::replace(&mut self.fresh, false);
        if token == Some(close) {
            self.at += 1;
            self.nesting.pop();
            return Ok(false);
        }
        if !fresh {
            if token != Some(b',') {
                return Err(Fault("no comma or end after a value"));
            }
            self.at += 1;
        }
        Ok(true)
    }

    fn scalar(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek_token() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.literal("true", Value::Bool),
            Some(b'f') => self.literal("false", Value::Bool),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(Fault("no value where one is due")),
        }
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Fault> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Fault("no value where one is due"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.slice(start, self.at))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let count = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += count;
        if count == 0 {
            Err(Fault("a number without its digits"))
        } else {
            Ok(())
        }
    }

    /// The next byte that is no white space, the scanner then standing before it.
    fn peek_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Both ends stand beside ASCII characters, so they never fall into one.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }
}
