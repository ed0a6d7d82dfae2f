//! Delivery of a refused pay-result by an operator: claim, ledger where the event can be read, biller, settlement.

use std::sync::Arc;

use ledger::{
    BillState, Claim, DeliveryLease, DeliveryOutcome, DeliveryState, DeliveryTurn, FactContext,
    Message, MessageDigest, RecordOutcome, RefusedClosing, RefusedEntry, RefusedOutcome, Scope,
    WithoutRedis,
};
use metrics::LedgerOperation;
use protocol::{Bill, CanonicalDigest, LenientPayResult, PayResult, PaymentEvent};

use super::pay_result::{answered_message, delivered, log_irregularities};
use super::redeliver::{DeliveryAttempt, attempt, lease_lasts};
use crate::call::{BillerCall, Call};
use crate::registry::RegisteredBiller;

/// The result of delivering a refused pay-result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedDelivery {
    /// It was sent, or its sending failed.
    Attempted {
        /// The attempt; its state is that of the event, or of this attempt where the event cannot be read.
        attempt: DeliveryAttempt,
        /// Whether the event could be read and is journalled.
        is_recorded: bool,
    },
    /// The biller has accepted these bytes, or this event, already; it is not sent, and the entry is closed.
    AlreadyAccepted,
    /// It was delivered, or closed, since it was read.
    NotOpen,
    /// The same bytes are being relayed or delivered at this moment, by this node or another.
    UnderWay,
    /// The biller's bound on pay-results in flight is reached.
    Busy,
    /// Redis is out of reach, so what other nodes delivered is not known.
    OutOfReach,
    /// The journal cannot be read, so nobody knows whether the biller accepted it before.
    Unreadable,
}

/// Delivers a refused pay-result as it is. Its event is journalled first where it can be read, so that its bill is
/// paid; an acceptance closes the entry.
pub async fn deliver_refused(
    call: &Call,
    biller: &Arc<RegisteredBiller>,
    entry: &RefusedEntry,
    (operator, without_redis): (&str, WithoutRedis),
) -> RefusedDelivery {
    let (ledger, digest) = (call.ledger(), entry.message);
    let Readable { canonical, event } = readable(biller, entry);
    let message = Message {
        digest,
        context: FactContext {
            canonical,
            ..call.fact_context()
        },
    };
    let claim = match &event {
        Some((bill, event)) => ledger.claim(bill, event, message.digests()).await,
        None => ledger.claim_bytes(biller.code(), message.digests()),
    };
    let _claim = match claim {
        Claim::Granted(guard) => guard,
        Claim::Accepted { .. } => return close(call, digest, operator).await,
        Claim::UnderWay(_) => return RefusedDelivery::UnderWay,
        Claim::Unreadable(_) => return RefusedDelivery::Unreadable,
    };
    let (code, lasts) = (biller.code(), lease_lasts(call));
    let turn = ledger.lease_delivery(code, message.digests(), lasts, without_redis);
    let lease = match turn.await {
        DeliveryTurn::Granted(lease) => lease,
        DeliveryTurn::HeldElsewhere => return RefusedDelivery::UnderWay,
        DeliveryTurn::OutOfReach => return RefusedDelivery::OutOfReach,
    };
    let allowed = may_be_sent(call, (digest, event.as_ref()), without_redis);
    let not_sent = match allowed.await {
        Ok(()) => {
            if let Some(_permit) = biller.pay_results_in_flight.enter() {
                let parts = (entry, event, message);
                return send(call, biller, parts, (operator, lease)).await;
            }
            RefusedDelivery::Busy
        }
        Err(RefusedDelivery::AlreadyAccepted) => close(call, digest, operator).await,
        Err(not_sent) => not_sent,
    };
    lease.give_up().await;
    not_sent
}

/// Decides whether an entry may be sent: it is still open, and its event is not accepted by what all nodes know. Of bytes
/// without a readable event nothing is known.
async fn may_be_sent(
    call: &Call,
    (message, event): (MessageDigest, Option<&(Bill, PaymentEvent)>),
    without_redis: WithoutRedis,
) -> Result<(), RefusedDelivery> {
    if !call.ledger().is_refused_open(&message) {
        return Err(RefusedDelivery::NotOpen);
    }
    let Some((bill, event)) = event else {
        return Ok(());
    };
    let known = call.ledger().scoped_state(bill).await;
    let delivery = (known.state.as_ref()).and_then(|state| BillState::delivery(state, event));
    if delivery == Some(DeliveryState::Accepted) {
        return Err(RefusedDelivery::AlreadyAccepted);
    }
    if known.scope == Scope::ThisNodeOnly && without_redis == WithoutRedis::Waits {
        return Err(RefusedDelivery::OutOfReach);
    }
    Ok(())
}

/// Records the event where it can be read, sends the bytes, and records the outcome.
async fn send(
    call: &Call,
    biller: &Arc<RegisteredBiller>,
    (entry, event, message): (&RefusedEntry, Option<(Bill, PaymentEvent)>, Message),
    (operator, lease): (&str, DeliveryLease),
) -> RefusedDelivery {
    let (ledger, digest) = (call.ledger(), entry.message);
    if let Some((bill, event)) = &event {
        let timer = call.metrics().time_ledger(LedgerOperation::Payment);
        let recorded =
            ledger.record_payment(bill, event, &entry.last.body, message.clone(), call.now());
        let recorded = Box::pin(recorded).await;
        drop(timer);
        match &recorded {
            RecordOutcome::Recorded(recorded) => log_irregularities(call, biller, recorded),
            RecordOutcome::AcceptedElsewhere { .. } => {
                lease.give_up().await;
                return close(call, digest, operator).await;
            }
        }
    }
    let body = &entry.last.body;
    let answered = call.call_biller(biller, BillerCall::PayResult, body).await;
    let outcome = delivered(&answered);
    let attempt = attempt(&answered, outcome.state());
    if matches!(outcome, DeliveryOutcome::Accepted(_)) {
        // First, so that the entry names the operator; the delivery below would close it as the gateway's.
        let _closed = close(call, digest, operator).await;
    }
    let is_recorded = event.is_some();
    match event {
        Some((bill, event)) => {
            let timer = call.metrics().time_ledger(LedgerOperation::Delivery);
            let message = answered_message(message, &answered);
            let settled = ledger
                .record_leased_delivery(lease, (&bill, &event), message, outcome, call.now())
                .await;
            call.log_settlement(Ok(settled), "delivery of a refused pay-result");
            drop(timer);
        }
        None => lease.give_up().await,
    }
    RefusedDelivery::Attempted {
        attempt,
        is_recorded,
    }
}

/// Closes the entry as delivered.
async fn close(call: &Call, message: MessageDigest, operator: &str) -> RefusedDelivery {
    let closing = RefusedClosing {
        outcome: RefusedOutcome::Delivered,
        reason: String::new(),
        operator: operator.to_owned(),
    };
    if let Some(end) = call
        .ledger()
        .end_refused(message, closing, call.now())
        .await
    {
        let ended = call.ledger().refused_ended(end).await;
        call.log_settlement(Ok(ended), "the end of a refused pay-result");
    }
    RefusedDelivery::AlreadyAccepted
}

/// What can be read of a refused pay-result.
struct Readable {
    /// Only of one that passes now.
    canonical: Option<CanonicalDigest>,
    event: Option<(Bill, PaymentEvent)>,
}

fn readable(biller: &RegisteredBiller, entry: &RefusedEntry) -> Readable {
    let (body, code) = (&entry.last.body, biller.code());
    if let Ok(passes) = PayResult::parse(body, code, &biller.rules()) {
        return Readable {
            canonical: passes.canonical,
            event: Some((passes.bill, passes.event)),
        };
    }
    let names = &biller.settings.identity_parameters;
    let read = LenientPayResult::read(body, code, names);
    Readable {
        canonical: None,
        event: read.bill.zip(read.event),
    }
}
