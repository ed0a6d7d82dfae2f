//! Pay-results that their billers have not accepted: listed, and delivered again.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use ledger::{Cancellation, DeliveryState, EventDelivery, Scope, SkipCancelled, Timestamp};
use protocol::{BillerCode, Decimal};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::refusal::Refusal;
use super::shown;
use crate::flow::redeliver::Redelivered;
use crate::redelivery::deliver_again;
use crate::registry::RegisteredBiller;
use crate::upstream::Sent;

/// Lines of a list where nothing else is asked for, and at most.
const LINES: usize = 200;
const LINES_BOUND: usize = 1_000;

/// What to list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentFilter {
    biller: Option<String>,
    delivery: Option<String>,
    limit: Option<usize>,
}

/// `GET /admin/payments?biller=…&delivery=…&limit=…`: the longest waiting first.
pub(super) async fn list(
    context: AdminContext,
    wanted: web::Query<PaymentFilter>,
) -> Result<HttpResponse, Refusal> {
    let biller = match &wanted.biller {
        Some(code) => Some(context.biller(code)?.code()),
        None => None,
    };
    let delivery = match &wanted.delivery {
        Some(name) => Some(DeliveryState::parse(name).ok_or_else(|| {
            Refusal::bad_request("delivery is one of accepted, refused, unknown, pending")
        })?),
        None => None,
    };
    let limit = wanted.limit.unwrap_or(LINES).min(LINES_BOUND);
    let mut events = if delivery == Some(DeliveryState::Accepted) {
        context.ledger().accepted_payments(biller).await?
    } else {
        let mut events = undelivered(&context, biller).await?;
        events.retain(|one| delivery.is_none_or(|wanted| one.state == wanted));
        events
    };
    let total = events.len();
    if delivery == Some(DeliveryState::Accepted) {
        events.drain(..total.saturating_sub(limit));
    } else {
        events.truncate(limit);
    }
    let listed = events.len();
    let now = Timestamp::now();
    let (events, scope) = match delivery {
        Some(DeliveryState::Accepted) => (events, Scope::SingleNode),
        _ => {
            context
                .ledger()
                .without_delivered_elsewhere(events, now)
                .await
        }
    };
    let delivery_attempts = context.ledger().delivery_attempts(&events).await?;
    let lines: Vec<Value> = events
        .iter()
        .zip(&delivery_attempts)
        .map(|(one, attempts)| shown::undelivered(one, attempts.as_ref(), now))
        .collect();
    Ok(answer(&json!({
        "payments": lines,
        "left_off": total - listed,
        "node": context.ledger().node(),
        "known_by": scope.name(),
        "hint": hint(&context),
    })))
}

/// Another node's pay-results are in that node's journal.
fn hint(context: &AdminContext) -> Option<&'static str> {
    context
        .ledger()
        .is_redis_reachable()
        .map(|_| "only pay-results that came to this node; ask every node for its own")
}

/// All of them, off this thread: there may be many.
async fn undelivered(
    context: &AdminContext,
    biller: Option<BillerCode>,
) -> Result<Vec<EventDelivery>, Refusal> {
    let ledger = context.ledger().clone();
    actix_web::rt::task::spawn_blocking(move || ledger.undelivered_payments(biller))
        .await
        .map_err(|_| Refusal::internal())
}

/// What to deliver again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedeliveryRequest {
    biller: String,
    pay_id: Value,
    /// Whether a payment that Kakao Pay cancelled fully is delivered too.
    #[serde(default)]
    even_cancelled: bool,
}

/// `POST /admin/payments/redeliver`: every event of one `pay_id` that was not accepted.
pub(super) async fn redeliver(
    context: AdminContext,
    order: web::Json<RedeliveryRequest>,
) -> Result<HttpResponse, Refusal> {
    let biller = context.biller(&order.biller)?;
    let pay_id = pay_id(&order.pay_id)?;
    if context.worker().shared().is_draining() {
        return Err(Refusal::conflict(
            "draining",
            "this gateway is about to end",
        ));
    }
    let mut events = undelivered(&context, Some(biller.code())).await?;
    events.retain(|one| one.event.pay_id == pay_id);
    if events.is_empty() {
        return Err(nothing_to_deliver(&context, &biller, pay_id).await?);
    }
    let skip = if order.even_cancelled {
        SkipCancelled::Never
    } else {
        SkipCancelled::Fully
    };
    // In a task of its own: an operator who hangs up undoes nothing.
    let outcomes = actix_web::rt::spawn(async move {
        let mut outcomes = Vec::with_capacity(events.len());
        for one in events {
            outcomes.push(deliver(&context, &biller, &one, skip).await?);
        }
        Ok::<_, Refusal>(outcomes)
    });
    let outcomes = outcomes.await.map_err(|_| Refusal::internal())??;
    Ok(answer(&json!({ "outcomes": outcomes })))
}

/// Exact, as a number or as a text of one.
fn pay_id(value: &Value) -> Result<Decimal, Refusal> {
    let spelling = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let is_number = serde_json::from_str::<serde_json::Number>(&spelling).is_ok();
    is_number
        .then(|| Decimal::parse(&spelling).ok())
        .flatten()
        .ok_or_else(|| Refusal::bad_request("pay_id is no number"))
}

/// Why there is nothing to deliver.
async fn nothing_to_deliver(
    context: &AdminContext,
    biller: &RegisteredBiller,
    pay_id: Decimal,
) -> Result<Refusal, Refusal> {
    let bills = context
        .ledger()
        .bills_paid_by(biller.code(), pay_id)
        .await?;
    let Some(bill) = bills.first() else {
        let refusal = Refusal::not_found(
            "unknown_payment",
            "this node knows no payment of this number",
        );
        return Ok(match hint(context) {
            Some(hint) => refusal.with("hint", hint.into()),
            None => refusal,
        });
    };
    let known = context.ledger().scoped_state(bill).await.state;
    let groups = known.as_ref().and_then(ledger::BillState::payments);
    let mut records = groups
        .into_iter()
        .flat_map(ledger::Payments::groups)
        .filter(|group| group.pay_id == pay_id)
        .flat_map(|group| group.records);
    Ok(if records.any(|record| record.delivery.is_none()) {
        Refusal::conflict("under_way", "it is being told to its biller at this moment")
    } else {
        Refusal::conflict(
            "already_accepted",
            "its biller has accepted it: it is not told again",
        )
    })
}

async fn deliver(
    context: &AdminContext,
    biller: &Arc<RegisteredBiller>,
    one: &EventDelivery,
    skip: SkipCancelled,
) -> Result<Value, Refusal> {
    let mut shown = Map::new();
    match deliver_again(context.worker(), biller, one, skip).await? {
        Redelivered::Attempted(attempt) => {
            let outcome = match attempt.sent {
                Sent::NotSent => "not_sent",
                Sent::MaybeSent => attempt.state.name(),
            };
            shown.insert("outcome".to_owned(), outcome.into());
            shown.insert("status".to_owned(), attempt.status.into());
            shown.insert("res_code".to_owned(), attempt.res_code.into());
            shown.insert("delivery".to_owned(), attempt.state.name().into());
            if attempt.cancelled != Cancellation::No {
                let cancelled = shown::cancelled(attempt.cancelled);
                shown.insert("cancelled".to_owned(), cancelled.into());
            }
        }
        untold => {
            shown.insert("outcome".to_owned(), name(&untold).into());
        }
    }
    for (name, value) in [
        ("pay_id", one.event.pay_id.to_string()),
        ("pay_type", one.event.pay_type.as_str().to_owned()),
        ("paid_at", one.event.paid_at.as_str().to_owned()),
        ("pay_amount", one.event.pay_amount.to_string()),
    ] {
        shown.insert(name.to_owned(), value.into());
    }
    Ok(Value::Object(shown))
}

const fn name(untold: &Redelivered) -> &'static str {
    match untold {
        Redelivered::Attempted(_) => "told",
        Redelivered::AlreadyAccepted => "already_accepted",
        Redelivered::Cancelled => "cancelled",
        Redelivered::OutOfReach => "out_of_reach",
        Redelivered::UnderWay => "under_way",
        Redelivered::Busy => "busy",
        Redelivered::NotKept => "not_kept",
    }
}
