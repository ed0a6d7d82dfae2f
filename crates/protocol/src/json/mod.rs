//! A strict JSON reader (RFC 8259) for bodies that strangers send.
//!
//! It is one [`Scanner`] that walks a body once, from the front to the end, and hands out members
//! as they come. It never recurses, builds no tree, and allocates only where a name or a string
//! holds an escape ([`Text::content`]), where nesting is deeper than 64 levels, or where an object
//! has many unknown members that must be compared ([`Names`]).

mod names;
mod nesting;
mod scanner;
mod string;
mod text;
mod token;
mod utf8;

pub(crate) use names::Names;
pub(crate) use scanner::Scanner;
pub(crate) use text::Text;

/// Why a body is not what it should be, in words that hold nothing of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) &'static str);

/// One value, its grammar checked. Only numbers and strings carry what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Bool,
    /// The number as it is spelled.
    Number(&'a str),
    String(Text<'a>),
    Array,
    Object,
}

impl Value<'_> {
    /// Whether the value is `null` or `""`, which the contract treats as an absent member.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.is_empty(),
            Self::Bool | Self::Number(_) | Self::Array | Self::Object => false,
        }
    }
}

#[cfg(test)]
mod tests;
