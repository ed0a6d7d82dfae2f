//! What a node says of itself to the others.

use std::time::Duration;

use crate::{Author, Timestamp};

/// A node that was not heard of for so long does not run, or cannot reach Redis.
const SILENT_AFTER: Duration = Duration::from_secs(15);

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
    /// What it has of the facts of all nodes; `None`: it is of a version that takes none of other nodes.
    pub replica: Option<Replica>,
}

impl RegisteredNode {
    /// Returns whether the node runs and reaches Redis, as far as was heard of it by `now`.
    pub fn is_running(&self, now: Timestamp) -> bool {
        !self.has_ended && self.seen.plus(SILENT_AFTER) > now
    }
}

/// What a node's journal has of the facts of all nodes (contract section 4, "Nodes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// The author that the node is.
    pub author: Author,
    /// The number of its own last fact.
    pub last: i64,
    /// Up to which number it has the facts of other authors.
    pub known_to: Vec<(Author, i64)>,
    /// The authors whose facts behind that it asks for, because no stream has them.
    pub wanted: Vec<Author>,
}

impl Replica {
    /// Returns up to which number the node has an author's facts.
    pub fn has_up_to(&self, of: Author) -> i64 {
        if of == self.author {
            return self.last;
        }
        let known = self.known_to.iter().find(|(author, _)| *author == of);
        known.map_or(0, |(_, number)| *number)
    }
}
