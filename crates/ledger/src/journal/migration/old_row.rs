//! Rows of versions 1 and 2 as facts. A table of version 1 has been given the columns of version 2.

use protocol::{
    Bill, BillerCode, CanonicalDigest, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent,
};
use rusqlite::Row;
use rusqlite::types::FromSql;

use super::super::JournalError;
use super::super::column::unreadable;
use crate::{
    AnswerSummary, DeliveryState, Fact, FactContext, FactKind, MessageDigest, Stamp, Timestamp,
};

/// What [`numbered_fact`] reads.
pub(super) const COLUMNS: &str = "seq, stamp, node, kind, biller_code, biller_user_key, billed_year_month, ordinal,
    biller_notice_key, identity, attempt_stamp, attempt_node, after_unknown, until, expire_at, pay_id, pay_type, paid_at,
    pay_amount, mark_ends_at, message, delivery, reason, operator, request_id, canonical, answer_status, answer_code,
    answer_message";

/// Places of columns in a row.
mod at {
    pub(super) const SEQ: usize = 0;
    pub(super) const STAMP: usize = 1;
    pub(super) const KIND: usize = 3;
    pub(super) const BILLER_CODE: usize = 4;
    pub(super) const ATTEMPT_STAMP: usize = 10;
    pub(super) const AFTER_UNKNOWN: usize = 12;
    pub(super) const UNTIL: usize = 13;
    pub(super) const EXPIRE_AT: usize = 14;
    pub(super) const PAY_ID: usize = 15;
    pub(super) const PAY_TYPE: usize = 16;
    pub(super) const PAID_AT: usize = 17;
    pub(super) const PAY_AMOUNT: usize = 18;
    pub(super) const MARK_ENDS_AT: usize = 19;
    pub(super) const MESSAGE: usize = 20;
    pub(super) const DELIVERY: usize = 21;
    pub(super) const REASON: usize = 22;
    pub(super) const OPERATOR: usize = 23;
    pub(super) const REQUEST_ID: usize = 24;
    pub(super) const CANONICAL: usize = 25;
    pub(super) const ANSWER_STATUS: usize = 26;
    pub(super) const ANSWER_CODE: usize = 27;
    pub(super) const ANSWER_MESSAGE: usize = 28;
}

/// A fact with its number, and what is kept beside it.
pub(super) struct OldFact {
    pub(super) seq: i64,
    pub(super) fact: Fact,
    pub(super) context: FactContext,
}

/// Reads a row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> Result<OldFact, JournalError> {
    let fact = Fact {
        stamp: stamp(row, at::STAMP)?,
        bill: bill(row)?,
        kind: kind(row)?,
    };
    Ok(OldFact {
        seq: row.get(at::SEQ)?,
        fact,
        context: context(row)?,
    })
}

/// Reads the code of a biller.
pub(super) fn biller(row: &Row<'_>, at: usize) -> Result<BillerCode, JournalError> {
    BillerCode::parse(text(row, at, "biller_code")?).ok_or_else(|| unreadable("biller_code"))
}

fn context(row: &Row<'_>) -> Result<FactContext, JournalError> {
    let status: Option<u16> = row.get(at::ANSWER_STATUS)?;
    let (res_code, message) = (row.get(at::ANSWER_CODE)?, row.get(at::ANSWER_MESSAGE)?);
    let request_id: Option<String> = row.get(at::REQUEST_ID)?;
    let canonical = row.get_ref(at::CANONICAL)?.as_blob_or_null();
    let canonical = canonical.map_err(|_| unreadable("canonical"))?;
    Ok(FactContext {
        request_id: request_id.map(String::into_boxed_str),
        canonical: canonical.and_then(CanonicalDigest::from_slice),
        answer: status.map(|status| AnswerSummary {
            status,
            res_code,
            message,
        }),
    })
}

fn bill(row: &Row<'_>) -> Result<Bill, JournalError> {
    let part = |place: usize, name: &str| text(row, at::BILLER_CODE + place, name);
    let identity = part(5, "identity")?;
    let members: std::collections::BTreeMap<String, String> = if identity.is_empty() {
        std::collections::BTreeMap::new()
    } else {
        serde_json::from_str(identity).map_err(|_| unreadable("identity"))?
    };
    let members: Vec<(&str, &str)> = members
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Ok(Bill::from_parts(
        biller(row, at::BILLER_CODE)?,
        part(1, "biller_user_key")?,
        part(2, "billed_year_month")?,
        part(3, "ordinal")?,
        part(4, "biller_notice_key")?,
        &members,
    ))
}

fn kind(row: &Row<'_>) -> Result<FactKind, JournalError> {
    let until = || Ok::<_, JournalError>(Timestamp::from_millis(get(row, at::UNTIL, "until")?));
    let after_unknown = || get(row, at::AFTER_UNKNOWN, "after_unknown");
    let attempt = || stamp(row, at::ATTEMPT_STAMP);
    let (reason, operator) = (
        || get::<String>(row, at::REASON, "reason"),
        || get::<String>(row, at::OPERATOR, "operator"),
    );
    Ok(match text(row, at::KIND, "kind")? {
        "reserved" => FactKind::Reserved {
            until: until()?,
            after_unknown: after_unknown()?,
        },
        "released" => FactKind::Released {
            attempt: attempt()?,
            after_unknown: after_unknown()?,
        },
        "uncertain" => FactKind::Uncertain {
            attempt: attempt()?,
        },
        "linked" => FactKind::Linked {
            attempt: attempt()?,
            expire_at: expire_at(row)?,
        },
        "relinked" => FactKind::Relinked {
            expire_at: expire_at(row)?,
        },
        "payment" => FactKind::Payment {
            event: event(row)?,
            mark_ends_at: row
                .get::<_, Option<i64>>(at::MARK_ENDS_AT)?
                .map(Timestamp::from_millis),
            message: message(row)?,
        },
        "delivery" => delivery(row)?,
        "pay_result_refused" => FactKind::PayResultRefused {
            message: message(row)?,
        },
        "refusal_closed" => FactKind::RefusalClosed {
            message: message(row)?,
            reason: reason()?,
            operator: operator()?,
        },
        "classified" => FactKind::Classified {
            reason: reason()?,
            operator: operator()?,
        },
        "cleared" => FactKind::Cleared {
            reason: reason()?,
            operator: operator()?,
        },
        _ => return Err(unreadable("kind")),
    })
}

fn delivery(row: &Row<'_>) -> Result<FactKind, JournalError> {
    let state = DeliveryState::parse(text(row, at::DELIVERY, "delivery")?);
    let (event, message) = (event(row)?, message(row)?);
    Ok(match state.ok_or_else(|| unreadable("delivery"))? {
        DeliveryState::Closed => FactKind::DeliveryClosed {
            event,
            message,
            reason: get(row, at::REASON, "reason")?,
            operator: get(row, at::OPERATOR, "operator")?,
        },
        state => FactKind::Delivery {
            event,
            message,
            state,
        },
    })
}

fn event(row: &Row<'_>) -> Result<PaymentEvent, JournalError> {
    let part = |place: usize, name: &'static str| text(row, place, name);
    let pay_id = PayId::parse_stored(part(at::PAY_ID, "pay_id")?);
    let amount = Decimal::parse(part(at::PAY_AMOUNT, "pay_amount")?);
    Ok(PaymentEvent {
        pay_id: pay_id.map_err(|_| unreadable("pay_id"))?,
        pay_type: PayType::parse(part(at::PAY_TYPE, "pay_type")?)
            .ok_or_else(|| unreadable("pay_type"))?,
        paid_at: PaidAt::parse(part(at::PAID_AT, "paid_at")?)
            .ok_or_else(|| unreadable("paid_at"))?,
        pay_amount: amount.map_err(|_| unreadable("pay_amount"))?,
    })
}

fn message(row: &Row<'_>) -> Result<MessageDigest, JournalError> {
    let bytes: Vec<u8> = get(row, at::MESSAGE, "message")?;
    MessageDigest::from_slice(&bytes).ok_or_else(|| unreadable("message"))
}

fn expire_at(row: &Row<'_>) -> Result<KoreanTime, JournalError> {
    KoreanTime::parse(text(row, at::EXPIRE_AT, "expire_at")?).ok_or_else(|| unreadable("expire_at"))
}

/// Reads a stamp: its time, and behind it its node.
fn stamp(row: &Row<'_>, at: usize) -> Result<Stamp, JournalError> {
    Ok(Stamp {
        time: get(row, at, "stamp")?,
        node: get(row, at + 1, "node")?,
    })
}

fn text<'a>(row: &'a Row<'_>, at: usize, name: &str) -> Result<&'a str, JournalError> {
    let value = row.get_ref(at)?;
    value.as_str().map_err(|_| unreadable(name))
}

fn get<T: FromSql>(row: &Row<'_>, at: usize, name: &str) -> Result<T, JournalError> {
    row.get(at).map_err(|_| unreadable(name))
}
