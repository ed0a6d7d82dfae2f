//! `POST /admin/payments/close`: an operator closes undelivered pay-results by hand.

use actix_web::{HttpResponse, web};
use ledger::{EventDelivery, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::bills::answer;
use super::context::AdminContext;
use super::named_bill::{operator_line, reason_line};
use super::payments::{nothing_to_deliver, pay_id, undelivered};
use super::refusal::Refusal;
use super::shown;

/// Body of `POST /admin/payments/close`.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object with biller, pay_id, reason and operator"
)]
pub(super) struct Closing {
    biller: String,
    pay_id: Value,
    reason: String,
    operator: String,
}

/// Closes every undelivered event of one `pay_id`. The biller need not be registered any more.
pub(super) async fn close(
    context: AdminContext,
    closing: web::Json<Closing>,
) -> Result<HttpResponse, Refusal> {
    let biller = context.known_biller(&closing.biller)?;
    let pay_id = pay_id(&closing.pay_id)?;
    let (reason, operator) = (
        reason_line(&closing.reason)?,
        operator_line(&closing.operator)?,
    );
    let mut events = undelivered(&context, Some(biller)).await?;
    events.retain(|one| one.event.pay_id == pay_id);
    if events.is_empty() {
        return Err(nothing_to_deliver(&context, biller, pay_id).await?);
    }
    let attempts = context.ledger().delivery_attempts(&events).await?;
    let mut closed: Vec<Value> = Vec::with_capacity(events.len());
    for (one, attempts) in events.iter().zip(attempts) {
        let Some(attempts) = attempts else {
            // Its report is not in the journal yet.
            return Err(Refusal::conflict("under_way", "its delivery is under way"));
        };
        let said = (reason.clone(), operator.clone());
        let message = attempts.last_message.bytes;
        let recorded = context
            .ledger()
            .close_payment(one, message, said, Timestamp::now());
        recorded.await.map_err(|error| {
            tracing::error!(%error, "an operator's closing of a payment is in memory only");
            Refusal::journal_not_writable()
        })?;
        tracing::info!(
            operator,
            biller = biller.as_str(),
            pay_id = %one.event.pay_id,
            pay_type = one.event.pay_type.as_str(),
            "an operator closed an undelivered pay-result"
        );
        closed.push(shown_closed(one));
    }
    Ok(answer(&json!({ "closed": closed })))
}

fn shown_closed(one: &EventDelivery) -> Value {
    let mut shown = shown::payment(&one.event);
    shown.insert("was".to_owned(), one.state.name().into());
    shown.insert("bill".to_owned(), shown::bill(&one.bill));
    Value::Object(shown)
}
