//! 납부 결과 전달 (guide section 7): Kakao Pay reports a payment or a cancel; it is journalled, then relayed.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use ledger::{
    AnswerSummary, Claim, ClaimGuard, DeliveryOutcome, Digests, Durability, FactContext,
    LinkRefusal, Message, MessageDigest, PaymentEffect, RecordOutcome, RecordedPayment,
    RefusedOutcome,
};
use metrics::{LedgerOperation, Stage};
use protocol::PayResult;

use crate::admission::Admitted;
use crate::call::{BillerCall, Call, UpstreamFailure};
use crate::registry::RegisteredBiller;
use crate::reply::{CheckedAnswer, Problem, Reply};
use crate::upstream::Sent;

/// Relays one pay-result: journals the event, calls the biller, journals the delivery. A pay-result that the biller
/// has accepted already is answered with the kept answer.
pub(super) async fn relay(
    call: &Rc<Call>,
    admitted: &Admitted,
    body: &Bytes,
) -> Result<Reply, Problem> {
    let biller = &admitted.biller;
    let request = PayResult::parse(body, biller.code(), &biller.rules()).map_err(Problem::Body)?;

    call.enter(Stage::Ledger);
    let message = Message {
        digest: MessageDigest::of(body),
        context: FactContext {
            canonical: request.canonical,
            ..call.fact_context()
        },
    };
    let (_claim, is_readable) = match claim(call, biller, &request, message.digests()).await? {
        Claimed::ToRelay(guard) => (guard, true),
        Claimed::ToJournal(guard) => (guard, false),
        Claimed::AcceptedBefore(reply) => {
            passed(call, message.digest);
            return Ok(reply);
        }
    };

    let timer = call.metrics().time_ledger(LedgerOperation::Payment);
    let recorded = Box::pin(record(call, biller, &request, body, message.clone()));
    // The event is folded: its bill is paid before it is no error bill any more.
    passed(call, message.digest);
    let recorded = call.within_budget_or_detached(recorded).await;
    drop(timer);

    let answered = match recorded {
        Ok(RecordOutcome::AcceptedElsewhere {
            message: accepted,
            answer,
        }) => {
            log_other_spelling(call, biller, message.digest, accepted);
            return Ok(Reply::replayed(&answer));
        }
        // It may be a copy of one that the biller accepted, which must not be told again.
        Ok(RecordOutcome::Recorded(_)) if !is_readable => Err(UpstreamFailure::never_sent(
            Problem::Link(LinkRefusal::Unavailable),
        )),
        Ok(RecordOutcome::Recorded(_)) => match biller.pay_results_in_flight.enter() {
            Some(_permit) => call.call_biller(biller, BillerCall::PayResult, body).await,
            None => Err(UpstreamFailure::never_sent(Problem::Overload)),
        },
        // The event is queued for the journal; Kakao Pay's next copy, or a redelivery, reaches the biller.
        Err(problem) => Err(UpstreamFailure::never_sent(problem)),
    };

    let timer = call.enter_ledger(Stage::Settle, LedgerOperation::Delivery);
    let delivered = delivered(&answered);
    let settled = call.ledger().record_delivery(
        &request.bill,
        &request.event,
        answered_message(message, &answered),
        delivered,
        call.now(),
    );
    let settled = call.within_budget_or_detached(Box::pin(settled)).await;
    call.log_settlement(settled, "delivery");
    drop(timer);

    answered.map(Reply::relayed).map_err(Problem::from)
}

/// Records the payment. The event is queued for the journal when this function returns, even if the future is
/// dropped. Irregularities are logged even if they are found after the answer.
fn record(
    call: &Rc<Call>,
    biller: &Arc<RegisteredBiller>,
    request: &PayResult,
    body: &Bytes,
    message: Message,
) -> impl Future<Output = RecordOutcome> + use<> {
    let (bill, event) = (&request.bill, &request.event);
    let recorded = (call.ledger()).record_payment(bill, event, body, message, call.now());
    let (call, biller) = (Rc::clone(call), Arc::clone(biller));
    async move {
        let begun = recorded.await;
        if let RecordOutcome::Recorded(recorded) = &begun {
            log_irregularities(&call, &biller, recorded);
        }
        begun
    }
}

/// Ends the refused pay-result with the same bytes, if there is one: they pass now.
fn passed(call: &Call, message: MessageDigest) {
    let (ledger, outcome) = (call.ledger(), RefusedOutcome::Passed);
    ledger.end_refused_by_itself(message, outcome, call.now());
}

/// Whether a pay-result is to be relayed.
enum Claimed {
    ToRelay(ClaimGuard),
    /// The journal cannot be read: it is journalled, and delivered later.
    ToJournal(ClaimGuard),
    AcceptedBefore(Reply),
}

async fn claim(
    call: &Call,
    biller: &RegisteredBiller,
    request: &PayResult,
    copy: Digests,
) -> Result<Claimed, Problem> {
    loop {
        let timer = call.metrics().time_ledger(LedgerOperation::Claim);
        let claim = call.ledger().claim(&request.bill, &request.event, copy);
        let claim = call.within_budget(claim).await?;
        drop(timer);
        match claim {
            Claim::Granted(guard) => return Ok(Claimed::ToRelay(guard)),
            Claim::Unreadable(guard) => {
                call.metrics().ledger_unavailable(LedgerOperation::Claim);
                tracing::error!(
                    request_id = call.request_id(),
                    biller = biller.code().as_str(),
                    "the ledger cannot be read: a pay-result that its biller may have accepted before is journalled and \
                     not relayed"
                );
                return Ok(Claimed::ToJournal(guard));
            }
            Claim::Accepted { message, answer } => {
                log_other_spelling(call, biller, copy.bytes, message);
                return Ok(Claimed::AcceptedBefore(Reply::replayed(&answer)));
            }
            Claim::UnderWay(first) => call.within_budget(first.ended()).await?,
        }
    }
}

/// Logs that a copy says the same as an accepted pay-result in other bytes. Members beyond the guide may differ.
fn log_other_spelling(
    call: &Call,
    biller: &RegisteredBiller,
    copy: MessageDigest,
    accepted: MessageDigest,
) {
    if copy != accepted {
        tracing::info!(
            request_id = call.request_id(),
            biller = biller.code().as_str(),
            "a copy of an accepted pay-result differs in spelling or in members beyond the guide: it gets the kept answer"
        );
    }
}

/// Adds what the biller's answer said, for the journal.
pub(super) fn answered_message(
    message: Message,
    answered: &Result<CheckedAnswer, UpstreamFailure>,
) -> Message {
    let answer = match answered {
        Ok(answer) => Some(answer.summary()),
        Err(failure) => failure
            .problem
            .upstream_status()
            .map(|status| AnswerSummary {
                status: status.as_u16(),
                res_code: None,
                message: None,
            }),
    };
    let context = FactContext {
        answer,
        ..message.context
    };
    Message { context, ..message }
}

/// Returns the delivery outcome of the biller's answer (contract section 4, "Payments").
pub(super) fn delivered(answered: &Result<CheckedAnswer, UpstreamFailure>) -> DeliveryOutcome {
    match answered {
        Ok(answer) if answer.is_accepted() => DeliveryOutcome::Accepted(answer.kept()),
        Ok(answer) if answer.is_refused() => DeliveryOutcome::Refused,
        Err(failure) if failure.sent == Sent::NotSent => DeliveryOutcome::Pending,
        Ok(_) | Err(_) => DeliveryOutcome::Unknown,
    }
}

pub(super) fn log_irregularities(
    call: &Call,
    biller: &RegisteredBiller,
    recorded: &RecordedPayment,
) {
    if let Durability::InMemoryOnly(error) = &recorded.durability {
        call.metrics().ledger_unavailable(LedgerOperation::Payment);
        tracing::error!(
            request_id = call.request_id(), biller = biller.code().as_str(), %error,
            "a payment is relayed WITHOUT being on durable storage"
        );
    }
    match recorded.effect {
        PaymentEffect::Double => {
            biller.series.double_payment();
            tracing::error!(
                request_id = call.request_id(),
                biller = biller.code().as_str(),
                "a bill was paid twice: it is an error bill until an operator clears it"
            );
        }
        PaymentEffect::OtherAmount => tracing::error!(
            request_id = call.request_id(),
            biller = biller.code().as_str(),
            "a payment came again with another amount: its bill is an error bill"
        ),
        PaymentEffect::New | PaymentEffect::Repeated => {}
    }
}
