//! What a node says of itself to the others.

use std::collections::BTreeSet;
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
    /// When its process started, by this machine's clock.
    pub since: Timestamp,
    /// When it was heard of last, by this machine's clock.
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

    /// Returns how many facts the node lacks of those that any of these nodes has; `None` where it takes none of others.
    pub fn lacks(&self, nodes: &[Self]) -> Option<i64> {
        let own = self.replica.as_ref()?;
        let replicas = || nodes.iter().filter_map(|node| node.replica.as_ref());
        let known = replicas().flat_map(|replica| {
            let others = replica.known_to.iter().map(|(author, _)| *author);
            others.chain([replica.author])
        });
        let authors: BTreeSet<Author> = known.collect();
        let lacks = |author| {
            let most = replicas().map(|replica| replica.has_up_to(author)).max();
            (most.unwrap_or_default() - own.has_up_to(author)).max(0)
        };
        Some(authors.into_iter().map(lacks).sum())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn author(node: u32) -> Author {
        Author { node, journal: 7 }
    }

    fn node(number: u32, last: i64, known_to: &[(u32, i64)]) -> RegisteredNode {
        let known_to = known_to
            .iter()
            .map(|(node, number)| (author(*node), *number));
        RegisteredNode {
            node: number,
            format: 3,
            process: 1,
            machine: String::new(),
            since: Timestamp::default(),
            seen: Timestamp::default(),
            has_ended: false,
            unshared: 0,
            replica: Some(Replica {
                author: author(number),
                last,
                known_to: known_to.collect(),
                wanted: Vec::new(),
            }),
        }
    }

    #[test]
    fn a_node_lacks_what_any_other_has_also_of_authors_that_are_gone() {
        let mut nodes = [
            node(1, 10, &[(2, 5), (9, 100)]),
            node(2, 8, &[(1, 10), (9, 40)]),
            node(3, 0, &[]),
            node(4, 0, &[]),
        ];
        nodes[3].replica = None;
        let lacking: Vec<_> = nodes.iter().map(|node| node.lacks(&nodes)).collect();
        assert_eq!(lacking, [Some(3), Some(60), Some(118), None]);
    }
}
