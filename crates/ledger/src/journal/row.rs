//! Facts as rows, and rows as facts.

use protocol::{
    Bill, BillerCode, CanonicalDigest, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent,
};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{Entry, ForgottenFacts, JournalError, Rows, refused};
use crate::{
    AnswerSummary, DeliveryState, Fact, FactContext, FactKind, MessageDigest, Stamp, Timestamp,
};

const INSERT_FACT: &str = "INSERT INTO fact (at, stamp, node, kind, biller_code, biller_user_key,
    billed_year_month, ordinal, biller_notice_key, identity, attempt_stamp, attempt_node,
    after_unknown, until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message,
    delivery, reason, operator, request_id, canonical, answer_status, answer_code, answer_message)
  VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', ?1 / 1000.0, 'unixepoch'), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
    ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
    ?25, ?26, ?27, ?28, ?29)";

/// What a fact is read back from; the order of columns that `fact` expects.
pub(super) const FACT_COLUMNS: &str = "stamp, node, kind, biller_code, biller_user_key,
    billed_year_month, ordinal, biller_notice_key, identity, attempt_stamp, attempt_node,
    after_unknown, until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message,
    delivery, reason, operator";

/// What `context` reads.
pub(super) const CONTEXT_COLUMNS: &str =
    "request_id, canonical, answer_status, answer_code, answer_message";

/// The members that only some kinds of fact have; the others stay NULL.
#[derive(Default)]
struct Optional<'a> {
    attempt: Option<Stamp>,
    after_unknown: Option<bool>,
    until: Option<Timestamp>,
    expire_at: Option<&'a KoreanTime>,
    event: Option<&'a PaymentEvent>,
    mark_ends_at: Option<Timestamp>,
    message: Option<&'a MessageDigest>,
    delivery: Option<DeliveryState>,
    reason: Option<&'a str>,
    operator: Option<&'a str>,
}

impl<'a> From<&'a FactKind> for Optional<'a> {
    fn from(kind: &'a FactKind) -> Self {
        let none = Self::default();
        match kind {
            FactKind::Reserved {
                until,
                after_unknown,
            } => Self {
                until: Some(*until),
                after_unknown: Some(*after_unknown),
                ..none
            },
            FactKind::Released {
                attempt,
                after_unknown,
            } => Self {
                attempt: Some(*attempt),
                after_unknown: Some(*after_unknown),
                ..none
            },
            FactKind::Uncertain { attempt } => Self {
                attempt: Some(*attempt),
                ..none
            },
            FactKind::Linked { attempt, expire_at } => Self {
                attempt: Some(*attempt),
                expire_at: Some(expire_at),
                ..none
            },
            FactKind::Relinked { expire_at } => Self {
                expire_at: Some(expire_at),
                ..none
            },
            FactKind::Payment {
                event,
                mark_ends_at,
                message,
            } => Self {
                event: Some(event),
                mark_ends_at: *mark_ends_at,
                message: Some(message),
                ..none
            },
            FactKind::Delivery {
                event,
                message,
                state,
            } => Self {
                event: Some(event),
                message: Some(message),
                delivery: Some(*state),
                ..none
            },
            FactKind::PayResultRefused { message } => Self {
                message: Some(message),
                ..none
            },
            FactKind::DeliveryClosed { .. }
            | FactKind::RefusalClosed { .. }
            | FactKind::Classified { .. }
            | FactKind::Cleared { .. } => Self::of_operator(kind),
        }
    }
}

impl<'a> Optional<'a> {
    /// The members of the facts that have a reason and an operator.
    fn of_operator(kind: &'a FactKind) -> Self {
        let said = |reason, operator| Self {
            reason: Some(reason),
            operator: Some(operator),
            ..Self::default()
        };
        match kind {
            FactKind::DeliveryClosed {
                event,
                message,
                reason,
                operator,
            } => Self {
                event: Some(event),
                message: Some(message),
                delivery: Some(DeliveryState::Closed),
                ..said(reason, operator)
            },
            FactKind::RefusalClosed {
                message,
                reason,
                operator,
            } => Self {
                message: Some(message),
                ..said(reason, operator)
            },
            FactKind::Classified { reason, operator } | FactKind::Cleared { reason, operator } => {
                said(reason, operator)
            }
            _ => Self::default(),
        }
    }
}

/// Writes one entry inside the caller's transaction; answers the rows of its facts.
pub(super) fn insert(connection: &Connection, entry: &Entry) -> Result<Rows, JournalError> {
    for fact in &entry.facts {
        insert_fact(connection, fact, &entry.context)?;
    }
    let last = connection.last_insert_rowid();
    let facts = i64::try_from(entry.facts.len()).unwrap_or(i64::MAX);
    if let Some(forgotten) = &entry.forgotten {
        for bill in &forgotten.bills {
            match forgotten.what {
                ForgottenFacts::All => forget(connection, bill, forgotten.before)?,
                ForgottenFacts::RefusedLinks => {
                    forget_refused_links(connection, bill, forgotten.before)?;
                }
            }
        }
    }
    if let Some(cursor) = &entry.cursor {
        connection
            .prepare_cached("UPDATE node SET shared_up_to = ?1, shared_with = ?2")?
            .execute(params![cursor.shared_up_to, cursor.shared_with])?;
    }
    if let Some((biller, message, body)) = &entry.message {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO message (biller_code, message, body) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![biller.as_str(), message.as_bytes(), body.as_ref()])?;
    }
    if let Some((biller, message, answer)) = &entry.answer {
        connection
            .prepare_cached(
                "INSERT OR IGNORE INTO answer (biller_code, message, status, content_type, body, canonical)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                biller.as_str(),
                message.bytes.as_bytes(),
                answer.status,
                answer.content_type.as_ref(),
                answer.body.as_ref(),
                message.canonical.as_ref().map(CanonicalDigest::as_bytes)
            ])?;
    }
    if let Some(change) = &entry.refused {
        refused::change(connection, change)?;
    }
    Ok(Rows {
        first: last - facts + 1,
        last,
    })
}

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

fn forget(connection: &Connection, bill: &Bill, before: i64) -> Result<(), JournalError> {
    // The stamp is a number of our own: it can stand in the text.
    let old = format!("{OF_BILL} AND stamp < {before}");
    for table in ["message", "answer"] {
        let delete = format!(
            "DELETE FROM {table} WHERE biller_code = ?1 AND message IN
             (SELECT message FROM fact WHERE {old} AND message IS NOT NULL)"
        );
        connection
            .prepare(&delete)?
            .execute(params_from_iter(of_bill(bill)))?;
    }
    let delete = format!("DELETE FROM fact WHERE {old}");
    connection
        .prepare(&delete)?
        .execute(params_from_iter(of_bill(bill)))?;
    Ok(())
}

fn forget_refused_links(
    connection: &Connection,
    bill: &Bill,
    before: i64,
) -> Result<(), JournalError> {
    let delete = format!(
        "DELETE FROM fact WHERE {OF_BILL} AND stamp < ?7 AND kind IN ('reserved', 'released')"
    );
    let [code, user, month, ordinal, notice, identity] = &of_bill(bill);
    connection.prepare_cached(&delete)?.execute(params![
        code, user, month, ordinal, notice, identity, before
    ])?;
    Ok(())
}

fn insert_fact(
    connection: &Connection,
    fact: &Fact,
    context: &FactContext,
) -> Result<(), JournalError> {
    let bill = &fact.bill;
    let more = Optional::from(&fact.kind);
    // Each only beside the facts that it belongs to: a payment's classification has no digest.
    let canonical = context
        .canonical
        .as_ref()
        .filter(|_| more.message.is_some());
    let answer = context.answer.as_ref().filter(|_| more.delivery.is_some());
    connection.prepare_cached(INSERT_FACT)?.execute(params![
        fact.stamp.timestamp().millis(),
        fact.stamp.time,
        fact.stamp.node,
        fact.kind.name(),
        bill.biller_code().as_str(),
        bill.biller_user_key(),
        bill.billed_year_month(),
        bill.ordinal(),
        bill.biller_notice_key(),
        identity_text(bill),
        more.attempt.map(|attempt| attempt.time),
        more.attempt.map(|attempt| attempt.node),
        more.after_unknown,
        more.until.map(Timestamp::millis),
        more.expire_at.map(KoreanTime::as_str),
        more.event.map(|event| event.pay_id.to_string()),
        more.event.map(|event| event.pay_type.as_str()),
        more.event.map(|event| event.paid_at.as_str().to_owned()),
        more.event.map(|event| event.pay_amount.to_string()),
        more.mark_ends_at.map(Timestamp::millis),
        more.message.map(|message| message.as_bytes().as_slice()),
        more.delivery.map(DeliveryState::name),
        more.reason,
        more.operator,
        context.request_id.as_deref(),
        canonical.map(|canonical| canonical.as_bytes().as_slice()),
        answer.map(|answer| answer.status),
        answer.and_then(|answer| answer.res_code.as_deref()),
        answer.and_then(|answer| answer.message.as_deref()),
    ])?;
    Ok(())
}

fn identity_text(bill: &Bill) -> String {
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
