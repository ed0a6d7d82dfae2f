//! The bill's states by number: a model state holds numbers, the table holds the bill states.
//!
//! Two numbers are the same if and only if the two are equal. Folding and joining are the production
//! code's, remembered by number because both are pure.

use std::cell::RefCell;
use std::collections::HashMap;

use protocol::{Bill, PaymentEvent};

use crate::decision::{BillView, DecisionInput};
use crate::note::{Message, Note, bill};
use crate::{BillState, LinkRefusal, LinkState, PaymentEffect, Stamp, Timestamp};

/// The number of a bill state.
pub(crate) type StateNumber = u32;

/// The bill state without facts.
pub(crate) const NOTHING: StateNumber = 0;

pub(crate) struct Table {
    bill: Bill,
    events: Vec<PaymentEvent>,
    rows: RefCell<Rows>,
}

#[derive(Default)]
struct Rows {
    bill_states: Vec<BillState>,
    /// By their `Debug` text, which is equal if they are.
    numbers: HashMap<String, StateNumber>,
    folded: HashMap<(StateNumber, Note), StateNumber>,
    joined: HashMap<(Option<StateNumber>, StateNumber), StateNumber>,
    conflicts: HashMap<(Option<StateNumber>, StateNumber), Option<Stamp>>,
}

impl Rows {
    fn number(&mut self, bill_state: BillState) -> StateNumber {
        let spelled = format!("{bill_state:?}");
        if let Some(number) = self.numbers.get(&spelled) {
            return *number;
        }
        let number = StateNumber::try_from(self.bill_states.len()).unwrap();
        self.bill_states.push(bill_state);
        self.numbers.insert(spelled, number);
        number
    }

    fn bill_state(&self, number: StateNumber) -> &BillState {
        &self.bill_states[usize::try_from(number).unwrap()]
    }
}

impl Table {
    pub(crate) fn new(events: Vec<PaymentEvent>) -> Self {
        let mut rows = Rows::default();
        rows.number(BillState::default());
        Self {
            bill: bill(),
            events,
            rows: RefCell::new(rows),
        }
    }

    pub(crate) fn events(&self) -> &[PaymentEvent] {
        &self.events
    }

    /// `BillState::fold`.
    pub(crate) fn fold(&self, bill_state: StateNumber, note: Note) -> StateNumber {
        let mut rows = self.rows.borrow_mut();
        if let Some(folded) = rows.folded.get(&(bill_state, note)) {
            return *folded;
        }
        let mut next = rows.bill_state(bill_state).clone();
        next.fold(&note.fact(&self.events));
        let folded = rows.number(next);
        rows.folded.insert((bill_state, note), folded);
        folded
    }

    /// `Held::join`: the merge of the remote state and the node's.
    pub(crate) fn join(&self, remote: Option<StateNumber>, local: StateNumber) -> StateNumber {
        let mut rows = self.rows.borrow_mut();
        if let Some(joined) = rows.joined.get(&(remote, local)) {
            return *joined;
        }
        let mut both = rows.bill_state(remote.unwrap_or(NOTHING)).clone();
        both.merge(rows.bill_state(local));
        let joined = rows.number(both);
        rows.joined.insert((remote, local), joined);
        joined
    }

    /// `BillState::conflict`: the stamp of the conflict to report.
    pub(crate) fn conflict(
        &self,
        remote: Option<StateNumber>,
        local: StateNumber,
    ) -> Option<Stamp> {
        let mut rows = self.rows.borrow_mut();
        if let Some(stamp) = rows.conflicts.get(&(remote, local)) {
            return *stamp;
        }
        let theirs = rows.bill_state(remote.unwrap_or(NOTHING));
        let conflict = theirs.conflict(rows.bill_state(local), &self.bill);
        let stamp = conflict.map(|fact| fact.stamp);
        rows.conflicts.insert((remote, local), stamp);
        stamp
    }

    /// `BillState::latest`.
    pub(crate) fn latest(&self, bill_state: StateNumber) -> Stamp {
        self.decide(bill_state, BillState::latest)
    }

    /// `DecisionInput::may_create`.
    pub(crate) fn may_create(
        &self,
        bill_state: StateNumber,
        now: Timestamp,
    ) -> Result<LinkState, LinkRefusal> {
        self.decide(bill_state, |state| {
            let input = DecisionInput {
                state: Some(state),
                others: None,
            };
            input.may_create(&self.bill, now)
        })
    }

    /// `Payments::judge`, on a bill that may have no payment yet.
    pub(crate) fn judge(
        &self,
        bill_state: StateNumber,
        message: Message,
        now: Timestamp,
    ) -> PaymentEffect {
        let event = &self.events[usize::from(message)];
        self.decide(bill_state, |state| {
            let payments = state.payments();
            payments.map_or(PaymentEffect::New, |payments| {
                payments.effect_of(event, now)
            })
        })
    }

    /// `BillState::is_settled_to_nothing`.
    pub(crate) fn is_settled_to_nothing(&self, bill_state: StateNumber) -> bool {
        self.decide(bill_state, BillState::is_settled_to_nothing)
    }

    /// Whether a link is registered once all budgets are over.
    pub(crate) fn is_registered_in_the_end(&self, bill_state: StateNumber) -> bool {
        let end = Timestamp::from_millis(i64::MAX);
        self.decide(bill_state, |state| state.link_state(end).is_registered())
    }

    pub(crate) fn is_paid(&self, bill_state: StateNumber, now: Timestamp) -> bool {
        self.decide(bill_state, |state| BillView::of(state, now).paid)
    }

    pub(crate) fn is_error_bill(&self, bill_state: StateNumber, now: Timestamp) -> bool {
        self.decide(bill_state, |state| BillView::of(state, now).error_bill)
    }

    /// Whether the state has the event.
    pub(crate) fn has(&self, bill_state: StateNumber, message: Message, now: Timestamp) -> bool {
        matches!(
            self.judge(bill_state, message, now),
            PaymentEffect::Repeated | PaymentEffect::OtherAmount
        )
    }

    /// Whether the state has a delivery of the event.
    pub(crate) fn has_delivery(&self, bill_state: StateNumber, message: Message) -> bool {
        let event = &self.events[usize::from(message)];
        self.decide(bill_state, |state| state.delivery(event).is_some())
    }

    fn decide<T>(&self, bill_state: StateNumber, decision: impl FnOnce(&BillState) -> T) -> T {
        decision(self.rows.borrow().bill_state(bill_state))
    }
}
