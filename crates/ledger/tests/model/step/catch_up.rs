//! The resync, one row at a time, at any time.

use super::{Action, Model, Swap};
use crate::broken::Broken;
use crate::note::{Message, What};
use crate::state::{CatchUp, Place, State};

impl Model {
    pub(super) fn catch_up_actions(&self, state: &State, place: Place, actions: &mut Vec<Action>) {
        let node = &state.nodes[place];
        if matches!(node.catch_up, CatchUp::Swapping { .. }) {
            actions.push(Action::CatchUpSwap(place));
            return;
        }
        let is_another = node.shared_with != state.redis.identity;
        if state.redis.up && is_another {
            actions.push(Action::Rewind(place));
        }
        // A round continues while Redis is wiped.
        let calls_first = self.scenario.calls_first
            && (state.calls.iter()).any(|call| call.place == place && call.is_under_way());
        if state.redis.up && node.unshared().next().is_some() && !calls_first {
            actions.push(Action::CatchUpRead(place));
        }
        // Only the start of a node reads it.
        let matters = self.scenario.fine && state.left.crashes > 0;
        if matters && !node.is_cursor_written() {
            actions.push(Action::WriteCursor(place));
        }
    }

    pub(super) fn rewind(&self, state: &mut State, place: Place) {
        let node = &mut state.nodes[place];
        if self.broken != Some(Broken::NoRewind) {
            node.marks.rewind();
        }
        node.shared_with = state.redis.identity;
    }

    pub(super) fn write_cursor(state: &mut State, place: Place) {
        let node = &mut state.nodes[place];
        node.journal.shared_up_to = node.marks.up_to();
        node.journal.shared_with = node.shared_with;
    }

    pub(super) fn catch_up_read(&self, state: &mut State, place: Place) {
        // The step is only possible with a row.
        let row = state.nodes[place].unshared().next().unwrap();
        self.read_row(state, place, row);
    }

    fn read_row(&self, state: &mut State, place: Place, row: i64) {
        let node = &mut state.nodes[place];
        let answer: Option<Message> = match node.row(row).what {
            What::Delivery(message, _) if node.journal.answers.has(message) => Some(message),
            _ => None,
        };
        let read = state.redis.read(answer, node.marks.epoch());
        let joined = self.joined(node, read);
        node.catch_up = CatchUp::Swapping {
            row,
            read,
            joined,
            answer,
        };
    }

    pub(super) fn catch_up_swap(&self, state: &mut State, place: Place) {
        let CatchUp::Swapping {
            row,
            read,
            joined,
            answer,
        } = state.nodes[place].catch_up
        else {
            unreachable!("the step can be taken only where a swap is on its way");
        };
        if !state.redis.up {
            state.nodes[place].catch_up = CatchUp::Idle;
            return;
        }
        match self.swap(state, (read, joined), answer) {
            Swap::Conflict => self.read_row(state, place, row),
            Swap::Done => {
                let node = &mut state.nodes[place];
                node.catch_up = CatchUp::Idle;
                self.mark(node, read, row, row);
                self.has_shared(state, place, joined);
            }
        }
    }
}
