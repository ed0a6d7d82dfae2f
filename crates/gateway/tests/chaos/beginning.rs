//! When each node begins to write again what Redis lacks.

use crate::bill::CANARIES;
use crate::calls::{Api, CircuitOutcome};
use crate::clock::Moment;
use crate::journal::{Cursor, Journal};
use crate::line::Line;
use crate::recovery::Recovery;
use crate::sending::Sending;
use crate::world::World;

/// As many facts may be on their way to Redis by the calls of this moment.
const LIVE: u64 = 64;

/// Both nodes, looked at again and again from the moment at which they reach Redis.
pub struct Beginning<'a> {
    world: &'a World,
    /// Redis lost everything.
    is_wiped: bool,
    nodes: [Node; 2],
}

struct Node {
    /// What the journal's cursor was at first, and the journal's last row.
    cursor: Cursor,
    last_row: i64,
    most_unshared: u64,
    begun: Option<Moment>,
}

impl<'a> Beginning<'a> {
    pub fn of(world: &'a World, is_wiped: bool) -> Self {
        let nodes = [0, 1].map(|node| {
            let journal = Journal::open(&world.nodes[node].journal());
            Node {
                cursor: journal.cursor(),
                last_row: journal.last_row(),
                most_unshared: 0,
                begun: None,
            }
        });
        Self {
            world,
            is_wiped,
            nodes,
        }
    }

    pub fn look(&mut self) {
        for node in 0..2 {
            if self.nodes[node].begun.is_none() && self.has_begun(node) {
                self.nodes[node].begun = Some(self.world.clock.now());
            }
        }
    }

    /// When it was seen, of each node; what is complete has begun.
    pub fn seen(mut self) -> [Moment; 2] {
        self.look();
        let now = self.world.clock.now();
        self.nodes.map(|node| node.begun.unwrap_or(now))
    }

    /// After a wipe nobody but its own node can tell the other of a canary. Else the cursor moves on,
    /// or the facts that are not shared become far fewer than they were.
    fn has_begun(&mut self, number: usize) -> bool {
        if self.is_wiped {
            return self.tells_of_its_canary(number);
        }
        let world = self.world;
        let cursor = Journal::open(&world.nodes[number].journal()).cursor();
        let node = &mut self.nodes[number];
        let has_moved = cursor != node.cursor || cursor.shared_up_to >= node.last_row;
        if has_moved && world.store.is_held_by(&cursor.shared_with) {
            return true;
        }
        let unshared = Recovery::of(world).unshared()[number];
        node.most_unshared = node.most_unshared.max(unshared);
        unshared + LIVE < node.most_unshared
    }

    fn tells_of_its_canary(&self, node: usize) -> bool {
        let id = self.world.calls.next_id();
        let sending = Sending::question(CANARIES[node], Api::Prepay, 1 - node, id);
        let outcome = sending.send(self.world, &mut Line::to(&self.world.nodes));
        matches!(outcome, CircuitOutcome::Answered(answer) if answer.res_code == "E403")
    }
}
