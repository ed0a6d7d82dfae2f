//! A [`Fault`] says why a server cannot be used, in words for the operator.

use std::fmt;

use crate::redis::settings::address::ServerAddress;

/// A `Fault` says why a server cannot be used. It holds no secret and no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(String);

impl Fault {
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    pub(crate) fn of(address: &ServerAddress, what: impl fmt::Display) -> Self {
        Self(format!("{address}: {what}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
