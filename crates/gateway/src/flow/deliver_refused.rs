//! Delivery of a refused pay-result by an operator: claim, ledger where the event can be read, biller, settlement.

use std::sync::Arc;

use ledger::{
    BillState, Claim, DeliveryOutcome, DeliveryState, FactContext, Message, MessageDigest,
    RecordOutcome, RefusedClosing, RefusedEntry, RefusedOutcome,
};
use metrics::LedgerOperation;
use protocol::{Bill, CanonicalDigest, LenientPayResult, PayResult, PaymentEvent};

use super::pay_result::{answered_message, delivered, log_irregularities};
use super::redeliver::{DeliveryAttempt, attempt};
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
    /// The same bytes are being relayed at this moment.
    UnderWay,
    /// The biller's bound on pay-results in flight is reached.
    Busy,
    /// The journal cannot be read, so nobody knows whether the biller accepted it before.
    Unreadable,
}

/// Delivers a refused pay-result as it is. Its event is journalled first where it can be read, so that its bill is
/// paid; an acceptance closes the entry.
pub async fn deliver_refused(
    call: &Call,
    biller: &Arc<RegisteredBiller>,
    entry: &RefusedEntry,
    operator: &str,
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
    if let Some((bill, event)) = &event {
        let known = ledger.scoped_state(bill).await.state;
        let delivery = known
            .as_ref()
            .and_then(|state| BillState::delivery(state, event));
        if delivery == Some(DeliveryState::Accepted) {
            return close(call, digest, operator).await;
        }
    }
    let Some(_permit) = biller.pay_results_in_flight.enter() else {
        return RefusedDelivery::Busy;
    };
    if let Some((bill, event)) = &event {
        let timer = call.metrics().time_ledger(LedgerOperation::Payment);
        let recorded =
            ledger.record_payment(bill, event, &entry.last.body, message.clone(), call.now());
        let recorded = Box::pin(recorded).await;
        drop(timer);
        match &recorded {
            RecordOutcome::Recorded(recorded) => log_irregularities(call, biller, recorded),
            RecordOutcome::AcceptedElsewhere { .. } => return close(call, digest, operator).await,
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
    if let Some((bill, event)) = event {
        let timer = call.metrics().time_ledger(LedgerOperation::Delivery);
        let settled = ledger
            .record_delivery(
                &bill,
                &event,
                answered_message(message, &answered),
                outcome,
                call.now(),
            )
            .await;
        call.log_settlement(Ok(settled), "delivery of a refused pay-result");
        drop(timer);
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
