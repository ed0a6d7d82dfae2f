//! 청구서 링크 생성 (guide section 3): a biller has Kakao Pay create a bill's link.

use ledger::LinkOutcome;
use metrics::{LedgerOperation, Stage};
use protocol::{KoreanTime, LinkCreate};

use crate::admission::Admitted;
use crate::call::{Call, LinkCall, UpstreamFailure};
use crate::reply::{CheckedAnswer, Problem, Reply};
use crate::upstream::Sent;

/// Relays one link creation: reserves the bill, calls Kakao Pay, settles the reservation.
pub(super) async fn relay(call: &Call, admitted: &Admitted, body: &[u8]) -> Result<Reply, Problem> {
    let biller = &admitted.biller;
    let request = LinkCreate::parse(body, biller.code(), &biller.rules()).map_err(Problem::Body)?;

    let timer = call.enter_ledger(Stage::Ledger, LedgerOperation::Reserve);
    let (context, now, until) = (call.fact_context(), call.now(), call.ends_at());
    let reserved = call.ledger().reserve(&request.bill, context, now, until);
    let reservation = call
        .within_budget(reserved)
        .await?
        .map_err(|refusal| call.link_refused(refusal, LedgerOperation::Reserve))?;
    drop(timer);

    let answered = match biller.in_flight.enter() {
        Some(_permit) => {
            call.call_kakao(biller, LinkCall::Create, admitted, body)
                .await
        }
        None => Err(UpstreamFailure::never_sent(Problem::Overload)),
    };

    let timer = call.enter_ledger(Stage::Settle, LedgerOperation::Settle);
    let outcome = outcome(&answered, request.expire_at);
    let settled = call.ledger().settle(&reservation, &outcome, call.now());
    call.log_settlement(call.within_budget(settled).await, "link");
    drop(timer);

    answered.map(Reply::relayed).map_err(Problem::from)
}

/// Returns the link's outcome for Kakao Pay's answer or its absence (contract section 4, "Links").
fn outcome(
    answered: &Result<CheckedAnswer, UpstreamFailure>,
    expire_at: KoreanTime,
) -> LinkOutcome {
    match answered {
        Ok(answer) if answer.is_accepted() => LinkOutcome::Linked { expire_at },
        Ok(answer) if answer.is_refused() => LinkOutcome::Released,
        Err(failure) if failure.sent == Sent::NotSent => LinkOutcome::Released,
        Ok(_) | Err(_) => LinkOutcome::Unknown,
    }
}
