//! The resync, one row at a time, at any time.

use super::{Action, Model, Swap};
use crate::broken::Broken;
use crate::journal::Rows;
use crate::note::{Message, What};
use crate::state::{Place, Resync, State};

impl Model {
    pub(super) fn resync_actions(&self, state: &State, place: Place, actions: &mut Vec<Action>) {
        let node = &state.nodes[place];
        if matches!(node.resync, Resync::Swapping { .. }) {
            actions.push(Action::ResyncSwap(place));
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
            actions.push(Action::ResyncRead(place));
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

    pub(super) fn resync_read(&self, state: &mut State, place: Place) {
        // The step is only possible with a row.
        let row = state.nodes[place].unshared().next().unwrap();
        self.read_row(state, place, row);
    }

    fn read_row(&self, state: &mut State, place: Place, row: i64) {
        let node = &mut state.nodes[place];
        if node.row(row).what == What::Forgotten {
            // `Progress::pass_over_gaps`.
            let epoch = node.marks.epoch();
            let (first, last) = (row, row);
            node.marks.shared(epoch, Rows { first, last });
            node.resync = Resync::Idle;
            return;
        }
        let answer: Option<Message> = match node.row(row).what {
            What::Delivery(message, _) if node.journal.answers.has(message) => Some(message),
            _ => None,
        };
        let read = state.redis.read(answer, node.marks.epoch());
        let joined = self.joined(node, read);
        node.resync = Resync::Swapping {
            row,
            read,
            joined,
            answer,
        };
    }

    pub(super) fn resync_swap(&self, state: &mut State, place: Place) {
        let Resync::Swapping {
            row,
            read,
            joined,
            answer,
        } = state.nodes[place].resync
        else {
            unreachable!("the step is possible only during a swap");
        };
        if !state.redis.up {
            state.nodes[place].resync = Resync::Idle;
            return;
        }
        match self.swap(state, (read, joined), answer) {
            Swap::Conflict => self.read_row(state, place, row),
            Swap::Done => {
                let node = &mut state.nodes[place];
                node.resync = Resync::Idle;
                self.mark(node, read, row, row);
                self.has_shared(state, place, joined);
            }
        }
    }
}
