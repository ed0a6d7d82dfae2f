//! A strict JSON reader (RFC 8259) for untrusted bodies.
//!
//! A [`Scanner`] reads a body once, from start to end, and returns its members one by one. It does
//! not recurse and builds no tree. It allocates only for a name or a string with an escape, for nesting
//! deeper than 64 levels, and to compare more than eight unknown names of an object ([`MemberNames`]).

mod cursor;
mod member_names;
mod nesting;
mod scanner;
mod string;
mod utf8;
mod value;

pub(crate) use member_names::MemberNames;
pub(crate) use scanner::Scanner;
pub(crate) use value::{InvalidJson, Value};

#[cfg(test)]
mod tests;
