//! Facts and states as JSON. The gateway's own times are RFC 3339 in Korean time; the guide's times keep their
//! spelling; amounts and `pay_id`s are strings, because they are exact decimals.

use jiff::tz::Offset;
use ledger::journal::NumberedFact;
use ledger::{
    AnswerSummary, BillState, Cancellation, Classification, DeliveryAttempts, EventDelivery,
    FactKind, LinkState, PaymentGroup, PaymentRecord, Stamp, Timestamp,
};
use protocol::{Bill, KoreanTime, PaymentEvent};
use serde_json::{Map, Value, json};

/// The offset of Korean time, in which all the guide's times are.
const KOREA: Offset = Offset::constant(9);

/// Formats a time as `2026-11-24T09:00:00.123+09:00`.
pub(super) fn time(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    format!("{:.3}+09:00", KOREA.to_datetime(moment))
}

/// Returns the members that identify a bill.
pub(super) fn bill(bill: &Bill) -> Value {
    let parameters: Map<String, Value> = bill
        .identity_parameters()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({
        "biller": bill.biller_code().as_str(),
        "user_key": bill.biller_user_key(),
        "month": bill.billed_year_month(),
        "ordinal": bill.ordinal(),
        "notice_key": bill.biller_notice_key(),
        "parameters": parameters,
    })
}

/// Returns a bill's state at `now`.
pub(super) fn state(state: &BillState, now: Timestamp) -> Value {
    let groups: Vec<Value> = state
        .payments()
        .into_iter()
        .flat_map(ledger::Payments::groups)
        .map(|one| group(&one))
        .collect();
    json!({
        "link": link(state.link_state(now)),
        "expire_at": state.link().expire_at().map(KoreanTime::as_str),
        "paid": state.is_paid(now),
        "error_bill": state.is_error_bill(),
        "classification": state.classification().map(classification),
        "payments": groups,
    })
}

const fn link(state: LinkState) -> &'static str {
    match state {
        LinkState::Unregistered => "unregistered",
        LinkState::Reserved => "reserved",
        LinkState::Unknown => "unknown",
        LinkState::Linked => "linked",
    }
}

fn classification(word: &Classification) -> Value {
    json!({
        "error_bill": word.error_bill,
        "reason": word.reason,
        "operator": word.operator,
        "since": time(word.stamp.timestamp()),
    })
}

fn group(group: &PaymentGroup) -> Value {
    let records: Vec<Value> = group.records.iter().map(record).collect();
    json!({
        "pay_id": group.pay_id.to_string(),
        "sum": group.remaining,
        "cancelled": cancelled(group.cancelled),
        "events": records,
    })
}

pub(super) const fn cancelled(cancelled: Cancellation) -> &'static str {
    match cancelled {
        Cancellation::No => "no",
        Cancellation::InPart => "in_part",
        Cancellation::Fully => "fully",
    }
}

fn record(record: &PaymentRecord) -> Value {
    let (delivered_at, delivery) = record.delivery.unzip();
    json!({
        "pay_type": record.event.pay_type.as_str(),
        "paid_at": record.event.paid_at.as_str(),
        "pay_amount": record.event.pay_amount.to_string(),
        "counts_until": record.mark_ends_at.map(time),
        "delivery": delivery.map(ledger::DeliveryState::name),
        "last_attempt_at": delivered_at.map(time),
    })
}

/// Returns one fact of a bill's history.
pub(super) fn fact(numbered: &NumberedFact) -> Value {
    let fact = &numbered.fact;
    let mut shown = details(&fact.kind);
    shown.insert("row".to_owned(), numbered.row.into());
    shown.insert("time".to_owned(), time(fact.stamp.timestamp()).into());
    shown.insert("stamp".to_owned(), stamp(fact.stamp).into());
    shown.insert("node".to_owned(), fact.stamp.node.into());
    shown.insert("kind".to_owned(), fact.kind.name().into());
    let context = &numbered.context;
    if let Some(request_id) = context.request_id.as_deref() {
        shown.insert("request_id".to_owned(), request_id.into());
    }
    if let Some(said) = &context.answer {
        shown.insert("answer".to_owned(), answer(said));
    }
    Value::Object(shown)
}

/// Returns what a biller's answer said. Its text is the biller's own.
fn answer(said: &AnswerSummary) -> Value {
    json!({ "status": said.status, "res_code": said.res_code, "message": said.message })
}

/// Formats a stamp, which links the facts of one attempt.
fn stamp(stamp: Stamp) -> String {
    format!("{}-{}", stamp.time, stamp.node)
}

fn details(kind: &FactKind) -> Map<String, Value> {
    let shown = match kind {
        FactKind::Reserved {
            until,
            after_unknown,
        } => json!({ "until": time(*until), "after_unknown": after_unknown }),
        FactKind::Released {
            attempt,
            after_unknown,
        } => json!({ "attempt": stamp(*attempt), "after_unknown": after_unknown }),
        FactKind::Uncertain { attempt } => json!({ "attempt": stamp(*attempt) }),
        FactKind::Linked { attempt, expire_at } => {
            json!({ "attempt": stamp(*attempt), "expire_at": expire_at.as_str() })
        }
        FactKind::Relinked { expire_at } => json!({ "expire_at": expire_at.as_str() }),
        FactKind::Payment {
            event,
            mark_ends_at,
            message,
        } => {
            let mut shown = payment(event);
            shown.insert("counts_until".to_owned(), mark_ends_at.map(time).into());
            shown.insert("message".to_owned(), hex(message.as_bytes()).into());
            return shown;
        }
        FactKind::Delivery {
            event,
            message,
            state,
        } => {
            let mut shown = payment(event);
            shown.insert("delivery".to_owned(), state.name().into());
            shown.insert("message".to_owned(), hex(message.as_bytes()).into());
            return shown;
        }
        FactKind::Classified { reason, operator } | FactKind::Cleared { reason, operator } => {
            json!({ "reason": reason, "operator": operator })
        }
    };
    match shown {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn payment(event: &PaymentEvent) -> Map<String, Value> {
    [
        ("pay_id", event.pay_id.to_string()),
        ("pay_type", event.pay_type.as_str().to_owned()),
        ("paid_at", event.paid_at.as_str().to_owned()),
        ("pay_amount", event.pay_amount.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::from(value)))
    .collect()
}

/// One line of the list of pay-results.
pub(super) fn undelivered(
    one: &EventDelivery,
    attempts: Option<&DeliveryAttempts>,
    now: Timestamp,
) -> Value {
    let mut shown = payment(&one.event);
    let age_millis = now.millis().saturating_sub(one.since().millis()).max(0);
    let more = [
        ("biller", Value::from(one.bill.biller_code().as_str())),
        ("age_seconds", (age_millis / 1000).into()),
        ("delivery", one.state.name().into()),
        ("attempts", attempts.map(|attempts| attempts.count).into()),
        ("last_attempt_at", time(one.last_attempt).into()),
        ("cancelled", cancelled(one.cancelled).into()),
        ("bill", bill(&one.bill)),
    ];
    shown.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(shown)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_korean_with_milliseconds() {
        for (millis, expected) in [
            (0, "1970-01-01T09:00:00.000+09:00"),
            (1_795_478_399_007, "2026-11-24T08:59:59.007+09:00"),
            (i64::MAX, "1970-01-01T09:00:00.000+09:00"),
        ] {
            assert_eq!(time(Timestamp::from_millis(millis)), expected);
        }
    }
}
