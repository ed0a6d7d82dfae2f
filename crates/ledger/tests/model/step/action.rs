//! The possible steps.

use super::Model;
use crate::broken::Broken;
use crate::call::{Kind, Outcome, Phase};
use crate::state::{Place, State};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A node gets a call.
    Arrive(u8, Place),
    /// A call makes its next step.
    Advance(u8),
    /// Redis executes a call's swap and is out of reach before its answer arrives.
    SwapUnanswered(u8),
    /// The called party has answered this.
    Answer(u8, Outcome),
    /// A node's journal commits its oldest queued entry.
    Commit(Place),
    /// The resync notices that Redis is another one.
    Rewind(Place),
    /// The resync reads the remote state of the next row's bill.
    ResyncRead(Place),
    /// The resync's swap is executed.
    ResyncSwap(Place),
    /// The cursor is written.
    WriteCursor(Place),
    /// A node forgets creations that were refused.
    ForgetRefused(Place),
    /// Redis's value that says nothing else expires.
    Expire,
    Crash(Place),
    /// A crash right after the cursor was written; only in a coarse scenario.
    CrashBehindCursor(Place),
    Restart(Place),
    Wipe,
    OutOfReach,
    InReach,
    Tick,
}

impl Model {
    /// Returns every possible step.
    pub(crate) fn actions(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::with_capacity(16);
        self.call_actions(state, &mut actions);
        for place in 0..2 {
            if state.nodes[place].up {
                if !state.nodes[place].queue.is_empty() {
                    actions.push(Action::Commit(place));
                }
                self.resync_actions(state, place, &mut actions);
            }
        }
        self.forget_actions(state, &mut actions);
        self.fault_actions(state, &mut actions);
        actions
    }

    fn call_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, call) in (0_u8..).zip(&state.calls) {
            match call.phase {
                Phase::Coming => {
                    // Equal calls begin in their order, because it makes no difference which is first.
                    let twin = state.calls[..usize::from(number)]
                        .iter()
                        .any(|other| other.kind == call.kind && other.phase == Phase::Coming);
                    // If the nodes are alike, the first call is on the first.
                    let first = state.calls.iter().all(|call| call.phase == Phase::Coming)
                        && state.nodes[0] == state.nodes[1]
                        && self.scenario.behind == [0; 2];
                    let places = (0..if first { 1 } else { 2 })
                        .filter(|place| Self::may_arrive(state, number, *place));
                    if !twin {
                        actions.extend(places.map(|place| Action::Arrive(number, place)));
                    }
                }
                Phase::Committing(_)
                    if self.broken == Some(Broken::RelayBeforeTheCommit)
                        && matches!(call.kind, Kind::PayResult(_)) =>
                {
                    actions.push(Action::Advance(number));
                }
                Phase::Done | Phase::Dead | Phase::Committing(_) | Phase::Settling => {}
                Phase::Sent => {
                    let outcomes: &[Outcome] = match call.kind {
                        _ if self.is_over(state, number) => &[Outcome::Unknown],
                        Kind::Create => &[Outcome::Ok, Outcome::Refused, Outcome::Unknown],
                        Kind::PayResult(_) => &[Outcome::Ok, Outcome::Unknown],
                    };
                    actions.extend(
                        outcomes
                            .iter()
                            .map(|outcome| Action::Answer(number, *outcome)),
                    );
                }
                phase => {
                    actions.push(Action::Advance(number));
                    let swaps = phase.is_swap() || !self.scenario.fine && phase.leads_to_swap();
                    if swaps && state.redis.up && state.left.outages > 0 {
                        actions.push(Action::SwapUnanswered(number));
                    }
                }
            }
        }
    }

    /// A copy of a pay-result that is under way on this node waits.
    fn may_arrive(state: &State, call: u8, place: Place) -> bool {
        let node = &state.nodes[place];
        let call = &state.calls[usize::from(call)];
        let waits = matches!(call.kind, Kind::PayResult(message) if node.under_way.has(message));
        node.up && !waits
    }
}
