//! A bill's story, and an operator's word on it.

use actix_web::{HttpResponse, web};
use ledger::{Scope, Timestamp};
use metrics::LedgerOperation;
use serde_json::{Value, json};

use super::context::AdminContext;
use super::named_bill::{Found, NamedBill};
use super::refusal::Refusal;
use super::shown;
use crate::logging::user_key_digest;

/// `POST /admin/bills/show`.
pub(super) async fn show(
    context: AdminContext,
    named: web::Json<NamedBill>,
) -> Result<HttpResponse, Refusal> {
    let found = named.find(&context)?;
    let story = story(&context, &found).await?;
    if story.is_null() {
        let alike = context
            .ledger()
            .bills_of(found.bill.biller_code(), found.bill.biller_user_key())
            .await?;
        let alike: Vec<Value> = alike.iter().map(shown::bill).collect();
        let refusal = Refusal::not_found("unknown_bill", "nothing is known of this bill");
        return Err(refusal.with("bills_of_this_user_key", alike.into()));
    }
    Ok(answer(&story))
}

/// `POST /admin/bills/classify`.
pub(super) async fn classify(
    context: AdminContext,
    named: web::Json<NamedBill>,
) -> Result<HttpResponse, Refusal> {
    say(&context, &named, Word::Classify).await
}

/// `POST /admin/bills/clear`.
pub(super) async fn clear(
    context: AdminContext,
    named: web::Json<NamedBill>,
) -> Result<HttpResponse, Refusal> {
    say(&context, &named, Word::Clear).await
}

/// What an operator says of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Classify,
    Clear,
}

async fn say(
    context: &AdminContext,
    named: &NamedBill,
    word: Word,
) -> Result<HttpResponse, Refusal> {
    let found = named.find(context)?;
    let (reason, operator) = (named.reason()?, named.operator()?);
    let ledger = context.ledger();
    let before = ledger.scoped_state(&found.bill).await.state;
    let was_error_bill = before
        .as_ref()
        .is_some_and(ledger::BillState::is_error_bill);
    if word == Word::Clear && !was_error_bill {
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
    let said = match word {
        Word::Classify => {
            let said = ledger.classify(&found.bill, reason, operator.clone(), now);
            said.await
        }
        Word::Clear => {
            let said = ledger.clear(&found.bill, reason, operator.clone(), now);
            said.await
        }
    };
    drop(timer);
    said.map_err(|error| {
        tracing::error!(%error, "an operator's word is in memory only");
        Refusal::new(
            actix_web::http::StatusCode::SERVICE_UNAVAILABLE,
            "journal_not_writable",
            "it holds until the next stop, but the journal cannot be written",
        )
    })?;
    tracing::info!(
        operator,
        biller = found.bill.biller_code().as_str(),
        user = %user_key_digest(found.bill.biller_user_key()),
        error_bill = word == Word::Classify,
        "an operator classified a bill"
    );
    let mut story = story(context, &found).await?;
    if let Value::Object(members) = &mut story {
        members.insert("was_known".to_owned(), before.is_some().into());
    }
    Ok(answer(&story))
}

/// The story as JSON; null where nothing is known of the bill.
async fn story(context: &AdminContext, found: &Found) -> Result<Value, Refusal> {
    let story = context.ledger().history(&found.bill).await?;
    let Some(state) = &story.current.state else {
        return Ok(Value::Null);
    };
    let facts: Vec<Value> = story.facts.facts.iter().map(shown::fact).collect();
    Ok(json!({
        "bill": shown::bill(&found.bill),
        "biller_name": found.biller.settings.name,
        "state": shown::state(state, Timestamp::now()),
        "story": facts,
        "left_off": story.facts.left_off,
        "node": context.ledger().node(),
        "known_by": story.current.scope.name(),
        "hint": hint(story.current.scope),
    }))
}

/// What an operator must know of whose knowledge this is.
pub(super) const fn hint(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::SingleNode => None,
        Scope::AllNodes => Some("other nodes have facts of their own in their journals"),
        Scope::ThisNodeOnly => {
            Some("Redis is out of reach: this is what this node knows by itself")
        }
    }
}

/// An answer that nobody keeps.
pub(super) fn answer(body: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"))
        .json(body)
}
