//! Undelivered pay-results: list and redelivery.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use ledger::{
    Cancellation, DeliveryState, EventDelivery, Scope, SkipCancelled, Timestamp, WithoutRedis,
};
use protocol::{BillerCode, PayId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::refusal::Refusal;
use super::shown;
use crate::flow::redeliver::{Redelivered, RedeliveryRules};
use crate::redelivery::deliver_again;
use crate::registry::RegisteredBiller;
use crate::upstream::Sent;

/// Entries of a list by default.
pub(super) const LIMIT_DEFAULT: usize = 200;
/// Most entries of a list.
pub(super) const LIMIT_MAX: usize = 1_000;

/// Said where a delivery waits for Redis.
pub(super) const NOT_ALONE: &str = "Redis is out of reach, so another node may have delivered it, or may deliver it at this \
    moment: bring Redis back, or make sure that no other node does and repeat with --alone (in the admin API: \
    \"alone\": true).";

/// Query of `GET /admin/payments`.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a query of biller, delivery and limit"
)]
pub(super) struct PaymentFilter {
    biller: Option<String>,
    delivery: Option<String>,
    limit: Option<usize>,
}

/// `GET /admin/payments?biller=…&delivery=…&limit=…`: lists pay-results, the oldest first.
pub(super) async fn list(
    context: AdminContext,
    filter: web::Query<PaymentFilter>,
) -> Result<HttpResponse, Refusal> {
    let biller = match &filter.biller {
        Some(code) => Some(context.known_biller(code)?),
        None => None,
    };
    let delivery = match &filter.delivery {
        Some(name) => Some(DeliveryState::parse(name).ok_or_else(|| {
            Refusal::bad_request("delivery is one of accepted, refused, unknown, pending, closed")
        })?),
        None => None,
    };
    let limit = filter.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let settled = delivery.filter(|state| state.is_settled());
    let mut events = if let Some(state) = settled {
        context.ledger().settled_payments(state, biller).await?
    } else {
        let mut events = undelivered(&context, biller).await?;
        events.retain(|one| delivery.is_none_or(|wanted| one.state == wanted));
        events
    };
    let total = events.len();
    if settled.is_some() {
        events.drain(..total.saturating_sub(limit));
    } else {
        events.truncate(limit);
    }
    let listed = events.len();
    let now = Timestamp::now();
    let (events, scope) = match settled {
        Some(_) => (events, Scope::SingleNode),
        None => {
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

/// Returns a note that what other nodes have taken and delivered may be missing; `None` where it is not.
fn hint(context: &AdminContext) -> Option<&'static str> {
    let is_reached = context.ledger().is_redis_reachable();
    is_reached.filter(|is_reached| !is_reached).map(|_| {
        "Redis is out of reach: what other nodes took and delivered since then is not known here"
    })
}

/// Returns all undelivered pay-results, collected on a blocking thread: there can be many.
pub(super) async fn undelivered(
    context: &AdminContext,
    biller: Option<BillerCode>,
) -> Result<Vec<EventDelivery>, Refusal> {
    let ledger = context.ledger().clone();
    actix_web::rt::task::spawn_blocking(move || ledger.undelivered_payments(biller))
        .await
        .map_err(|_| Refusal::internal())?
        .map_err(Refusal::from)
}

/// Body of `POST /admin/payments/redeliver`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with biller and pay_id")]
pub(super) struct RedeliveryRequest {
    biller: String,
    pay_id: Value,
    /// Whether a fully cancelled payment is delivered too.
    #[serde(default)]
    even_cancelled: bool,
    /// Whether it is delivered while Redis is out of reach.
    #[serde(default)]
    alone: bool,
}

/// `POST /admin/payments/redeliver`: delivers every undelivered event of one `pay_id` again.
pub(super) async fn redeliver(
    context: AdminContext,
    request: web::Json<RedeliveryRequest>,
) -> Result<HttpResponse, Refusal> {
    let biller = context.biller(&request.biller)?;
    let pay_id = pay_id(&request.pay_id)?;
    if context.worker().shared().is_draining() {
        return Err(Refusal::conflict(
            "draining",
            "this gateway is about to end",
        ));
    }
    let mut events = undelivered(&context, Some(biller.code())).await?;
    events.retain(|one| one.event.pay_id == pay_id);
    if events.is_empty() {
        return Err(nothing_to_deliver(&context, biller.code(), pay_id).await?);
    }
    let rules = RedeliveryRules {
        skip: if request.even_cancelled {
            SkipCancelled::Never
        } else {
            SkipCancelled::Fully
        },
        without_redis: without_redis(request.alone),
    };
    // In its own task, so that it completes even when the operator hangs up.
    let outcomes = actix_web::rt::spawn(async move {
        let mut outcomes = Vec::with_capacity(events.len());
        for one in events {
            outcomes.push(deliver(&context, &biller, &one, rules).await?);
        }
        Ok::<_, Refusal>(outcomes)
    });
    let outcomes = outcomes.await.map_err(|_| Refusal::internal())??;
    Ok(answer(&json!({ "outcomes": outcomes })))
}

/// Returns what a delivery does without Redis by the member `alone` of a request.
pub(super) const fn without_redis(alone: bool) -> WithoutRedis {
    if alone {
        WithoutRedis::GoesOn
    } else {
        WithoutRedis::Waits
    }
}

/// Parses a `pay_id`, exactly, from a JSON number or a string that holds one.
pub(super) fn pay_id(value: &Value) -> Result<PayId, Refusal> {
    let spelling = match value {
        Value::String(text) => text.clone(),
        // A larger number was rounded when the request was parsed.
        Value::Number(number) if number.as_f64().is_some_and(|number| number.abs() < 9e15) => {
            number.to_string()
        }
        _ => String::new(),
    };
    let is_number = serde_json::from_str::<serde_json::Number>(&spelling).is_ok();
    is_number
        .then(|| PayId::parse_stored(&spelling).ok())
        .flatten()
        .ok_or_else(|| {
            Refusal::bad_request(
                "pay_id is no number (one of more than 15 digits is given as a string)",
            )
        })
}

/// Returns why there is nothing to deliver.
pub(super) async fn nothing_to_deliver(
    context: &AdminContext,
    biller: BillerCode,
    pay_id: PayId,
) -> Result<Refusal, Refusal> {
    let bills = context.ledger().bills_paid_by(biller, pay_id).await?;
    let Some(bill) = bills.first() else {
        let refusal = Refusal::not_found("unknown_payment", "no payment with this pay_id is known");
        return Ok(match hint(context) {
            Some(hint) => refusal.with("hint", hint.into()),
            None => refusal,
        });
    };
    let known = context.ledger().scoped_state(bill).await.state;
    let groups = known.as_ref().and_then(ledger::BillState::payments);
    let deliveries: Vec<Option<DeliveryState>> = groups
        .into_iter()
        .flat_map(ledger::Payments::groups)
        .filter(|group| group.pay_id == pay_id)
        .flat_map(|group| group.records)
        .map(|record| record.delivery.map(|(_, state)| state))
        .collect();
    Ok(if deliveries.contains(&None) {
        Refusal::conflict("under_way", "its delivery is under way")
    } else if deliveries.contains(&Some(DeliveryState::Closed)) {
        Refusal::conflict("closed", "an operator has closed it")
    } else {
        Refusal::conflict(
            "already_accepted",
            "its biller has accepted it; it is not delivered again",
        )
    })
}

async fn deliver(
    context: &AdminContext,
    biller: &Arc<RegisteredBiller>,
    one: &EventDelivery,
    rules: RedeliveryRules,
) -> Result<Value, Refusal> {
    let mut shown = Map::new();
    match deliver_again(context.worker(), biller, one, rules).await? {
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
        skipped => {
            shown.insert("outcome".to_owned(), name(&skipped).into());
            if skipped == Redelivered::OutOfReach {
                shown.insert("hint".to_owned(), NOT_ALONE.into());
            }
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

const fn name(skipped: &Redelivered) -> &'static str {
    match skipped {
        Redelivered::Attempted(_) => "attempted",
        Redelivered::AlreadyAccepted => "already_accepted",
        Redelivered::Cancelled => "cancelled",
        Redelivered::Closed => "closed",
        Redelivered::OutOfReach => "out_of_reach",
        Redelivered::UnderWay => "under_way",
        Redelivered::Busy => "busy",
        Redelivered::NotKept => "not_kept",
    }
}
