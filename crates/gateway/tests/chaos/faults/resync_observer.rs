//! Observes when each node starts its resync.

use crate::bill::CANARIES;
use crate::calls::{Api, CallOutcome};
use crate::clock::Moment;
use crate::faults::recovery::Recovery;
use crate::journal::{Cursor, Journal};
use crate::load::caller_connections::CallerConnections;
use crate::load::request::Request;
use crate::testbed::Testbed;

/// How many facts the calls under way may be about to share.
const IN_FLIGHT: u64 = 64;

/// Observes both nodes from the moment at which they reach Redis.
pub struct ResyncObserver<'a> {
    testbed: &'a Testbed,
    /// Redis lost everything.
    is_wiped: bool,
    nodes: [Node; 2],
}

struct Node {
    /// The journal's cursor and last row at the first observation.
    cursor: Cursor,
    last_row: i64,
    most_unshared: u64,
    started: Option<Moment>,
}

impl<'a> ResyncObserver<'a> {
    pub fn of(testbed: &'a Testbed, is_wiped: bool) -> Self {
        let nodes = [0, 1].map(|node| {
            let journal = Journal::open(&testbed.nodes[node].journal());
            Node {
                cursor: journal.cursor(),
                last_row: journal.last_row(),
                most_unshared: 0,
                started: None,
            }
        });
        Self {
            testbed,
            is_wiped,
            nodes,
        }
    }

    pub fn observe(&mut self) {
        for node in 0..2 {
            if self.nodes[node].started.is_none() && self.has_started(node) {
                self.nodes[node].started = Some(self.testbed.clock.now());
            }
        }
    }

    /// Returns when the start of each resync was observed. The resync must have ended by now.
    pub fn started_at(mut self) -> [Moment; 2] {
        self.observe();
        let now = self.testbed.clock.now();
        self.nodes.map(|node| node.started.unwrap_or(now))
    }

    /// After a wipe, only the resync of a node makes its canary visible to the other one. Otherwise the
    /// cursor moves or the number of unshared facts falls clearly.
    fn has_started(&mut self, number: usize) -> bool {
        if self.is_wiped {
            return self.canary_is_visible(number);
        }
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

    fn canary_is_visible(&self, node: usize) -> bool {
        let id = self.testbed.calls.next_id();
        let request = Request::without_event(CANARIES[node], Api::Prepay, 1 - node, id);
        let outcome = request.send(
            self.testbed,
            &mut CallerConnections::to(&self.testbed.nodes),
        );
        matches!(outcome, CallOutcome::Answered(answer) if answer.res_code == "E403")
    }
}
