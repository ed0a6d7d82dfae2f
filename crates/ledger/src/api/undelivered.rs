//! Pay-results that their billers have not accepted: listed, and delivered again.

use std::sync::Arc;

use protocol::{Bill, BillerCode, PayId, PayType, PaymentEvent};

use super::{Ledger, Scope};
use crate::journal::{Entry, NumberedFact};
use crate::state::conflict::GATEWAY;
use crate::sync::Part;
use crate::{
    BillState, Cancellation, DeliveryState, Digests, Fact, FactKind, JournalError, Payments, Stamp,
    Timestamp,
};

/// Accepted deliveries, or bills of one payment, that are looked at.
const LOOKED_AT_BOUND: usize = 1_000;

/// A payment event and the state of its delivery, as this node has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDelivery {
    /// The bill.
    pub bill: Bill,
    /// The reported event; the amount has no sign.
    pub event: PaymentEvent,
    /// The delivery state.
    pub state: DeliveryState,
    /// The time of the last delivery attempt.
    pub last_attempt: Timestamp,
    /// The time of the first report; `None` for cancels.
    pub reported_at: Option<Timestamp>,
    /// How much of the payment was cancelled.
    pub cancelled: Cancellation,
}

impl EventDelivery {
    /// Returns since when the event waits: Kakao Pay's time of payment, else the first report, else
    /// the last attempt.
    pub fn since(&self) -> Timestamp {
        let paid_at = self.event.paid_at.time();
        paid_at.map_or(self.reported_at.unwrap_or(self.last_attempt), |time| {
            Timestamp::from_seconds(time.unix_seconds())
        })
    }
}

/// The delivery attempts of an event so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempts {
    /// The last pay-result that reported the event.
    pub last_message: Digests,
    /// How many delivery attempts were made or were due.
    pub count: u64,
}

impl Ledger {
    /// Returns the events that were attempted and neither accepted nor closed, of one biller or of all, the oldest
    /// first. [`undelivered`](Self::undelivered) counts the same events. It reads the journal, so call it on a thread
    /// that may block.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn undelivered_payments(
        &self,
        biller: Option<BillerCode>,
    ) -> Result<Vec<EventDelivery>, JournalError> {
        let reader = self.node.journal().reader().another()?;
        let mut undelivered = Vec::new();
        for bill in self.node.undelivered_bills(&reader, biller)? {
            let state = self.node.state_blocking(&reader, &bill)?;
            undelivered.extend(not_accepted(&bill, &state));
        }
        undelivered.sort_by_key(|one| (one.since(), one.event.pay_id, one.event.pay_type));
        Ok(undelivered)
    }

    /// Returns the latest events that are settled in this way (accepted, or closed by an operator), of one biller or
    /// of all; at most 1,000.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn settled_payments(
        &self,
        state: DeliveryState,
        biller: Option<BillerCode>,
    ) -> Result<Vec<EventDelivery>, JournalError> {
        let facts = self
            .read_journal(move |reader| reader.latest_deliveries(state, biller, LOOKED_AT_BOUND))
            .await?;
        Ok(facts.iter().filter_map(settled).collect())
    }

    /// Returns the bills of which this node has a payment with this number.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn bills_paid_by(
        &self,
        biller: BillerCode,
        pay_id: PayId,
    ) -> Result<Vec<Bill>, JournalError> {
        self.read_journal(move |reader| reader.bills_paid_by(biller, &pay_id, LOOKED_AT_BOUND))
            .await
    }

    /// Returns the delivery attempts of each event, in order; `None` where the journal has no report.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn delivery_attempts(
        &self,
        events: &[EventDelivery],
    ) -> Result<Vec<Option<DeliveryAttempts>>, JournalError> {
        let events: Vec<(Bill, PaymentEvent)> = events
            .iter()
            .map(|one| (one.bill.clone(), one.event.clone()))
            .collect();
        self.read_journal(move |reader| {
            let one = |(bill, event): &(Bill, PaymentEvent)| {
                let facts = reader.facts_of_payment(bill, &event.pay_id)?;
                Ok(attempts(&facts, event))
            };
            events.iter().map(one).collect()
        })
        .await
    }

    /// Removes the events that were delivered, or closed, through other nodes, and records that here. Updates how much
    /// of the others was cancelled. Stops early where Redis cannot be reached.
    pub async fn without_delivered_elsewhere(
        &self,
        events: Vec<EventDelivery>,
        now: Timestamp,
    ) -> (Vec<EventDelivery>, Scope) {
        let mut scope = match self.share {
            None => return (events, Scope::SingleNode),
            Some(_) => Scope::AllNodes,
        };
        let mut left = Vec::with_capacity(events.len());
        for mut one in events {
            if scope == Scope::AllNodes {
                let known = self.scoped_state(&one.bill).await;
                scope = known.scope;
                let payments = known.state.as_ref().and_then(BillState::payments);
                let delivery = payments.and_then(|known| known.stamped_delivery(&one.event));
                if let Some((stamp, state)) = delivery.filter(|(_, state)| state.is_settled()) {
                    self.learn_settled(&one, state, stamp, now).await;
                    continue;
                }
                one.cancelled = cancellation(known.state.as_ref(), &one);
            }
            left.push(one);
        }
        (left, scope)
    }

    /// Another node delivered it: that becomes a fact here too, where this node did not know.
    pub(super) async fn learn_accepted(&self, one: &EventDelivery, now: Timestamp) {
        self.learn_settled(one, DeliveryState::Accepted, Stamp::default(), now)
            .await;
    }

    /// The same of a closing too, which keeps the stamp of the node where the operator closed it.
    async fn learn_settled(
        &self,
        one: &EventDelivery,
        state: DeliveryState,
        stamp: Stamp,
        now: Timestamp,
    ) {
        let Ok(resident) = self.node.resident(&one.bill).await else {
            return;
        };
        let here = {
            let known = resident.book().lock();
            let known = known.state(&one.bill);
            known.and_then(|known| known.delivery(&one.event))
        };
        if here == Some(state) {
            return;
        }
        let attempts = self.delivery_attempts(std::slice::from_ref(one)).await;
        let Ok(Some(Some(attempts))) = attempts.map(|mut attempts| attempts.pop()) else {
            return;
        };
        let (event, message) = (one.event.clone(), attempts.last_message.bytes);
        let fact = match state {
            DeliveryState::Closed => Fact {
                stamp,
                bill: one.bill.clone(),
                kind: FactKind::DeliveryClosed {
                    event,
                    message,
                    reason: "closed through another node, whose journal has the reason".to_owned(),
                    operator: GATEWAY.to_owned(),
                },
            },
            state => {
                let kind = FactKind::Delivery {
                    event,
                    message,
                    state,
                };
                let known = self.node.book_of(&one.bill).lock().latest(&one.bill);
                self.node.fact(&one.bill, known, now, kind)
            }
        };
        let book = self.node.book_of(&one.bill);
        let commit = self.node.record(&mut book.lock(), Entry::of(vec![fact]));
        note(self.commit_and_share(&one.bill, Part::State, commit).await);
    }
}

pub(super) fn note(settled: Result<(), Arc<JournalError>>) {
    if let Err(error) = settled {
        tracing::error!(%error, "a delivery by another node is known in memory only");
    }
}

pub(super) fn not_accepted(bill: &Bill, state: &BillState) -> Vec<EventDelivery> {
    let payments = state.payments().into_iter();
    let records = payments.flat_map(Payments::undelivered_records);
    let events = records.filter_map(|(record, cancelled)| {
        let (last_attempt, state) = record.delivery?;
        Some(EventDelivery {
            bill: bill.clone(),
            event: record.event,
            state,
            last_attempt,
            reported_at: record.reported_at,
            cancelled,
        })
    });
    events.collect()
}

/// How much of an event's payment was cancelled.
pub(super) fn cancellation(state: Option<&BillState>, one: &EventDelivery) -> Cancellation {
    state
        .and_then(BillState::payments)
        .and_then(|payments| payments.cancellation(&one.event.pay_id))
        .unwrap_or(one.cancelled)
}

fn settled(fact: &Fact) -> Option<EventDelivery> {
    let (event, state) = match &fact.kind {
        FactKind::Delivery { event, state, .. } => (event, state),
        FactKind::DeliveryClosed { event, .. } => (event, &DeliveryState::Closed),
        _ => return None,
    };
    Some(EventDelivery {
        bill: fact.bill.clone(),
        event: event.clone(),
        state: *state,
        last_attempt: fact.stamp.timestamp(),
        reported_at: None,
        cancelled: Cancellation::No,
    })
}

/// How an event was report, by the facts of its payment.
fn attempts(facts: &[NumberedFact], event: &PaymentEvent) -> Option<DeliveryAttempts> {
    let mut count = 0;
    let mut last = None;
    for NumberedFact { fact, context, .. } in facts {
        match &fact.kind {
            FactKind::Payment {
                event: report,
                message,
                ..
            } if is_same(report, event) => {
                last = Some(Digests {
                    bytes: *message,
                    canonical: context.canonical,
                });
            }
            FactKind::Delivery { event: report, .. } if is_same(report, event) => count += 1,
            _ => {}
        }
    }
    last.map(|last_message| DeliveryAttempts {
        last_message,
        count,
    })
}

/// Whether two are one event (contract section 4): the amount tells cancels apart, not payments.
pub(super) fn is_same(one: &PaymentEvent, other: &PaymentEvent) -> bool {
    (one.pay_id, one.pay_type, one.paid_at) == (other.pay_id, other.pay_type, other.paid_at)
        && (one.pay_type == PayType::P || one.pay_amount.abs() == other.pay_amount.abs())
}
