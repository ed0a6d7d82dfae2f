//! What the resync writes at once: a bill, with a pay-result that was accepted.

use std::collections::{BTreeMap, BTreeSet};

use protocol::Bill;

use super::{Part, Subject};
use crate::journal::Reader;
use crate::{DeliveryState, Digests, Fact, FactKind, JournalError, KeptAnswer, MessageDigest};

/// An `Item` is what is known of a bill, with a pay-result that was accepted, and the rows of those facts.
pub(super) struct Item<'a> {
    pub(super) bill: &'a Bill,
    pub(super) accepted: Option<(Digests, KeptAnswer)>,
    pub(super) part: Part,
    pub(super) rows: Vec<i64>,
}

impl Item<'_> {
    pub(super) fn subject(&self) -> Subject<'_> {
        let accepted = self.accepted.as_ref();
        Subject {
            bill: self.bill,
            accepted: accepted.map(|(message, answer)| (message, answer)),
        }
    }
}

/// Returns the accepted pay-result of an item, as the first of its rows names it.
pub(super) fn accepted_in(
    reader: &Reader,
    rows: &[i64],
) -> Result<Option<(Digests, KeptAnswer)>, JournalError> {
    rows.first()
        .map_or(Ok(None), |row| reader.accepted_in_row(*row))
}

/// Returns one item per accepted pay-result, the first of a bill with its other rows; one for a bill that has none.
pub(super) fn items_of(facts: &[(i64, Fact)]) -> Vec<(&Bill, Option<&MessageDigest>, Vec<i64>)> {
    let mut bills: BTreeMap<&Bill, BTreeMap<Option<&MessageDigest>, Vec<i64>>> = BTreeMap::new();
    for (row, fact) in facts {
        let message = accepted_message(&fact.kind);
        let of_bill = bills.entry(&fact.bill).or_default();
        of_bill.entry(message).or_default().push(*row);
    }
    let mut items = Vec::with_capacity(bills.len());
    for (bill, mut messages) in bills {
        // `None` is the least of the keys.
        let plain = messages.remove(&None).unwrap_or_default();
        match messages.first_entry() {
            Some(mut first) => first.get_mut().extend(plain),
            None => items.push((bill, None, plain)),
        }
        items.extend((messages.into_iter()).map(|(message, rows)| (bill, message, rows)));
    }
    items
}

const fn accepted_message(kind: &FactKind) -> Option<&MessageDigest> {
    match kind {
        FactKind::Delivery {
            message,
            state: DeliveryState::Accepted,
            ..
        } => Some(message),
        _ => None,
    }
}

/// Returns the bills with link facts.
pub(super) fn linked_bills(facts: &[(i64, Fact)]) -> BTreeSet<&Bill> {
    let linked = facts.iter().filter(|(_, fact)| fact.kind.concerns_link());
    linked.map(|(_, fact)| &fact.bill).collect()
}
