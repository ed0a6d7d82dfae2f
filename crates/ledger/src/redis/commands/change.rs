//! A [`Change`] is one key of a compare-and-swap, and a [`Swap`] its outcome.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::key::Key;

/// A `Change` is one key of a swap. `Debug` shows no value.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// Which key.
    pub key: Key<'a>,
    /// What it must hold; `None`: it must be absent. It is sent whole, not as a digest: values are smaller than a
    /// network packet, and no digest can collide.
    pub expected: Option<&'a [u8]>,
    /// What it holds afterwards.
    pub new: &'a [u8],
    /// After which time it is absent again, rounded up to a millisecond; `None`: never, also where
    /// it was to expire before.
    pub expires_in: Option<Duration>,
}

impl Change<'_> {
    pub(crate) fn bytes(&self) -> usize {
        self.key.name.len() + self.expected.map_or(0, <[u8]>::len) + self.new.len()
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("key", &self.key)
            .field("expected_bytes", &self.expected.map(<[u8]>::len))
            .field("new_bytes", &self.new.len())
            .field("expires_in", &self.expires_in)
            .finish()
    }
}

/// `BillerChanges` is one of several independent swaps.
#[derive(Clone, Copy, Debug)]
pub struct BillerChanges<'a> {
    /// Whose keys.
    pub biller: &'a str,
    /// All of them, or none, are changed.
    pub changes: &'a [Change<'a>],
}

/// A `Swap` is the outcome of a swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// Every key held what was expected; every key holds what is new.
    Done,
    /// At least one did not, and nothing was changed: what each key holds, in order.
    Conflict(Vec<Option<Bytes>>),
}
