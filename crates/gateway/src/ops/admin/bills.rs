//! A bill's history, and its classification as an error bill by an operator.

use actix_web::{HttpResponse, web};
use ledger::{Scope, Timestamp};
use metrics::LedgerOperation;
use serde_json::{Value, json};

use super::context::AdminContext;
use super::named_bill::{NamedBill, ResolvedBill};
use super::refusal::Refusal;
use super::shown;
use crate::logging::user_key_digest;

/// `POST /admin/bills/show`.
pub(super) async fn show(
    context: AdminContext,
    named: web::Json<NamedBill>,
) -> Result<HttpResponse, Refusal> {
    let found = named.find(&context)?;
    let history = history(&context, &found).await?;
    if history.is_null() {
        let alike = context
            .ledger()
            .bills_of(found.bill.biller_code(), found.bill.biller_user_key())
            .await?;
        let alike: Vec<Value> = alike.iter().map(shown::bill).collect();
        let refusal = Refusal::not_found("unknown_bill", "nothing is known of this bill");
        return Err(refusal.with("bills_of_this_user_key", alike.into()));
    }
    Ok(answer(&history))
}

/// `POST /admin/bills/classify`.
pub(super) async fn classify(
    context: AdminContext,
    named: web::Json<NamedBill>,
) -> Result<HttpResponse, Refusal> {
    change(&context, &named, Action::Classify).await
}

/// `POST /admin/bills/clear`.
pub(super) async fn clear(
    context: AdminContext,
    named: web::Json<NamedBill>,
) -> Result<HttpResponse, Refusal> {
    change(&context, &named, Action::Clear).await
}

/// An operator's change of a bill's classification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Classify,
    Clear,
}

async fn change(
    context: &AdminContext,
    named: &NamedBill,
    action: Action,
) -> Result<HttpResponse, Refusal> {
    let found = named.find(context)?;
    let (reason, operator) = (named.reason()?, named.operator()?);
    let ledger = context.ledger();
    let before = ledger.scoped_state(&found.bill).await.state;
    let was_error_bill = before
        .as_ref()
        .is_some_and(ledger::BillState::is_error_bill);
    let refused: Vec<Value> = before.as_ref().map_or(Vec::new(), shown::refusals);
    let is_classified = before
        .as_ref()
        .is_some_and(ledger::BillState::is_classified);
    if action == Action::Clear && !refused.is_empty() && !is_classified && !named.even_refused {
        let refusal = Refusal::conflict(
            "refused_pay_result",
            "a refused pay-result makes it an error bill: deliver or close that",
        );
        return Err(refusal.with("refused_pay_results", refused.into()));
    }
    if action == Action::Clear && !was_error_bill {
        return Err(Refusal::conflict(
            "no_error_bill",
            "this bill is no error bill: there is nothing to clear",
        ));
    }
    let timer = context
        .worker()
        .shared()
        .metrics
        .time_ledger(LedgerOperation::Classify);
    let now = Timestamp::now();
    let recorded = match action {
        Action::Classify => {
            let classified = ledger.classify(&found.bill, reason, operator.clone(), now);
            classified.await
        }
        Action::Clear => {
            let closed = if named.even_refused {
                let said = (reason.clone(), operator.clone());
                ledger.close_refusals(&found.bill, said, now).await
            } else {
                Ok(())
            };
            let cleared = ledger.clear(&found.bill, reason, operator.clone(), now);
            cleared.await.and(closed)
        }
    };
    drop(timer);
    recorded.map_err(|error| {
        tracing::error!(%error, "an operator's classification is in memory only");
        Refusal::journal_not_writable()
    })?;
    let (biller, user) = (
        found.bill.biller_code(),
        user_key_digest(found.bill.biller_user_key()),
    );
    match action {
        Action::Classify => tracing::info!(
            operator, biller = biller.as_str(), %user, "an operator made a bill an error bill"
        ),
        Action::Clear => tracing::info!(
            operator, biller = biller.as_str(), %user, "an operator cleared an error bill"
        ),
    }
    let mut history = history(context, &found).await?;
    if let Value::Object(members) = &mut history {
        members.insert("was_known".to_owned(), before.is_some().into());
    }
    Ok(answer(&history))
}

/// Returns the bill's history as JSON; null for an unknown bill.
async fn history(context: &AdminContext, found: &ResolvedBill) -> Result<Value, Refusal> {
    let history = context.ledger().history(&found.bill).await?;
    let Some(state) = &history.current.state else {
        return Ok(Value::Null);
    };
    let facts: Vec<Value> = history.facts.facts.iter().map(shown::fact).collect();
    Ok(json!({
        "bill": shown::bill(&found.bill),
        "biller_name": found.biller.as_ref().map(|biller| &biller.settings.name),
        "state": shown::state(state, Timestamp::now()),
        "story": facts,
        "left_off": history.facts.left_off,
        "node": context.ledger().node(),
        "known_by": history.current.scope.name(),
        "hint": hint(history.current.scope),
    }))
}

/// Returns a note on which nodes' facts the answer covers.
pub(super) const fn hint(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::SingleNode => None,
        Scope::AllNodes => Some("other nodes have facts of their own in their journals"),
        Scope::ThisNodeOnly => {
            Some("Redis is out of reach: this is what this node knows by itself")
        }
    }
}

/// Returns a JSON answer that must not be cached.
pub(super) fn answer(body: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"))
        .json(body)
}
