//! 청구서 조회 (guide section 5): Kakao Pay requests a bill from its biller.

use metrics::{LedgerOperation, Stage};
use protocol::Notice;

use crate::admission::Admitted;
use crate::call::{BillerCall, Call};
use crate::reply::{Problem, Reply};

/// Relays one notice call.
pub(super) async fn relay(call: &Call, admitted: &Admitted, body: &[u8]) -> Result<Reply, Problem> {
    let biller = &admitted.biller;
    let request = Notice::parse(body, biller.code(), &biller.rules()).map_err(Problem::Body)?;

    let timer = call.enter_ledger(Stage::Ledger, LedgerOperation::Lookup);
    let bill = call.look_up(&request.bill).await?;
    drop(timer);
    if bill.error_bill {
        return Err(Problem::ErrorBill);
    }

    let _permit = biller.in_flight.enter().ok_or(Problem::Overload)?;
    let answer = call.call_biller(biller, BillerCall::Notice, body).await?;
    Ok(Reply::relayed(answer))
}
