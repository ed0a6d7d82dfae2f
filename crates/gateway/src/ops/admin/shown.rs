//! Facts and states as JSON. The gateway's own times are RFC 3339 in Korean time; the guide's times keep their
//! spelling; amounts and `pay_id`s are strings, because they are exact decimals.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use ledger::journal::NumberedFact;
use ledger::{
    AnswerSummary, BillState, Cancellation, Classification, DeliveryAttempts, DeliveryState,
    EventDelivery, FactKind, LinkState, PaymentGroup, PaymentRecord, Stamp, Timestamp,
};
use protocol::{Bill, KoreanTime, PaymentEvent};
use serde_json::{Map, Value, json};

/// The start of the Unix epoch by the clocks of Korea.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 9, 0, 0, 0);

/// Formats a time as `2026-11-24T09:00:00.123+09:00`. A time beyond the years 1 to 9999 is `never`: RFC 3339 has no
/// spelling for it. Counted from the epoch on the calendar, because the library's range of instants ends before the
/// last day of the year 9999.
pub(super) fn time(at: Timestamp) -> String {
    let since = SignedDuration::from_millis(at.millis());
    match EPOCH.checked_add(since) {
        Ok(moment) if moment.year() >= 1 => format!("{moment:.3}+09:00"),
        _ => "never".to_owned(),
    }
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
        "refused_pay_results": refusals(state),
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

/// Returns the refused pay-results because of which the bill is an error bill.
pub(super) fn refusals(state: &BillState) -> Vec<Value> {
    let open = state.open_refusals().map(|(message, stamp)| {
        json!({
            "id": hex(message.as_bytes()),
            "since": time(stamp.timestamp()),
            "node": stamp.node,
        })
    });
    open.collect()
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
        FactKind::DeliveryClosed {
            event,
            message,
            reason,
            operator,
        } => {
            let mut shown = payment(event);
            shown.insert("delivery".to_owned(), DeliveryState::Closed.name().into());
            shown.insert("message".to_owned(), hex(message.as_bytes()).into());
            shown.insert("reason".to_owned(), reason.as_str().into());
            shown.insert("operator".to_owned(), operator.as_str().into());
            return shown;
        }
        FactKind::PayResultRefused { message } => {
            json!({ "message": hex(message.as_bytes()) })
        }
        FactKind::RefusalClosed {
            message,
            reason,
            operator,
        } => json!({
            "message": hex(message.as_bytes()), "reason": reason, "operator": operator,
        }),
        FactKind::Classified { reason, operator } | FactKind::Cleared { reason, operator } => {
            json!({ "reason": reason, "operator": operator })
        }
    };
    match shown {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

pub(super) fn payment(event: &PaymentEvent) -> Map<String, Value> {
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

pub(super) fn hex(bytes: &[u8]) -> String {
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
            (-62_135_629_200_000, "0001-01-01T00:00:00.000+09:00"),
            (-62_135_629_200_001, "never"),
            (253_402_268_399_000, "9999-12-31T23:59:59.000+09:00"),
            (253_402_268_400_000, "never"),
            (i64::MAX, "never"),
            (i64::MIN, "never"),
        ] {
            assert_eq!(time(Timestamp::from_millis(millis)), expected);
        }
    }
}
