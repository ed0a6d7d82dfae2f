//! Redelivery of a pay-result that its biller has not accepted, with the bytes that Kakao Pay sent: claim, ledger,
//! biller, settlement.

use std::time::Duration;

use bytes::Bytes;
use ledger::{
    Cancellation, Claim, DeliveryLease, DeliveryOutcome, DeliveryState, DeliveryTurn, Digests,
    EventDelivery, FactContext, JournalError, Message, Redelivery, SkipCancelled, WithoutRedis,
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
    /// Redis is out of reach, so what other nodes delivered, and a cancel that they know of, could be missed.
    OutOfReach,
    /// It is being relayed or delivered at this moment, by this node or another.
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

/// What a redelivery leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedeliveryRules {
    /// Which cancelled payments.
    pub skip: SkipCancelled,
    /// Whether all, while Redis cannot be reached.
    pub without_redis: WithoutRedis,
}

impl RedeliveryRules {
    /// The rules of deliveries that no operator asked for.
    pub const AUTOMATIC: Self = Self {
        skip: SkipCancelled::AnyPart,
        without_redis: WithoutRedis::Waits,
    };
}

/// A lease lasts for so long beyond the call's budget: the outcome is recorded and shared within that time.
const RECORDED_WITHIN: Duration = Duration::from_secs(15);

/// Returns how long other nodes leave a pay-result alone that this call delivers.
pub(super) fn lease_lasts(call: &Call) -> Duration {
    call.shared().budget + RECORDED_WITHIN
}

/// Delivers one pay-result again.
///
/// # Errors
/// If the journal cannot be read.
pub async fn redeliver(
    call: &Call,
    biller: &RegisteredBiller,
    one: &EventDelivery,
    message: Digests,
    rules: RedeliveryRules,
) -> Result<Redelivered, JournalError> {
    let ledger = call.ledger();
    let _claim = match ledger.claim(&one.bill, &one.event, message).await {
        Claim::Granted(guard) => guard,
        Claim::Accepted { .. } => return Ok(Redelivered::AlreadyAccepted),
        Claim::Unreadable(_) => return Err(JournalError::Stalled),
        Claim::UnderWay(_) => return Ok(Redelivered::UnderWay),
    };
    let (code, lasts) = (biller.code(), lease_lasts(call));
    let turn = ledger.lease_delivery(code, message, lasts, rules.without_redis);
    let lease = match turn.await {
        DeliveryTurn::Granted(lease) => lease,
        DeliveryTurn::HeldElsewhere => return Ok(Redelivered::UnderWay),
        DeliveryTurn::OutOfReach => return Ok(Redelivered::OutOfReach),
    };
    // Another node may have delivered it until the lease was taken.
    let allowed = ledger.redelivery(one, message, rules.skip, &lease, call.now());
    let not_sent = match allowed.await {
        Ok(Redelivery::Allowed { body, cancelled }) => {
            if let Some(_permit) = biller.pay_results_in_flight.enter() {
                let attempt = send(call, biller, one, (message, body), lease).await;
                return Ok(Redelivered::Attempted(DeliveryAttempt {
                    cancelled,
                    ..attempt
                }));
            }
            Ok(Redelivered::Busy)
        }
        Ok(Redelivery::Accepted) => Ok(Redelivered::AlreadyAccepted),
        Ok(Redelivery::Cancelled) => Ok(Redelivered::Cancelled),
        Ok(Redelivery::Closed) => Ok(Redelivered::Closed),
        Ok(Redelivery::OutOfReach) => Ok(Redelivered::OutOfReach),
        Ok(Redelivery::NotKept) => Ok(Redelivered::NotKept),
        Err(error) => Err(error),
    };
    lease.give_up().await;
    not_sent
}

/// Sends a pay-result to its biller and records the outcome.
async fn send(
    call: &Call,
    biller: &RegisteredBiller,
    one: &EventDelivery,
    (message, body): (Digests, Bytes),
    lease: DeliveryLease,
) -> DeliveryAttempt {
    let answered = call.call_biller(biller, BillerCall::PayResult, &body).await;
    let delivered = match delivered(&answered) {
        DeliveryOutcome::Pending => as_before(one.state),
        delivered => delivered,
    };
    let attempt = attempt(&answered, delivered.state());

    let message = Message {
        digest: message.bytes,
        context: FactContext {
            canonical: message.canonical,
            ..call.fact_context()
        },
    };
    let message = answered_message(message, &answered);
    let timer = call.metrics().time_ledger(LedgerOperation::Delivery);
    let event = (&one.bill, &one.event);
    let settled = call
        .ledger()
        .record_leased_delivery(lease, event, message, delivered, call.now())
        .await;
    call.log_settlement(Ok(settled), "redelivery");
    drop(timer);
    attempt
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
