//! Redelivery of a pay-result that its biller has not accepted, with the bytes that Kakao Pay sent: claim, ledger,
//! biller, settlement.

use ledger::{
    Cancellation, Claim, DeliveryOutcome, DeliveryState, Digests, EventDelivery, FactContext,
    JournalError, Message, Redelivery, SkipCancelled,
};
use metrics::LedgerOperation;
use protocol::AnswerCode;

use super::pay_result::{answered_message, delivered};
use crate::call::{BillerCall, Call, UpstreamFailure};
use crate::registry::RegisteredBiller;
use crate::reply::CheckedAnswer;
use crate::upstream::Sent;

/// The result of a redelivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redelivered {
    /// The pay-result was sent, or its sending failed.
    Attempted(DeliveryAttempt),
    /// The biller has accepted it already; it is not sent again.
    AlreadyAccepted,
    /// Kakao Pay has cancelled the payment, by a fact of this or another node.
    Cancelled,
    /// An operator has closed it, by a fact of this or another node.
    Closed,
    /// Redis is out of reach, so a cancel known to another node could be missed.
    OutOfReach,
    /// A copy is being relayed at this moment.
    UnderWay,
    /// The biller's bound on pay-results in flight is reached.
    Busy,
    /// The journal does not hold the bytes.
    NotKept,
}

/// One delivery attempt, which is journalled as a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// Whether bytes of the request can have reached the biller.
    pub sent: Sent,
    /// The event's delivery state after the attempt; an attempt that was never sent leaves it unchanged.
    pub state: DeliveryState,
    /// The biller's HTTP status, or the gateway's for a missing answer (contract section 3).
    pub status: u16,
    /// The biller's `res_code`, or the gateway's for a missing answer.
    pub res_code: String,
    /// Whether there was no complete JSON answer.
    pub is_unanswered: bool,
    /// How much of its payment was cancelled before the attempt.
    pub cancelled: Cancellation,
}

/// Delivers one pay-result again. `skip` says which cancelled payments are left out.
///
/// # Errors
/// If the journal cannot be read.
pub async fn redeliver(
    call: &Call,
    biller: &RegisteredBiller,
    one: &EventDelivery,
    message: Digests,
    skip: SkipCancelled,
) -> Result<Redelivered, JournalError> {
    let ledger = call.ledger();
    let _claim = match ledger.claim(&one.bill, &one.event, message).await {
        Claim::Granted(guard) => guard,
        Claim::Accepted { .. } => return Ok(Redelivered::AlreadyAccepted),
        Claim::Unreadable(_) => return Err(JournalError::Stalled),
        Claim::UnderWay(_) => return Ok(Redelivered::UnderWay),
    };
    let allowed = ledger.redelivery(one, message, skip, call.now());
    let (body, cancelled) = match allowed.await? {
        Redelivery::Allowed { body, cancelled } => (body, cancelled),
        Redelivery::Accepted => return Ok(Redelivered::AlreadyAccepted),
        Redelivery::Cancelled => return Ok(Redelivered::Cancelled),
        Redelivery::Closed => return Ok(Redelivered::Closed),
        Redelivery::OutOfReach => return Ok(Redelivered::OutOfReach),
        Redelivery::NotKept => return Ok(Redelivered::NotKept),
    };
    let Some(_permit) = biller.pay_results_in_flight.enter() else {
        return Ok(Redelivered::Busy);
    };
    let answered = call.call_biller(biller, BillerCall::PayResult, &body).await;
    let delivered = match delivered(&answered) {
        DeliveryOutcome::Pending => as_before(one.state),
        delivered => delivered,
    };
    let attempt = DeliveryAttempt {
        cancelled,
        ..attempt(&answered, delivered.state())
    };

    let message = Message {
        digest: message.bytes,
        context: FactContext {
            canonical: message.canonical,
            ..call.fact_context()
        },
    };
    let message = answered_message(message, &answered);
    let timer = call.metrics().time_ledger(LedgerOperation::Delivery);
    let settled = ledger
        .record_delivery(&one.bill, &one.event, message, delivered, call.now())
        .await;
    call.log_settlement(Ok(settled), "redelivery");
    drop(timer);
    Ok(Redelivered::Attempted(attempt))
}

/// Returns the outcome that keeps `state`, for an attempt that was never sent.
const fn as_before(state: DeliveryState) -> DeliveryOutcome {
    match state {
        DeliveryState::Refused => DeliveryOutcome::Refused,
        DeliveryState::Pending => DeliveryOutcome::Pending,
        // An accepted or closed pay-result is not delivered again.
        DeliveryState::Unknown | DeliveryState::Accepted | DeliveryState::Closed => {
            DeliveryOutcome::Unknown
        }
    }
}

pub(super) fn attempt(
    answered: &Result<CheckedAnswer, UpstreamFailure>,
    state: DeliveryState,
) -> DeliveryAttempt {
    let (sent, status, res_code) = match answered {
        Ok(answer) => {
            let shown = shown(answer.res_code);
            (Sent::MaybeSent, answer.answer.status, shown)
        }
        Err(failure) => {
            let (code, status) = failure.problem.answer();
            (failure.sent, status, code.code().to_owned())
        }
    };
    DeliveryAttempt {
        sent,
        state,
        status: status.as_u16(),
        res_code,
        is_unanswered: answered.is_err(),
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
