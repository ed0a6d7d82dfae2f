//! The faults: crashes, wipes and outages; and the passing of time.

use crate::broken::Broken;
use crate::call::Phase;
use crate::note::{Messages, What};
use crate::share::Marks;
use crate::state::{Entry, Place, Resync, State};
use crate::step::{Action, Model};
use crate::table::NOTHING;
use crate::{DeliveryState, Stamp};

impl Model {
    pub(crate) fn fault_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for place in 0..2 {
            if !state.nodes[place].up {
                actions.push(Action::Restart(place));
            } else if state.left.crashes > 0 {
                actions.push(Action::Crash(place));
                let node = &state.nodes[place];
                // A cursor that is further behind only repeats work.
                if !self.scenario.fine && !node.is_cursor_written() {
                    actions.push(Action::CrashBehindCursor(place));
                }
            }
        }
        let holds_something = state.redis.bill_group.is_some();
        if state.redis.up && state.left.wipes > 0 && holds_something {
            actions.push(Action::Wipe);
        }
        if state.redis.up && state.left.outages > 0 {
            actions.push(Action::OutOfReach);
        }
        if !state.redis.up {
            actions.push(Action::InReach);
        }
        if state.left.ticks > 0 {
            actions.push(Action::Tick);
        }
    }

    /// Kills a node: only committed rows of its journal stay.
    pub(crate) fn crash(state: &mut State, place: Place) {
        state.left.crashes -= 1;
        // A creation that was under way is unknown.
        state.seen.not_refused = true;
        let node = &mut state.nodes[place];
        node.up = false;
        node.queue.clear();
        node.memory = NOTHING;
        node.accepted = Messages::default();
        node.under_way = Messages::default();
        node.clock = 0;
        node.marks = Marks::default();
        node.shared_with = 0;
        node.resync = Resync::Idle;
        for call in &mut state.calls {
            if call.place == place && call.is_under_way() {
                call.end(Phase::Dead);
            }
        }
    }

    /// `Node::open`.
    pub(crate) fn restart(&self, state: &mut State, place: Place) {
        let now = self.now(state, place).millis();
        let node = &mut state.nodes[place];
        node.up = true;
        let memory = node.journal.facts().fold(NOTHING, |bill_state, note| {
            self.table.fold(bill_state, *note)
        });
        node.memory = memory;
        if self.broken != Some(Broken::LoseAnswers) {
            node.accepted = node.journal.answers;
        }
        let stamps = node.journal.facts().map(|note| note.stamp);
        node.clock = stamps.max().unwrap_or(Stamp::default()).time;
        let last = i64::try_from(node.journal.rows.len()).unwrap();
        node.marks = Marks::new(node.journal.shared_up_to, last);
        node.shared_with = node.journal.shared_with;
        if self.broken == Some(Broken::LeaveInterruptedOpen) {
            return;
        }
        let mut interrupted = Messages::default();
        for note in &node.journal.rows {
            if let What::Payment(message) = note.what {
                interrupted.insert(message);
            }
        }
        for note in &node.journal.rows {
            if let What::Delivery(message, _) = note.what {
                interrupted.remove(message);
            }
        }
        for message in interrupted.iter() {
            let what = What::Delivery(message, DeliveryState::Unknown);
            let unknown = Self::note(node, place, now, what);
            let entry = Entry {
                notes: vec![unknown],
                answer: None,
                waits: None,
            };
            self.tell(node, entry);
        }
    }

    pub(crate) fn wipe(state: &mut State) {
        state.left.wipes -= 1;
        state.redis.bill_group = None;
        state.redis.answers = Messages::default();
        state.redis.identity += 1;
        state.seen.shared = Messages::default();
        for call in &mut state.calls {
            if let Some(attempt) = &mut call.attempt {
                attempt.wiped = true;
                attempt.outcome_shared = false;
            }
        }
    }
}
