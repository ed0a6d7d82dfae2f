//! What a node says of itself to the others.

use crate::Timestamp;

/// A node that shares a Redis, as it was heard of last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredNode {
    /// Its number.
    pub node: u32,
    /// The format of the values in Redis that it reads and writes.
    pub format: u32,
    /// The number of its process on its machine.
    pub process: u32,
    /// The name of its machine.
    pub machine: String,
    /// When its process started, by its own clock.
    pub since: Timestamp,
    /// When it was heard of last, by its own clock.
    pub seen: Timestamp,
    /// Whether its process ended in order.
    pub has_ended: bool,
    /// How many facts of its journal Redis did not have.
    pub unshared: i64,
}
