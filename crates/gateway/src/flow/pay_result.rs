//! 납부 결과 전달 (guide section 7): Kakao Pay says that money moved. It is written down first.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use ledger::{
    Claim, ClaimGuard, DeliveryOutcome, Durability, MessageDigest, PaymentEffect, RecordOutcome,
    RecordedPayment,
};
use metrics::{LedgerOperation, Stage};
use protocol::{PayResult, Refusal};

use crate::admission::Admitted;
use crate::call::{BillerCall, Call, UpstreamFailure};
use crate::registry::RegisteredBiller;
use crate::reply::{CheckedAnswer, Problem, Reply};
use crate::upstream::Sent;

/// Relays one pay-result: journals it, tells the biller, journals how the biller took it. One
/// that the biller accepted before is answered as it was then.
pub(super) async fn relay(
    call: &Rc<Call>,
    admitted: &Admitted,
    body: &Bytes,
) -> Result<Reply, Problem> {
    let biller = &admitted.biller;
    let request = PayResult::parse(body, biller.code(), &biller.rules())
        .map_err(|refusal| refuse(call, biller, refusal))?;

    call.enter(Stage::Ledger);
    let message = MessageDigest::of(body);
    let _claim = match claim(call, biller, message).await? {
        Claimed::ToRelay(guard) => guard,
        Claimed::AcceptedBefore(reply) => return Ok(reply),
    };

    let timer = call.metrics().time_ledger(LedgerOperation::Payment);
    let recorded = Box::pin(record(call, biller, &request, body, message));
    let recorded = call.within_budget_or_detached(recorded).await;
    drop(timer);

    let answered = match recorded {
        Ok(RecordOutcome::AcceptedElsewhere(kept)) => return Ok(Reply::replayed(&kept)),
        Ok(RecordOutcome::Recorded(_)) => match biller.pay_results_in_flight.enter() {
            Some(_place) => call.call_biller(biller, BillerCall::PayResult, body).await,
            None => Err(UpstreamFailure::never_sent(Problem::Overload)),
        },
        // It is queued for the journal, and so is what follows; the biller is told by a copy.
        Err(problem) => Err(UpstreamFailure::never_sent(problem)),
    };

    let timer = call.enter_ledger(Stage::Settle, LedgerOperation::Delivery);
    let delivered = delivered(&answered);
    let settled = call.ledger().record_delivery(
        &request.bill,
        &request.event,
        message,
        delivered,
        call.now(),
    );
    let settled = call.within_budget_or_detached(Box::pin(settled)).await;
    call.log_settlement(settled, "delivery");
    drop(timer);

    answered.map(Reply::relayed).map_err(Problem::from)
}

/// Takes the payment down: it is queued for the journal when this returns, whatever becomes of the
/// future. What is odd about it is told even when that turns out behind the answer.
fn record(
    call: &Rc<Call>,
    biller: &Arc<RegisteredBiller>,
    request: &PayResult,
    body: &Bytes,
    message: MessageDigest,
) -> impl Future<Output = RecordOutcome> + use<> {
    let (bill, event) = (&request.bill, &request.event);
    let recorded = (call.ledger()).record_payment(bill, event, body, message, call.now());
    let (call, biller) = (Rc::clone(call), Arc::clone(biller));
    async move {
        let begun = recorded.await;
        if let RecordOutcome::Recorded(recorded) = &begun {
            tell_operators(&call, &biller, recorded);
        }
        begun
    }
}

/// What a pay-result found when it came in.
enum Claimed {
    ToRelay(ClaimGuard),
    AcceptedBefore(Reply),
}

async fn claim(
    call: &Call,
    biller: &RegisteredBiller,
    message: MessageDigest,
) -> Result<Claimed, Problem> {
    loop {
        match call.ledger().claim(biller.code(), message) {
            Claim::Granted(guard) => return Ok(Claimed::ToRelay(guard)),
            Claim::Accepted(kept) => return Ok(Claimed::AcceptedBefore(Reply::replayed(&kept))),
            Claim::AcceptedInJournal => return replay(call, biller, message).await,
            Claim::UnderWay(copy) => call.within_budget(copy.ended()).await?,
        }
    }
}

async fn replay(
    call: &Call,
    biller: &RegisteredBiller,
    message: MessageDigest,
) -> Result<Claimed, Problem> {
    let timer = call.metrics().time_ledger(LedgerOperation::Replay);
    let kept = call
        .within_budget(call.ledger().kept_answer(biller.code(), message))
        .await?;
    drop(timer);
    match kept {
        Ok(Some(kept)) => Ok(Claimed::AcceptedBefore(Reply::replayed(&kept))),
        // The biller accepted it, so it is not told again, whatever became of its answer.
        Ok(None) => Err(Problem::Internal),
        Err(error) => {
            tracing::error!(%error, "the kept answer of a pay-result cannot be read");
            Err(Problem::Internal)
        }
    }
}

/// How the biller took it (contract section 4, "Payments").
pub(super) fn delivered(answered: &Result<CheckedAnswer, UpstreamFailure>) -> DeliveryOutcome {
    match answered {
        Ok(answer) if answer.is_accepted() => DeliveryOutcome::Accepted(answer.kept()),
        Ok(answer) if answer.is_refused() => DeliveryOutcome::Refused,
        Err(failure) if failure.sent == Sent::NotSent => DeliveryOutcome::Pending,
        Ok(_) | Err(_) => DeliveryOutcome::Unknown,
    }
}

fn tell_operators(call: &Call, biller: &RegisteredBiller, recorded: &RecordedPayment) {
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

/// Money moved, and we cannot say for which bill: operators must hear of it.
fn refuse(call: &Call, biller: &RegisteredBiller, refusal: Refusal) -> Problem {
    biller.series.pay_result_refused(refusal.code);
    tracing::error!(
        request_id = call.request_id(),
        biller = biller.code().as_str(),
        res_code = refusal.code.code(),
        member = refusal.member.unwrap_or("-"),
        reason = refusal.reason,
        "a pay-result was refused although money moved"
    );
    Problem::Body(refusal)
}
