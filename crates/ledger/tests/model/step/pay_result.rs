//! `Ledger::record_payment` and the delivery.

use super::{Model, Swap};
use crate::call::{Phase, Span};
use crate::note::{Message, What};
use crate::state::{Entry, Read, State};
use crate::table::StateNumber;
use crate::{PaymentEffect, Timestamp};

impl Model {
    pub(super) fn read_for_payment(state: &mut State, number: u8, message: Message) {
        if !state.redis.up {
            state.calls[usize::from(number)].phase = Phase::Deciding(None);
            return;
        }
        let place = state.calls[usize::from(number)].place;
        let epoch = state.nodes[place].marks.epoch();
        let read = state.redis.read(Some(message), epoch);
        if read.answer {
            Self::done(state, number);
        } else {
            state.calls[usize::from(number)].phase = Phase::Deciding(Some(read));
        }
    }

    pub(super) fn decide_payment(
        &self,
        state: &mut State,
        number: u8,
        message: Message,
        read: Option<Read>,
    ) {
        let call = &mut state.calls[usize::from(number)];
        let node = &mut state.nodes[call.place];
        if let Some(read) = read {
            self.observe(node, read);
        }
        let bill_state = read.map_or(node.memory, |read| {
            self.table.join(read.bill_group, node.memory)
        });
        let effect = self
            .table
            .judge(bill_state, message, Timestamp::from_millis(call.now));
        let mut notes = vec![Self::note(
            node,
            call.place,
            call.now,
            What::Payment(message),
        )];
        if is_odd(effect) {
            notes.push(Self::note(node, call.place, call.now, What::Classified));
        }
        let entry = Entry {
            notes,
            answer: None,
            waits: Some(number),
        };
        call.phase = Phase::Committing(read);
        self.tell(node, entry);
    }

    pub(super) fn join_payment(&self, state: &mut State, number: u8, read: Read, rows: Span) {
        let call = &mut state.calls[usize::from(number)];
        let node = &mut state.nodes[call.place];
        let joined = self.joined(node, read);
        state.calls[usize::from(number)].phase = Phase::Swapping { read, joined, rows };
    }

    /// One round of `Ledger::share_payment`. From here on the payment is visible on every node that reaches
    /// Redis; on this node it is visible since the fold.
    pub(super) fn share_payment(
        &self,
        state: &mut State,
        (number, message): (u8, Message),
        swap: (Read, StateNumber),
        rows: Span,
    ) {
        let place = state.calls[usize::from(number)].place;
        if !state.redis.up {
            state.calls[usize::from(number)].phase = Phase::Recorded;
            return;
        }
        match self.swap(state, swap, None) {
            Swap::Done => {
                self.mark(&mut state.nodes[place], swap.0, rows.0, rows.1);
                self.has_shared(state, place, swap.1);
                state.calls[usize::from(number)].phase = Phase::Recorded;
            }
            Swap::Conflict => {
                let read = state.redis.read(None, swap.0.epoch);
                self.classify_conflict(state, number, message, read);
                state.calls[usize::from(number)].phase = Phase::Committed { read, rows };
            }
        }
    }

    /// If another node's payment is in Redis meanwhile, the two conflict.
    fn classify_conflict(&self, state: &mut State, number: u8, message: Message, meanwhile: Read) {
        let call = &state.calls[usize::from(number)];
        let now = Timestamp::from_millis(call.now);
        let node = &mut state.nodes[call.place];
        let effect_in = |bill_state: StateNumber| self.table.judge(bill_state, message, now);
        let theirs = effect_in(self.table.join(meanwhile.bill_group, crate::table::NOTHING));
        // A payment that was judged irregular has classified the bill already.
        let classified = self.table.is_error_bill(node.memory, now);
        if is_odd(theirs) && !classified {
            let classification = Self::note(node, call.place, call.now, What::Classified);
            let entry = Entry {
                notes: vec![classification],
                answer: None,
                waits: None,
            };
            self.tell(node, entry);
        }
    }

    pub(super) fn deliver(state: &mut State, number: u8, message: Message) {
        let call = &mut state.calls[usize::from(number)];
        if let Some(wrong) = call.forbidden {
            state.seen.wrong = Some(wrong);
        }
        call.phase = Phase::Sent;
        state.seen.delivered.insert(message);
    }
}

const fn is_odd(effect: PaymentEffect) -> bool {
    matches!(effect, PaymentEffect::Double | PaymentEffect::OtherAmount)
}
