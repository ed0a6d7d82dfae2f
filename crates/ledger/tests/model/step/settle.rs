//! `Ledger::settle` and `Ledger::record_delivery`: folded, committed, shared, answered.

use super::{Model, Swap};
use crate::DeliveryState;
use crate::call::{Outcome, Phase, Span};
use crate::note::{Message, What};
use crate::state::{Entry, Read, State};
use crate::table::StateNumber;

impl Model {
    pub(super) fn settle_link(&self, state: &mut State, number: u8, outcome: Outcome) {
        let now = self.now(state, state.calls[usize::from(number)].place);
        let call = &mut state.calls[usize::from(number)];
        // Only a reserved creation was sent.
        let attempt = call.attempt.as_mut().unwrap();
        attempt.outcome = Some(outcome);
        state.seen.not_refused |= outcome != Outcome::Refused;
        let what = match outcome {
            Outcome::Ok => What::Linked(attempt.stamp),
            Outcome::Refused => What::Released {
                attempt: attempt.stamp,
                after_unknown: attempt.after_unknown,
            },
            Outcome::Unknown => What::Uncertain(attempt.stamp),
        };
        self.settle(state, number, (now.millis(), what), None);
    }

    pub(super) fn settle_delivery(
        &self,
        state: &mut State,
        number: u8,
        message: Message,
        outcome: Outcome,
    ) {
        let place = state.calls[usize::from(number)].place;
        let now = self.now(state, place);
        let (delivery, answer) = match outcome {
            Outcome::Ok => (DeliveryState::Accepted, Some(message)),
            Outcome::Refused => (DeliveryState::Refused, None),
            Outcome::Unknown => (DeliveryState::Unknown, None),
        };
        if answer.is_some() {
            state.nodes[place].accepted.insert(message);
        }
        let what = What::Delivery(message, delivery);
        self.settle(state, number, (now.millis(), what), answer);
    }

    fn settle(
        &self,
        state: &mut State,
        number: u8,
        (now, what): (i64, What),
        answer: Option<Message>,
    ) {
        let call = &mut state.calls[usize::from(number)];
        let node = &mut state.nodes[call.place];
        let entry = Entry {
            notes: vec![Self::note(node, call.place, now, what)],
            answer,
            waits: Some(number),
        };
        call.phase = Phase::Settling;
        self.tell(node, entry);
    }

    /// `Ledger::share_bill`: read, then merge; in one step, because facts that this node gets in between
    /// could only be missing from the merge, never wrong in it.
    pub(super) fn read_to_settle(&self, state: &mut State, number: u8, rows: Span) {
        if !state.redis.up {
            Self::done(state, number);
            return;
        }
        let call = &mut state.calls[usize::from(number)];
        let node = &mut state.nodes[call.place];
        let epoch = node.marks.epoch();
        let read = state.redis.read(call.accepted(node.accepted), epoch);
        let joined = self.joined(node, read);
        call.phase = Phase::SettledSwapping { read, joined, rows };
    }

    pub(super) fn share_settled(
        &self,
        state: &mut State,
        number: u8,
        swap: (Read, StateNumber),
        rows: Span,
    ) {
        if !state.redis.up {
            Self::done(state, number);
            return;
        }
        let call = &state.calls[usize::from(number)];
        let place = call.place;
        let answer = call.accepted(state.nodes[place].accepted);
        match self.swap(state, swap, answer) {
            Swap::Conflict => self.read_to_settle(state, number, rows),
            Swap::Done => {
                self.mark(&mut state.nodes[place], swap.0, rows.0, rows.1);
                self.has_shared(state, place, swap.1);
                Self::done(state, number);
            }
        }
    }
}
