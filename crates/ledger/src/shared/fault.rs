//! Why a server cannot be used, in words for the operator.

use std::fmt;

use super::Node;

/// Why a server cannot be used. Holds no secret and no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault(String);

impl Fault {
    pub(super) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    pub(super) fn of(node: &Node, what: impl fmt::Display) -> Self {
        Self(format!("{node}: {what}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
