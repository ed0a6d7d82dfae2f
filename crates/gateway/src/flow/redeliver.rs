//! A pay-result that its biller has not accepted, told again with the very bytes that Kakao Pay
//! sent: claim, ledger, biller, settle, as when it first came.

use ledger::{
    Cancellation, Claim, DeliveryOutcome, DeliveryState, EventDelivery, JournalError,
    MessageDigest, Redelivery, SkipCancelled,
};
use metrics::LedgerOperation;
use protocol::AnswerCode;

use super::pay_result::delivered;
use crate::call::{BillerCall, Call, UpstreamFailure};
use crate::registry::RegisteredBiller;
use crate::reply::CheckedAnswer;
use crate::upstream::Sent;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redelivered {
    /// The biller was asked.
    Told(Told),
    /// The biller accepted it before: it is not told again.
    AlreadyAccepted,
    /// Kakao Pay cancelled its payment, as this or another node knows.
    Cancelled,
    /// The other nodes cannot be asked whether it was cancelled.
    OutOfReach,
    /// A copy is being relayed at this moment.
    UnderWay,
    /// The biller has as many pay-results in flight as it may.
    Busy,
    /// The journal has no bytes to send.
    NotKept,
}

/// An attempt, which is a fact from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether the request can have reached the biller at all.
    pub sent: Sent,
    /// How the event stands now: what never reached the biller changes nothing.
    pub state: DeliveryState,
    /// The biller's HTTP status, or the one that stands for its silence (contract section 3).
    pub status: u16,
    /// The biller's `res_code` as far as it may be shown, or ours that stands for its silence.
    pub res_code: String,
    /// Whether the biller gave no answer that can be read.
    pub is_silence: bool,
    /// How much of its payment was cancelled before it was told.
    pub cancelled: Cancellation,
}

/// Tells the biller again, unless it is to be left alone.
///
/// # Errors
/// When the journal cannot be read.
pub async fn redeliver(
    call: &Call,
    biller: &RegisteredBiller,
    one: &EventDelivery,
    message: MessageDigest,
    skip: SkipCancelled,
) -> Result<Redelivered, JournalError> {
    let ledger = call.ledger();
    let _claim = match ledger.claim(biller.code(), message) {
        Claim::Granted(guard) => guard,
        Claim::Accepted(_) | Claim::AcceptedInJournal => return Ok(Redelivered::AlreadyAccepted),
        Claim::UnderWay(_) => return Ok(Redelivered::UnderWay),
    };
    let allowed = ledger.redelivery(one, message, skip, call.now());
    let (body, cancelled) = match allowed.await? {
        Redelivery::Allowed { body, cancelled } => (body, cancelled),
        Redelivery::Accepted => return Ok(Redelivered::AlreadyAccepted),
        Redelivery::Cancelled => return Ok(Redelivered::Cancelled),
        Redelivery::OutOfReach => return Ok(Redelivered::OutOfReach),
        Redelivery::NotKept => return Ok(Redelivered::NotKept),
    };
    let Some(_place) = biller.pay_results_in_flight.enter() else {
        return Ok(Redelivered::Busy);
    };
    let answered = call.call_biller(biller, BillerCall::PayResult, &body).await;
    let delivered = match delivered(&answered) {
        DeliveryOutcome::Pending => as_before(one.state),
        delivered => delivered,
    };
    let told = Told {
        cancelled,
        ..told(&answered, delivered.state())
    };

    let timer = call.metrics().time_ledger(LedgerOperation::Delivery);
    let settled = ledger
        .record_delivery(&one.bill, &one.event, message, delivered, call.now())
        .await;
    call.log_settlement(Ok(settled), "redelivery");
    drop(timer);
    Ok(Redelivered::Told(told))
}

/// What was never sent leaves it as it was: a biller that refused once has still refused.
const fn as_before(state: DeliveryState) -> DeliveryOutcome {
    match state {
        DeliveryState::Refused => DeliveryOutcome::Refused,
        DeliveryState::Pending => DeliveryOutcome::Pending,
        // One that was accepted is not told again, so it never comes here.
        DeliveryState::Unknown | DeliveryState::Accepted => DeliveryOutcome::Unknown,
    }
}

fn told(answered: &Result<CheckedAnswer, UpstreamFailure>, state: DeliveryState) -> Told {
    let (sent, status, res_code) = match answered {
        Ok(answer) => {
            let shown = shown(answer.res_code);
            (Sent::MaybeSent, answer.answer.status, shown)
        }
        Err(upstream_failure) => {
            let (code, status) = upstream_failure.problem.answer();
            (upstream_failure.sent, status, code.code().to_owned())
        }
    };
    Told {
        sent,
        state,
        status: status.as_u16(),
        res_code,
        is_silence: answered.is_err(),
        cancelled: Cancellation::No,
    }
}

fn shown(code: AnswerCode) -> String {
    match code {
        AnswerCode::Ok => "OK".to_owned(),
        AnswerCode::Other(code) => code.to_string(),
        AnswerCode::None => "none".to_owned(),
    }
}
