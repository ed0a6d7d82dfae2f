//! 납부 가능 조회 (guide section 6): Kakao Pay checks whether a bill can be paid; a paid one is `E403`.

use metrics::{LedgerOperation, Stage};
use protocol::Prepay;

use crate::admission::Admitted;
use crate::call::{BillerCall, Call};
use crate::reply::{Problem, Reply};

/// Relays one prepay call, or answers `E403` or `E817` from the ledger.
pub(super) async fn relay(call: &Call, admitted: &Admitted, body: &[u8]) -> Result<Reply, Problem> {
    let biller = &admitted.biller;
    let request = Prepay::parse(body, biller.code(), &biller.rules()).map_err(Problem::Body)?;

    let timer = call.enter_ledger(Stage::Ledger, LedgerOperation::Lookup);
    let bill = call.look_up(&request.bill).await?;
    if bill.error_bill {
        return Err(Problem::ErrorBill);
    }
    let is_paid = bill.paid
        || call
            .is_paid_in_former_identity(biller, &request.bill)
            .await?;
    drop(timer);
    if is_paid {
        biller.series.prepay_short_circuited();
        return Err(Problem::Paid);
    }

    let _permit = biller.in_flight.enter().ok_or(Problem::Overload)?;
    let answer = call.call_biller(biller, BillerCall::Prepay, body).await?;
    Ok(Reply::relayed(answer))
}
