//! Refused pay-results: list, one as it came, delivery and closing by an operator.

use std::rc::Rc;

use actix_web::{HttpResponse, web};
use ledger::journal::RefusedFilter;
use ledger::{DeliveryState, RefusedClosing, RefusedEntry, RefusedOutcome, Timestamp};
use protocol::{BillerCode, LenientPayResult};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::named_bill::{operator_line, reason_line};
use super::payments::{LIMIT_DEFAULT, LIMIT_MAX, NOT_ALONE, without_redis};
use super::refusal::Refusal;
use super::shown;
use crate::call::Call;
use crate::flow::deliver_refused::{RefusedDelivery, deliver_refused};
use crate::upstream::Sent;

/// Fewest hex digits that name an entry.
const ID_DIGITS: usize = 6;

/// Returns a note that other nodes keep their own refused pay-results; `None` for a single node.
fn hint(context: &AdminContext) -> Option<&'static str> {
    context
        .ledger()
        .is_redis_reachable()
        .map(|_| "only pay-results that this node refused; ask every node for its own")
}

/// Query of `GET /admin/payments/refused`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a query of state, biller and limit")]
pub(super) struct Query {
    state: Option<String>,
    biller: Option<String>,
    limit: Option<usize>,
}

/// `GET /admin/payments/refused?state=…&biller=…&limit=…`: lists refused pay-results, the oldest first.
pub(super) async fn list(
    context: AdminContext,
    query: web::Query<Query>,
) -> Result<HttpResponse, Refusal> {
    let name = query.state.as_deref().unwrap_or("open");
    let state = RefusedFilter::parse(name)
        .ok_or_else(|| Refusal::bad_request("state is one of open, closed, all"))?;
    let biller = match &query.biller {
        // Any code: the biller may never have been registered.
        Some(code) => Some(AdminContext::code(code)?),
        None => None,
    };
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT).min(LIMIT_MAX);
    let (ledger, now) = (context.ledger(), Timestamp::now());
    let mut listed = ledger.refused_pay_results(state, biller, limit).await?;
    if ledger.is_redis_reachable() == Some(true) {
        let open = listed.0.iter().filter(|entry| entry.closed.is_none());
        let open: Vec<_> = open.map(|entry| entry.message).collect();
        ledger.learn_ends_of_refused(&open, now).await;
        listed = ledger.refused_pay_results(state, biller, limit).await?;
    }
    let (entries, total) = listed;
    let lines: Vec<Value> = entries
        .iter()
        .map(|entry| Value::Object(line(entry, now)))
        .collect();
    Ok(answer(&json!({
        "refused": lines,
        "left_off": total.saturating_sub(entries.len()),
        "node": ledger.node(),
        "hint": hint(&context),
    })))
}

/// Body of the requests about one entry.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with id")]
pub(super) struct NamedEntry {
    id: String,
    #[serde(default)]
    operator: String,
    #[serde(default)]
    reason: String,
    /// Whether it is delivered while Redis is out of reach.
    #[serde(default)]
    alone: bool,
}

impl NamedEntry {
    /// Returns the entry whose digest begins with the id's hex digits.
    async fn find(&self, context: &AdminContext) -> Result<RefusedEntry, Refusal> {
        let is_hex = self.id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex || !(ID_DIGITS..=64).contains(&self.id.len()) {
            let message = format!("id must be {ID_DIGITS} to 64 hex digits");
            return Err(Refusal::bad_request(message));
        }
        let mut found = context.ledger().refused_beginning(&self.id).await?;
        match (found.pop(), found.pop()) {
            (Some(entry), None) => Ok(entry),
            (Some(_), Some(_)) => Err(Refusal::conflict(
                "ambiguous_id",
                "more than one refused pay-result begins with this id",
            )),
            (None, _) => {
                let refusal = Refusal::not_found(
                    "unknown_refused",
                    "this node keeps no refused pay-result with this id",
                );
                Err(match hint(context) {
                    Some(hint) => refusal.with("hint", hint.into()),
                    None => refusal,
                })
            }
        }
    }

    /// Returns the entry if it is open.
    async fn find_open(&self, context: &AdminContext) -> Result<RefusedEntry, Refusal> {
        let entry = self.find(context).await?;
        match &entry.closed {
            None => Ok(entry),
            Some((_, closing)) => Err(Refusal::conflict(
                "already_closed",
                format!("it is not open: {}", closing.outcome.name()),
            )),
        }
    }
}

/// `POST /admin/payments/refused/show`: an entry with its bytes, and what can be read of them.
pub(super) async fn show(
    context: AdminContext,
    named: web::Json<NamedEntry>,
) -> Result<HttpResponse, Refusal> {
    let entry = named.find(&context).await?;
    Ok(answer(&whole(&context, &entry)))
}

/// `POST /admin/payments/refused/deliver`: sends an entry's bytes to its biller as they are.
pub(super) async fn deliver(
    context: AdminContext,
    named: web::Json<NamedEntry>,
) -> Result<HttpResponse, Refusal> {
    let operator = operator_line(&named.operator)?;
    if context.worker().shared().is_draining() {
        return Err(Refusal::conflict(
            "draining",
            "this gateway is about to end",
        ));
    }
    let entry = named.find_open(&context).await?;
    if !entry.last.is_whole {
        return Err(Refusal::conflict(
            "not_whole",
            "only the beginning of it came: it cannot be delivered, only closed",
        ));
    }
    let code = entry.last.biller.ok_or_else(|| {
        Refusal::conflict("no_biller", "it names no biller: it can only be closed")
    })?;
    let biller = context.biller(code.as_str())?;
    let id = entry.message;
    // In its own task, so that it completes even when the operator hangs up.
    let worker = Rc::clone(context.worker());
    let without_redis = without_redis(named.alone);
    let outcome = actix_web::rt::spawn(async move {
        let _awaited = worker.shared().redeliveries.token();
        let call = Call::internal(Rc::clone(&worker));
        let outcome = deliver_refused(&call, &biller, &entry, (&operator, without_redis)).await;
        tracing::info!(
            request_id = call.request_id(),
            operator,
            biller = biller.code().as_str(),
            outcome = name(&outcome),
            "an operator delivered a refused pay-result"
        );
        outcome
    });
    let outcome = outcome.await.map_err(|_| Refusal::internal())?;
    let mut shown = Map::new();
    shown.insert("id".to_owned(), shown::hex(id.as_bytes()).into());
    shown.insert("outcome".to_owned(), name(&outcome).into());
    if outcome == RefusedDelivery::OutOfReach {
        shown.insert("hint".to_owned(), NOT_ALONE.into());
    }
    if let RefusedDelivery::Attempted {
        attempt,
        is_recorded,
    } = &outcome
    {
        shown.insert("status".to_owned(), attempt.status.into());
        shown.insert("res_code".to_owned(), attempt.res_code.as_str().into());
        shown.insert("recorded".to_owned(), (*is_recorded).into());
    }
    Ok(answer(&Value::Object(shown)))
}

const fn name(outcome: &RefusedDelivery) -> &'static str {
    match outcome {
        RefusedDelivery::Attempted { attempt, .. } => match (attempt.sent, attempt.state) {
            (Sent::NotSent, _) => "not_sent",
            (Sent::MaybeSent, state) => DeliveryState::name(state),
        },
        RefusedDelivery::AlreadyAccepted => "already_accepted",
        RefusedDelivery::NotOpen => "already_closed",
        RefusedDelivery::UnderWay => "under_way",
        RefusedDelivery::Busy => "busy",
        RefusedDelivery::OutOfReach => "out_of_reach",
        RefusedDelivery::Unreadable => "ledger_unreadable",
    }
}

/// `POST /admin/payments/refused/close`: closes an entry with a reason.
pub(super) async fn close(
    context: AdminContext,
    named: web::Json<NamedEntry>,
) -> Result<HttpResponse, Refusal> {
    let closing = RefusedClosing {
        outcome: RefusedOutcome::Closed,
        reason: reason_line(&named.reason)?,
        operator: operator_line(&named.operator)?,
    };
    let (entry, ledger) = (named.find_open(&context).await?, context.ledger());
    let operator = closing.operator.clone();
    let Some(end) = ledger
        .end_refused(entry.message, closing, Timestamp::now())
        .await
    else {
        return Err(Refusal::conflict(
            "already_closed",
            "it is not open any more",
        ));
    };
    ledger.refused_ended(end).await.map_err(|error| {
        tracing::error!(%error, "the closing of a refused pay-result is in memory only");
        Refusal::journal_not_writable()
    })?;
    tracing::info!(
        operator,
        biller = entry.last.biller.as_ref().map_or("-", BillerCode::as_str),
        "an operator closed a refused pay-result"
    );
    let closed = named.find(&context).await?;
    Ok(answer(&whole(&context, &closed)))
}

/// Returns one line of the list.
fn line(entry: &RefusedEntry, now: Timestamp) -> Map<String, Value> {
    let age_millis = now.millis().saturating_sub(entry.first_at.millis()).max(0);
    let (state, closed) = match &entry.closed {
        None => ("open", Value::Null),
        Some((at, closing)) => (
            closing.outcome.name(),
            json!({
                "at": shown::time(*at), "reason": closing.reason, "operator": closing.operator,
            }),
        ),
    };
    let members = [
        ("id", Value::from(shown::hex(entry.message.as_bytes()))),
        ("state", state.into()),
        (
            "biller",
            entry.last.biller.as_ref().map(BillerCode::as_str).into(),
        ),
        ("res_code", entry.last.res_code.as_str().into()),
        ("reason", entry.last.reason.as_str().into()),
        ("source", entry.last.source.to_string().into()),
        ("request_id", entry.last.request_id.as_str().into()),
        ("bytes", entry.size_bytes.into()),
        ("whole", entry.last.is_whole.into()),
        ("count", entry.count.into()),
        ("first_at", shown::time(entry.first_at).into()),
        ("last_at", shown::time(entry.last_at).into()),
        ("age_seconds", (age_millis / 1000).into()),
        ("closed", closed),
    ];
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

/// Returns an entry with its bytes as text, and with what can be read of them.
fn whole(context: &AdminContext, entry: &RefusedEntry) -> Value {
    let mut shown = line(entry, Timestamp::now());
    let registry = context.worker().shared().registry();
    let read = entry.last.biller.map(|code| {
        let registered = registry.find(code.as_str());
        let names = registered.map_or(&[][..], |known| &known.settings.identity_parameters);
        LenientPayResult::read(&entry.last.body, code, names)
    });
    let read = read.unwrap_or_default();
    let event = read.event.as_ref().map(shown::payment);
    shown.insert(
        "bill".to_owned(),
        read.bill.as_ref().map(shown::bill).into(),
    );
    shown.insert("event".to_owned(), event.map(Value::Object).into());
    let text = String::from_utf8_lossy(&entry.last.body);
    shown.insert("body".to_owned(), text.into());
    Value::Object(shown)
}
