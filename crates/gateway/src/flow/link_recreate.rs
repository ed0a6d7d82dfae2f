//! 청구서 링크 재생성 (guide section 4): a biller has Kakao Pay create the link of a known bill again.

use metrics::{LedgerOperation, Stage};
use protocol::LinkRecreate;

use crate::admission::Admitted;
use crate::call::{Call, LinkCall};
use crate::reply::{Problem, Reply};

/// Relays one link re-creation; Kakao Pay's `OK` renews `expire_at`.
pub(super) async fn relay(call: &Call, admitted: &Admitted, body: &[u8]) -> Result<Reply, Problem> {
    let biller = &admitted.biller;
    let request =
        LinkRecreate::parse(body, biller.code(), &biller.rules()).map_err(Problem::Body)?;

    let timer = call.enter_ledger(Stage::Ledger, LedgerOperation::Lookup);
    let found = call.ledger().find_for_recreate(&request.bill, call.now());
    let bill = call
        .within_budget(found)
        .await?
        .map_err(|refusal| call.link_refused(refusal, LedgerOperation::Lookup))?;
    drop(timer);

    let _permit = biller.in_flight.enter().ok_or(Problem::Overload)?;
    let answer = call
        .call_kakao(biller, LinkCall::Recreate, admitted, body)
        .await?;

    if answer.is_accepted() {
        let timer = call.enter_ledger(Stage::Settle, LedgerOperation::Settle);
        let (context, expire_at) = (call.fact_context(), request.expire_at);
        let relinked = call.ledger().relink(&bill, context, expire_at, call.now());
        call.log_settlement(call.within_budget(relinked).await, "link");
        drop(timer);
    }
    Ok(Reply::relayed(answer))
}
