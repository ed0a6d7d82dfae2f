//! Observes when each node starts its resync.

use crate::clock::Moment;
use crate::faults::recovery::Recovery;
use crate::journal::{Cursor, Journal};
use crate::node::{ALL_NODES, NODES};
use crate::testbed::Testbed;

/// How many facts the calls under way may be about to share.
const IN_FLIGHT: u64 = 64;

/// Observes the nodes from the moment at which they reach Redis.
pub struct ResyncObserver<'a> {
    testbed: &'a Testbed,
    nodes: [Node; NODES],
}

struct Node {
    /// The journal's cursor and last row at the first observation.
    cursor: Cursor,
    last_row: i64,
    most_unshared: u64,
    started: Option<Moment>,
}

impl<'a> ResyncObserver<'a> {
    pub fn of(testbed: &'a Testbed) -> Self {
        let nodes = testbed.nodes.each_ref().map(|node| {
            let journal = Journal::open(&node.journal());
            Node {
                cursor: journal.cursor(),
                last_row: journal.last_row(),
                most_unshared: 0,
                started: None,
            }
        });
        Self { testbed, nodes }
    }

    pub fn observe(&mut self) {
        for node in ALL_NODES {
            if self.nodes[node].started.is_none() && self.has_started(node) {
                self.nodes[node].started = Some(self.testbed.clock.now());
            }
        }
    }

    /// Returns when the start of each resync was observed. The resync must have ended by now.
    pub fn started_at(mut self) -> [Moment; NODES] {
        self.observe();
        let now = self.testbed.clock.now();
        self.nodes.map(|node| node.started.unwrap_or(now))
    }

    /// The cursor moves, or the number of unshared facts falls clearly.
    fn has_started(&mut self, number: usize) -> bool {
        let testbed = self.testbed;
        let cursor = Journal::open(&testbed.nodes[number].journal()).cursor();
        let node = &mut self.nodes[number];
        let has_moved = cursor != node.cursor || cursor.shared_up_to >= node.last_row;
        if has_moved && testbed.store.is_held_by(&cursor.shared_with) {
            return true;
        }
        let unshared = Recovery::of(testbed).unshared()[number];
        node.most_unshared = node.most_unshared.max(unshared);
        unshared + IN_FLIGHT < node.most_unshared
    }
}
