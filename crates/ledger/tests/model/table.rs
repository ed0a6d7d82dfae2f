//! The bill's states by number: a model state holds numbers, the table holds the bill states.
//!
//! Two numbers are the same if and only if the two are equal. Folding and joining are the production
//! code's, remembered by number because both are pure.

use std::cell::RefCell;
use std::collections::HashMap;

use protocol::{Bill, PaymentEvent};

use crate::decision::DecisionInput;
use crate::note::{Message, Note, bill};
use crate::{BillGroup, BillState, LinkRefusal, LinkState, PaymentEffect, Stamp, Timestamp};

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
    bill_groups: Vec<BillGroup>,
    /// By their `Debug` text, which is equal if they are.
    numbers: HashMap<String, StateNumber>,
    folded: HashMap<(StateNumber, Note), StateNumber>,
    joined: HashMap<(Option<StateNumber>, StateNumber), StateNumber>,
    conflicts: HashMap<(Option<StateNumber>, StateNumber), Option<Stamp>>,
}

impl Rows {
    fn number(&mut self, bill_group: BillGroup) -> StateNumber {
        let spelled = format!("{bill_group:?}");
        if let Some(bill_state) = self.numbers.get(&spelled) {
            return *bill_state;
        }
        let number = StateNumber::try_from(self.bill_groups.len()).unwrap();
        self.bill_groups.push(bill_group);
        self.numbers.insert(spelled, number);
        number
    }

    fn bill_group(&self, bill_state: StateNumber) -> &BillGroup {
        &self.bill_groups[usize::try_from(bill_state).unwrap()]
    }
}

impl Table {
    pub(crate) fn new(events: Vec<PaymentEvent>) -> Self {
        let mut rows = Rows::default();
        rows.number(BillGroup::default());
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
        let mut bill_group = rows.bill_group(bill_state).clone();
        bill_group.entry(&self.bill).fold(&note.fact(&self.events));
        let folded = rows.number(bill_group);
        rows.folded.insert((bill_state, note), folded);
        folded
    }

    /// `Held::join`: the merge of the remote state and the node's.
    pub(crate) fn join(&self, remote: Option<StateNumber>, local: StateNumber) -> StateNumber {
        let mut rows = self.rows.borrow_mut();
        if let Some(joined) = rows.joined.get(&(remote, local)) {
            return *joined;
        }
        let mut bill_group = rows.bill_group(remote.unwrap_or(NOTHING)).clone();
        bill_group.merge(rows.bill_group(local));
        let joined = rows.number(bill_group);
        rows.joined.insert((remote, local), joined);
        joined
    }

    /// `BillGroup::conflicts`: the stamp of the conflict to report.
    pub(crate) fn conflict(
        &self,
        remote: Option<StateNumber>,
        local: StateNumber,
    ) -> Option<Stamp> {
        let mut rows = self.rows.borrow_mut();
        if let Some(stamp) = rows.conflicts.get(&(remote, local)) {
            return *stamp;
        }
        let bill_group = rows.bill_group(remote.unwrap_or(NOTHING));
        let conflicts = bill_group.conflicts(rows.bill_group(local));
        let stamp = conflicts.first().map(|fact| fact.stamp);
        rows.conflicts.insert((remote, local), stamp);
        stamp
    }

    /// `BillState::latest`.
    pub(crate) fn latest(&self, bill_state: StateNumber) -> Stamp {
        self.decide(bill_state, |input| {
            let state = input.get(&self.bill);
            state.map(BillState::latest).unwrap_or_default()
        })
    }

    /// `DecisionInput::may_create`.
    pub(crate) fn may_create(
        &self,
        bill_state: StateNumber,
        now: Timestamp,
    ) -> Result<LinkState, LinkRefusal> {
        self.decide(bill_state, |input| input.may_create(&self.bill, now))
    }

    /// `Payments::judge`, on a bill that may have no payment yet.
    pub(crate) fn judge(
        &self,
        bill_state: StateNumber,
        message: Message,
        now: Timestamp,
    ) -> PaymentEffect {
        let event = &self.events[usize::from(message)];
        self.decide(bill_state, |input| {
            input
                .get(&self.bill)
                .and_then(BillState::payments)
                .map_or(PaymentEffect::New, |payments| {
                    payments.effect_of(event, now)
                })
        })
    }

    /// `BillState::is_settled_to_nothing`.
    pub(crate) fn is_settled_to_nothing(&self, bill_state: StateNumber) -> bool {
        self.decide(bill_state, |input| {
            let state = input.get(&self.bill);
            state.is_none_or(BillState::is_settled_to_nothing)
        })
    }

    /// Whether a link is registered once all budgets are over.
    pub(crate) fn is_registered_in_the_end(&self, bill_state: StateNumber) -> bool {
        let end = Timestamp::from_millis(i64::MAX);
        self.decide(bill_state, |input| {
            let state = input.get(&self.bill);
            state.is_some_and(|state| state.link_state(end).is_registered())
        })
    }

    pub(crate) fn is_paid(&self, bill_state: StateNumber, now: Timestamp) -> bool {
        self.decide(bill_state, |input| input.view(&self.bill, now).paid)
    }

    pub(crate) fn is_error_bill(&self, bill_state: StateNumber, now: Timestamp) -> bool {
        self.decide(bill_state, |input| input.view(&self.bill, now).error_bill)
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
        self.decide(bill_state, |input| {
            input
                .get(&self.bill)
                .is_some_and(|state| state.delivery(event).is_some())
        })
    }

    fn decide<T>(
        &self,
        bill_state: StateNumber,
        decision: impl FnOnce(DecisionInput<'_>) -> T,
    ) -> T {
        let rows = self.rows.borrow();
        decision(DecisionInput {
            bill_group: Some(rows.bill_group(bill_state)),
            owners: None,
        })
    }
}
