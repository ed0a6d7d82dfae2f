//! Rows as facts, and what picks the rows of a bill.

use protocol::{
    Bill, BillerCode, CanonicalDigest, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent,
};
use rusqlite::Row;

use super::JournalError;
use crate::{
    AnswerSummary, DeliveryState, Digests, Fact, FactContext, FactKind, MessageDigest, Stamp,
    Timestamp,
};

/// What a fact is read back from; the order of columns that `fact` expects.
pub(super) const FACT_COLUMNS: &str = "stamp, node, kind, biller_code, biller_user_key,
    billed_year_month, ordinal, biller_notice_key, identity, attempt_stamp, attempt_node,
    after_unknown, until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message,
    delivery, reason, operator";

/// What `context` reads.
pub(super) const CONTEXT_COLUMNS: &str =
    "request_id, canonical, answer_status, answer_code, answer_message";

/// What picks the rows of one bill; the order of parameters that `of_bill` gives.
pub(super) const OF_BILL: &str = "biller_code = ?1 AND biller_user_key = ?2
    AND billed_year_month = ?3 AND ordinal = ?4 AND biller_notice_key = ?5 AND identity = ?6";

/// The parameters of `OF_BILL`.
pub(super) fn of_bill(bill: &Bill) -> [String; 6] {
    [
        bill.biller_code().as_str().to_owned(),
        bill.biller_user_key().to_owned(),
        bill.billed_year_month().to_owned(),
        bill.ordinal().to_owned(),
        bill.biller_notice_key().to_owned(),
        identity_text(bill),
    ]
}

pub(super) fn identity_text(bill: &Bill) -> String {
    let members: serde_json::Map<String, serde_json::Value> = bill
        .identity_parameters()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    if members.is_empty() {
        return String::new();
    }
    serde_json::Value::Object(members).to_string()
}

/// Reads one row of `FACT_COLUMNS` back.
pub(super) fn fact(row: &Row<'_>) -> Result<Fact, JournalError> {
    Ok(Fact {
        stamp: Stamp {
            time: row.get("stamp")?,
            node: row.get("node")?,
        },
        bill: bill(row)?,
        kind: kind(row)?,
    })
}

/// Reads the `CONTEXT_COLUMNS` of a row.
pub(super) fn context(row: &Row<'_>) -> Result<FactContext, JournalError> {
    let status: Option<u16> = row.get("answer_status")?;
    let (res_code, message) = (row.get("answer_code")?, row.get("answer_message")?);
    let answer = status.map(|status| AnswerSummary {
        status,
        res_code,
        message,
    });
    Ok(FactContext {
        request_id: row.get("request_id")?,
        canonical: canonical(row)?,
        answer,
    })
}

/// Reads the column `canonical`.
pub(super) fn canonical(row: &Row<'_>) -> Result<Option<CanonicalDigest>, JournalError> {
    let digest: Option<Vec<u8>> = row.get("canonical")?;
    Ok(digest.as_deref().and_then(CanonicalDigest::from_slice))
}

/// Reads the columns `message` and `canonical`; `None` where the digest cannot be read.
pub(super) fn digests(row: &Row<'_>) -> Result<Option<Digests>, JournalError> {
    let bytes: Vec<u8> = row.get("message")?;
    let canonical = canonical(row)?;
    Ok(MessageDigest::from_slice(&bytes).map(|bytes| Digests { bytes, canonical }))
}

/// Reads a bill from the columns that name one.
pub(super) fn bill(row: &Row<'_>) -> Result<Bill, JournalError> {
    let code: String = row.get("biller_code")?;
    let code = BillerCode::parse(&code).ok_or_else(|| unreadable("biller_code"))?;
    let identity: String = row.get("identity")?;
    let identity: Vec<(String, String)> = if identity.is_empty() {
        Vec::new()
    } else {
        let members: std::collections::BTreeMap<String, String> =
            serde_json::from_str(&identity).map_err(|_| unreadable("identity"))?;
        members.into_iter().collect()
    };
    let identity: Vec<(&str, &str)> = identity
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let text = |column: &str| row.get::<_, String>(column);
    Ok(Bill::from_parts(
        code,
        &text("biller_user_key")?,
        &text("billed_year_month")?,
        &text("ordinal")?,
        &text("biller_notice_key")?,
        &identity,
    ))
}

fn kind(row: &Row<'_>) -> Result<FactKind, JournalError> {
    let name: String = row.get("kind")?;
    let millis = |column: &str| {
        row.get::<_, Option<i64>>(column)
            .map(|millis| millis.map(Timestamp::from_millis))
    };
    Ok(match name.as_str() {
        "reserved" => FactKind::Reserved {
            until: millis("until")?.ok_or_else(|| unreadable("until"))?,
            after_unknown: row.get("after_unknown")?,
        },
        "released" => FactKind::Released {
            attempt: attempt(row)?,
            after_unknown: row.get("after_unknown")?,
        },
        "uncertain" => FactKind::Uncertain {
            attempt: attempt(row)?,
        },
        "linked" => FactKind::Linked {
            attempt: attempt(row)?,
            expire_at: expire_at(row)?,
        },
        "relinked" => FactKind::Relinked {
            expire_at: expire_at(row)?,
        },
        "payment" => FactKind::Payment {
            event: event(row)?,
            mark_ends_at: millis("mark_ends_at")?,
            message: message(row)?,
        },
        "delivery" => delivery(row)?,
        "pay_result_refused" => FactKind::PayResultRefused {
            message: message(row)?,
        },
        "refusal_closed" => FactKind::RefusalClosed {
            message: message(row)?,
            reason: row.get("reason")?,
            operator: row.get("operator")?,
        },
        "classified" => FactKind::Classified {
            reason: row.get("reason")?,
            operator: row.get("operator")?,
        },
        "cleared" => FactKind::Cleared {
            reason: row.get("reason")?,
            operator: row.get("operator")?,
        },
        _ => return Err(unreadable("kind")),
    })
}

fn delivery(row: &Row<'_>) -> Result<FactKind, JournalError> {
    let state = DeliveryState::parse(&row.get::<_, String>("delivery")?)
        .ok_or_else(|| unreadable("delivery"))?;
    let (event, message) = (event(row)?, message(row)?);
    Ok(match state {
        DeliveryState::Closed => FactKind::DeliveryClosed {
            event,
            message,
            reason: row.get("reason")?,
            operator: row.get("operator")?,
        },
        state => FactKind::Delivery {
            event,
            message,
            state,
        },
    })
}

fn attempt(row: &Row<'_>) -> Result<Stamp, JournalError> {
    Ok(Stamp {
        time: row.get("attempt_stamp")?,
        node: row.get("attempt_node")?,
    })
}

fn expire_at(row: &Row<'_>) -> Result<KoreanTime, JournalError> {
    KoreanTime::parse(&row.get::<_, String>("expire_at")?).ok_or_else(|| unreadable("expire_at"))
}

fn message(row: &Row<'_>) -> Result<MessageDigest, JournalError> {
    MessageDigest::from_slice(&row.get::<_, Vec<u8>>("message")?)
        .ok_or_else(|| unreadable("message"))
}

fn event(row: &Row<'_>) -> Result<PaymentEvent, JournalError> {
    let text = |column: &str| row.get::<_, String>(column);
    Ok(PaymentEvent {
        pay_id: PayId::parse_stored(&text("pay_id")?).map_err(|_| unreadable("pay_id"))?,
        pay_type: PayType::parse(&text("pay_type")?).ok_or_else(|| unreadable("pay_type"))?,
        paid_at: PaidAt::parse(&text("paid_at")?).ok_or_else(|| unreadable("paid_at"))?,
        pay_amount: Decimal::parse(&text("pay_amount")?).map_err(|_| unreadable("pay_amount"))?,
    })
}

fn unreadable(column: &str) -> JournalError {
    JournalError::Row(column.to_owned())
}
