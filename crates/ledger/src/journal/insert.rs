//! Entries as rows.

use protocol::{Bill, CanonicalDigest, KoreanTime, PaymentEvent};
use rusqlite::{Connection, params, params_from_iter};

use super::row::{OF_BILL, identity_text, of_bill};
use super::{Entry, ForgottenFacts, JournalError, Rows, identity, refused};
use crate::{DeliveryState, Fact, FactContext, FactKind, MessageDigest, Stamp, Timestamp};

const INSERT_FACT: &str = "INSERT INTO fact (at, stamp, node, kind, biller_code, biller_user_key,
    billed_year_month, ordinal, biller_notice_key, identity, attempt_stamp, attempt_node,
    after_unknown, until, expire_at, pay_id, pay_type, paid_at, pay_amount, mark_ends_at, message,
    delivery, reason, operator, request_id, canonical, answer_status, answer_code, answer_message)
  VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', ?1 / 1000.0, 'unixepoch'), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
    ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
    ?25, ?26, ?27, ?28, ?29)";

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
    for kept in &entry.identities {
        identity::keep(connection, kept)?;
    }
    Ok(Rows {
        first: last - facts + 1,
        last,
    })
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
