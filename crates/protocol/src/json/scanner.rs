//! The scanner: grammar of RFC 8259, one pass, no recursion. Strings are in `string.rs`, white space
//! and numbers in `token.rs`.

use super::nesting::{Container, Nesting};
use super::string::Escapes;
use super::text::Text;
use super::utf8::is_utf8;
use super::{Fault, Value};

/// The most levels of a request's body, its root being the first (contract check 5).
const REQUEST_LEVELS: usize = 128;

const NOT_UTF8: Fault = Fault("not UTF-8");

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
    /// UTF-8.
    pub(super) bytes: &'a [u8],
    /// The same, where most of it will be taken as text.
    text: Option<&'a str>,
    pub(super) at: usize,
    nesting: Nesting,
    /// Whether nothing has come yet since the innermost container was opened.
    fresh: bool,
    pub(super) lone_surrogates: LoneSurrogates,
}

impl<'a> Scanner<'a> {
    /// A scanner of a request's body: 128 levels, no lone surrogates.
    pub(crate) fn request(body: &'a [u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| NOT_UTF8)?;
        let scanner = Self::new(body, REQUEST_LEVELS, LoneSurrogates::Refused);
        Ok(Self {
            text: Some(text),
            ..scanner
        })
    }

    /// A scanner of an answer's body: the grammar alone, as deep as the body is long.
    pub(crate) fn answer(body: &'a [u8]) -> Result<Self, Fault> {
        if !is_utf8(body) {
            return Err(NOT_UTF8);
        }
        Ok(Self::new(body, body.len(), LoneSurrogates::Tolerated))
    }

    const fn new(bytes: &'a [u8], levels: usize, lone_surrogates: LoneSurrogates) -> Self {
        Self {
            bytes,
            text: None,
            at: 0,
            nesting: Nesting::new(levels),
            fresh: false,
            lone_surrogates,
        }
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
        self.quote_of_a_name()?;
        let name = self.text()?;
        self.colon()?;
        Ok(Some(name))
    }

    /// Takes the value that comes next, whatever is in it.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Fault> {
        let token = self.peek_token();
        let start = self.at;
        match token {
            Some(b'{') => self.containers(Container::Object).map(|()| Value::Object),
            Some(b'[') => self.containers(Container::Array).map(|()| Value::Array),
            Some(b'"') => self.text().map(Value::String),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok(Value::Number(self.slice(start, self.at)))
            }
            token => {
                self.word(token)?;
                Ok(if token == Some(b'n') {
                    Value::Null
                } else {
                    Value::Bool
                })
            }
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
                Container::Object => self.next_item(b'}')?,
                Container::Array => self.next_item(b']')?,
            };
            if item_is_next {
                if self.nesting.innermost() == Container::Object {
                    self.quote_of_a_name()?;
                    self.string()?;
                    self.colon()?;
                }
                match self.peek_token() {
                    Some(b'{') => self.open(Container::Object)?,
                    Some(b'[') => self.open(Container::Array)?,
                    Some(b'"') => drop(self.string()?),
                    Some(b'-' | b'0'..=b'9') => self.number()?,
                    token => self.word(token)?,
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

    /// Looks at the opening quote of a name.
    fn quote_of_a_name(&mut self) -> Result<(), Fault> {
        if self.peek_token() == Some(b'"') {
            Ok(())
        } else {
            Err(Fault("no name where one is due"))
        }
    }

    /// Steps over the colon behind a name.
    fn colon(&mut self) -> Result<(), Fault> {
        if self.peek_token() == Some(b':') {
            self.at += 1;
            Ok(())
        } else {
            Err(Fault("no colon after a name"))
        }
    }

    /// Steps over the comma before the innermost container's next item, or over its `close`: then
    /// there is none.
    #[expect(
        clippy::inline_always,
        reason = "the call costs as much as what it does"
    )]
    #[inline(always)]
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

    /// Takes the word that begins with the byte which comes next: `true`, `false` or `null`.
    fn word(&mut self, token: Option<u8>) -> Result<(), Fault> {
        let word: &[u8] = match token {
            Some(b't') => b"true",
            Some(b'f') => b"false",
            _ => b"null",
        };
        if !self.rest().starts_with(word) {
            return Err(Fault("no value where one is due"));
        }
        self.at += word.len();
        Ok(())
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes a string, the scanner standing at its opening quote.
    fn text(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.at + 1;
        let escapes = self.string()?;
        // The scanner stands behind the closing quote.
        let raw = self.slice(start, self.at - 1);
        Ok(match escapes {
            Escapes::None => Text::plain(raw),
            Escapes::Some => Text::escaped(raw),
        })
    }

    /// Both ends stand beside ASCII characters, so they never fall into one.
    fn slice(&self, start: usize, end: usize) -> &'a str {
        let slice = if let Some(text) = self.text {
            text.get(start..end)
        } else {
            let bytes = self.bytes.get(start..end);
            bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())
        };
        slice.unwrap_or_default()
    }
}
