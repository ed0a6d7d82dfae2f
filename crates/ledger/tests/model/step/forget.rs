//! `retention::forget_refused_links`, and the expiry of Redis's values. Both come minutes after the refusal, but as early
//! as that in every other respect: a call that is under way then has read what Redis says now, for no budget is that long.

use super::{Action, Model};
use crate::broken::Broken;
use crate::call::Phase;
use crate::note::What;
use crate::state::{Place, State};
use crate::table::{NOTHING, StateNumber};

impl Model {
    pub(super) fn forget_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let is_old = |phase: Phase| {
            phase
                .read()
                .is_some_and(|read| read != state.redis.bill_group)
        };
        if !self.scenario.forgets || state.calls.iter().any(|call| is_old(call.phase)) {
            return;
        }
        for place in 0..2 {
            let node = &state.nodes[place];
            let is_shared = node.unshared().next().is_none();
            let may =
                node.queue.is_empty() && is_shared || self.broken == Some(Broken::ForgetUnshared);
            let has_some = node.memory != NOTHING;
            if node.up && may && has_some && self.table.is_settled_to_nothing(node.memory) {
                actions.push(Action::ForgetRefused(place));
            }
        }
        let value = state.redis.bill_group;
        if state.redis.up && value.is_some_and(|value| self.table.is_settled_to_nothing(value)) {
            actions.push(Action::Expire);
        }
    }

    pub(super) fn forget_refused(&self, state: &mut State, place: Place) {
        self.pass_minutes(state, state.nodes[place].memory);
        let node = &mut state.nodes[place];
        node.memory = NOTHING;
        for note in &mut node.journal.rows {
            if matches!(note.what, What::Reserved { .. } | What::Released { .. }) {
                note.what = What::Forgotten;
            }
        }
    }

    pub(super) fn expire(&self, state: &mut State) {
        if let Some(value) = state.redis.bill_group.take() {
            self.pass_minutes(state, value);
        }
    }

    /// The stamps of all nodes are later from now on than those of the refused creations: clocks that differ by minutes
    /// are beyond this model.
    fn pass_minutes(&self, state: &mut State, refused: StateNumber) {
        let latest = self.table.latest(refused).time;
        for node in &mut state.nodes {
            node.clock = node.clock.max(latest);
        }
    }
}
