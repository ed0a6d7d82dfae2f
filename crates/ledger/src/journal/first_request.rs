//! Request ids are written once a call: beside the reservation or the payment, the first fact of the call. What settles
//! it refers to that one.

use rusqlite::types::Value;

use super::column;
use super::recent::Recent;
use crate::{Fact, FactKind};

/// Calls whose first fact is remembered: those under way, mostly. The other ones have their request id twice.
const REMEMBERED: usize = 4_096;

/// The request id of a fact, in SQL: that of the reservation or payment before it where it is 0.
pub(super) const REQUEST: &str = "CASE WHEN fact.request IS NOT 0 THEN fact.request
    WHEN fact.kind = 7 THEN (SELECT first.request FROM fact AS first WHERE first.bill = fact.bill
        AND first.seq < fact.seq AND first.kind = 6 AND first.message = fact.message ORDER BY first.seq DESC LIMIT 1)
    ELSE (SELECT first.request FROM fact AS first WHERE first.bill = fact.bill
        AND first.seq < fact.seq AND first.kind = 1 AND first.stamp = fact.attempt ORDER BY first.seq DESC LIMIT 1) END";

/// `fact.request` of a fact that has the request id of the first fact of its call.
const AS_THE_FIRST: Value = Value::Integer(0);

/// The first fact of a call, in the journal's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum First {
    /// The reservation of a bill, by its stamp.
    Reservation { bill: i64, stamp: i64 },
    /// The latest payment of a bill that names a pay-result.
    Payment { bill: i64, message: Option<i64> },
}

/// The request ids of the first facts that were written last. What a transaction that failed has written is to be
/// forgotten, and what has left the journal.
#[derive(Debug)]
pub(super) struct FirstRequests(Recent<First, Box<str>>);

impl FirstRequests {
    pub(super) fn new() -> Self {
        Self(Recent::with_bound(REMEMBERED))
    }

    /// Returns `fact.request` of a fact of the bill and the pay-result with these numbers.
    pub(super) fn value(
        &mut self,
        fact: &Fact,
        (bill, message): (i64, Option<i64>),
        request_id: Option<&str>,
    ) -> Option<Value> {
        let reservation = |stamp| First::Reservation { bill, stamp };
        let payment = First::Payment { bill, message };
        let first = match &fact.kind {
            FactKind::Reserved { .. } => {
                self.remember(reservation(fact.stamp.time), request_id);
                None
            }
            FactKind::Payment { .. } => {
                self.remember(payment, request_id);
                None
            }
            FactKind::Released { attempt, .. }
            | FactKind::Uncertain { attempt }
            | FactKind::Linked { attempt, .. } => Some(reservation(attempt.time)),
            FactKind::Delivery { .. } | FactKind::DeliveryClosed { .. } => Some(payment),
            _ => None,
        };
        let request_id = request_id?;
        let of_first = first.and_then(|first| self.0.get_mut(&first));
        if of_first.is_some_and(|of_first| **of_first == *request_id) {
            return Some(AS_THE_FIRST);
        }
        Some(column::request_value(request_id))
    }

    fn remember(&mut self, first: First, request_id: Option<&str>) {
        match request_id {
            Some(request_id) => self.0.insert(first, request_id.into()),
            None => self.0.remove(&first),
        }
    }
}
