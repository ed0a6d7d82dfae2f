//! The bill's states by number: a model state holds numbers, the table holds the bill states.
//!
//! Two numbers are the same if and only if the two are equal. Folding and joining are the production
//! code's, remembered by number because both are pure.

use std::cell::RefCell;
use std::collections::HashMap;

use protocol::{Bill, PaymentEvent};

use crate::knowledge::Knowledge;
use crate::note::{Message, Note, bill};
use crate::{BillGroup, BillState, LinkRefusal, LinkState, PaymentEffect, Stamp, Timestamp};

/// The number of a bill state.
pub(crate) type Known = u32;

/// The bill state without facts.
pub(crate) const NOTHING: Known = 0;

pub(crate) struct Table {
    bill: Bill,
    events: Vec<PaymentEvent>,
    rows: RefCell<Rows>,
}

#[derive(Default)]
struct Rows {
    families: Vec<BillGroup>,
    /// By their `Debug` text, which is equal if they are.
    numbers: HashMap<String, Known>,
    folded: HashMap<(Known, Note), Known>,
    joined: HashMap<(Option<Known>, Known), Known>,
    meetings: HashMap<(Option<Known>, Known), Option<Stamp>>,
}

impl Rows {
    fn number(&mut self, family: BillGroup) -> Known {
        let spelled = format!("{family:?}");
        if let Some(known) = self.numbers.get(&spelled) {
            return *known;
        }
        let number = Known::try_from(self.families.len()).unwrap();
        self.families.push(family);
        self.numbers.insert(spelled, number);
        number
    }

    fn family(&self, known: Known) -> &BillGroup {
        &self.families[usize::try_from(known).unwrap()]
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
    pub(crate) fn fold(&self, known: Known, note: Note) -> Known {
        let mut rows = self.rows.borrow_mut();
        if let Some(folded) = rows.folded.get(&(known, note)) {
            return *folded;
        }
        let mut family = rows.family(known).clone();
        family.entry(&self.bill).fold(&note.fact(&self.events));
        let folded = rows.number(family);
        rows.folded.insert((known, note), folded);
        folded
    }

    /// `Held::join`: the merge of the remote state and the node's.
    pub(crate) fn join(&self, held: Option<Known>, local: Known) -> Known {
        let mut rows = self.rows.borrow_mut();
        if let Some(joined) = rows.joined.get(&(held, local)) {
            return *joined;
        }
        let mut family = rows.family(held.unwrap_or(NOTHING)).clone();
        family.merge(rows.family(local));
        let joined = rows.number(family);
        rows.joined.insert((held, local), joined);
        joined
    }

    /// `BillGroup::conflicts`: the stamp of the conflict to report.
    pub(crate) fn conflict(&self, held: Option<Known>, local: Known) -> Option<Stamp> {
        let mut rows = self.rows.borrow_mut();
        if let Some(stamp) = rows.meetings.get(&(held, local)) {
            return *stamp;
        }
        let family = rows.family(held.unwrap_or(NOTHING));
        let met = family.conflicts(rows.family(local));
        let stamp = met.first().map(|fact| fact.stamp);
        rows.meetings.insert((held, local), stamp);
        stamp
    }

    /// `BillState::latest`.
    pub(crate) fn latest(&self, known: Known) -> Stamp {
        self.decide(known, |knowledge| {
            let state = knowledge.get(&self.bill);
            state.map(BillState::latest).unwrap_or_default()
        })
    }

    /// `Knowledge::may_create`.
    pub(crate) fn may_create(
        &self,
        known: Known,
        now: Timestamp,
    ) -> Result<LinkState, LinkRefusal> {
        self.decide(known, |knowledge| knowledge.may_create(&self.bill, now))
    }

    /// `Payments::judge`, on a bill that may have no payment yet.
    pub(crate) fn judge(&self, known: Known, message: Message, now: Timestamp) -> PaymentEffect {
        let event = &self.events[usize::from(message)];
        self.decide(known, |knowledge| {
            knowledge
                .get(&self.bill)
                .and_then(BillState::payments)
                .map_or(PaymentEffect::New, |payments| {
                    payments.effect_of(event, now)
                })
        })
    }

    pub(crate) fn is_paid(&self, known: Known, now: Timestamp) -> bool {
        self.decide(known, |knowledge| knowledge.view(&self.bill, now).paid)
    }

    pub(crate) fn is_error_bill(&self, known: Known, now: Timestamp) -> bool {
        self.decide(known, |knowledge| {
            knowledge.view(&self.bill, now).error_bill
        })
    }

    /// Whether the state has the event.
    pub(crate) fn has(&self, known: Known, message: Message, now: Timestamp) -> bool {
        matches!(
            self.judge(known, message, now),
            PaymentEffect::Repeated | PaymentEffect::OtherAmount
        )
    }

    /// Whether the state has a delivery of the event.
    pub(crate) fn is_delivery_known(&self, known: Known, message: Message) -> bool {
        let event = &self.events[usize::from(message)];
        self.decide(known, |knowledge| {
            knowledge
                .get(&self.bill)
                .is_some_and(|state| state.delivery(event).is_some())
        })
    }

    fn decide<T>(&self, known: Known, decision: impl FnOnce(Knowledge<'_>) -> T) -> T {
        let rows = self.rows.borrow();
        decision(Knowledge {
            bill_group: Some(rows.family(known)),
            owners: None,
        })
    }
}
