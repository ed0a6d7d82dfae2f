//! Rows as facts, and what picks the rows of a bill.

use protocol::{Bill, BillerCode, CanonicalDigest, PaymentEvent};
use rusqlite::types::ValueRef;
use rusqlite::{Row, ToSql};

use super::JournalError;
use super::column::{self, identity_text, kind, unreadable};
use crate::{
    AnswerSummary, DeliveryState, Digests, Fact, FactContext, FactKind, MessageDigest, Stamp,
    Timestamp,
};

/// What a fact's stamp and kind are read from. The digest is asked for apart: a fold needs few of them.
pub(super) const KIND_COLUMNS: &str = "fact.seq, fact.stamp, ifnull(fact.node, (SELECT author FROM node)), fact.kind,
    fact.attempt, ifnull(fact.attempt_node, (SELECT author FROM node)), fact.after_unknown, fact.until, fact.expire_at,
    fact.pay_id, fact.pay_type, fact.paid_at, fact.pay_amount, fact.mark_ends_at, fact.delivery, fact.reason,
    fact.operator";

/// The digest where a fold needs it: of refused pay-results.
pub(super) const REFUSED_DIGEST: &str = "CASE WHEN fact.kind IN (8, 9) THEN (SELECT digest FROM message WHERE message.id = fact.message) END";

/// A bill, behind 18 other columns.
pub(super) const BILL_COLUMNS: &str =
    "biller.code, bill.biller_user_key, bill.billed_year_month, bill.ordinal,
    bill.biller_notice_key, bill.identity";

/// What `context` reads, behind the bill.
const CONTEXT_COLUMNS: &str =
    "message.canonical, fact.request, fact.answer_status, fact.answer_code,
    fact.answer_message";

/// The tables of a fact with all that belongs to it, in the order in which they are looked up.
const FACT_TABLES: &str =
    "FROM fact CROSS JOIN bill ON bill.id = fact.bill CROSS JOIN biller ON biller.id = bill.biller
    LEFT JOIN message ON message.id = fact.message";

/// What picks a bill among those of its hash; the parameters of [`bill_parameters`].
pub(super) const IS_BILL: &str =
    "bill.hash = ?1 AND bill.biller = (SELECT id FROM biller WHERE code = ?2)
    AND bill.biller_user_key = ?3 AND bill.billed_year_month = ?4 AND bill.ordinal = ?5
    AND bill.biller_notice_key = ?6 AND bill.identity = ?7";

/// Place of a bill's first column, and of what stands where a bill would, behind the digest.
pub(super) const BEHIND_DIGEST: usize = at::BILL;

/// Place of what stands behind the bill.
pub(super) const BEHIND_BILL: usize = at::CANONICAL;

/// Places of columns in a row.
mod at {
    pub(super) const SEQ: usize = 0;
    pub(super) const STAMP: usize = 1;
    pub(super) const NODE: usize = 2;
    pub(super) const KIND: usize = 3;
    pub(super) const ATTEMPT: usize = 4;
    pub(super) const ATTEMPT_NODE: usize = 5;
    pub(super) const AFTER_UNKNOWN: usize = 6;
    pub(super) const UNTIL: usize = 7;
    pub(super) const EXPIRE_AT: usize = 8;
    pub(super) const PAY_ID: usize = 9;
    pub(super) const PAY_TYPE: usize = 10;
    pub(super) const PAID_AT: usize = 11;
    pub(super) const PAY_AMOUNT: usize = 12;
    pub(super) const MARK_ENDS_AT: usize = 13;
    pub(super) const DELIVERY: usize = 14;
    pub(super) const REASON: usize = 15;
    pub(super) const OPERATOR: usize = 16;
    pub(super) const DIGEST: usize = 17;
    pub(super) const BILL: usize = 18;
    pub(super) const CANONICAL: usize = 24;
    pub(super) const REQUEST: usize = 25;
    pub(super) const ANSWER_STATUS: usize = 26;
    pub(super) const ANSWER_CODE: usize = 27;
    pub(super) const ANSWER_MESSAGE: usize = 28;
}

/// Returns a query of facts with their bills and contexts; `rest` begins with WHERE or ORDER BY.
pub(super) fn query(rest: &str) -> String {
    format!(
        "SELECT {KIND_COLUMNS}, message.digest, {BILL_COLUMNS}, {CONTEXT_COLUMNS} {FACT_TABLES} {rest}"
    )
}

/// Returns a query of facts of one bill, which the first seven parameters name.
pub(super) fn query_of_bill(rest: &str) -> String {
    query(&format!(
        "WHERE fact.bill = (SELECT bill.id FROM bill WHERE {IS_BILL}) {rest}"
    ))
}

/// The parameters of [`IS_BILL`].
pub(super) struct BillParameters<'a> {
    hash: i64,
    code: BillerCode,
    bill: &'a Bill,
    identity: String,
}

/// Returns the parameters that name `bill`.
pub(super) fn bill_parameters(bill: &Bill) -> BillParameters<'_> {
    BillParameters {
        hash: column::bill_hash(bill),
        code: bill.biller_code(),
        bill,
        identity: identity_text(bill),
    }
}

impl BillParameters<'_> {
    /// Binds them, and `more` behind them.
    pub(super) fn bind(
        &self,
        statement: &mut rusqlite::Statement<'_>,
        more: &[&dyn ToSql],
    ) -> Result<(), JournalError> {
        let own: [&dyn ToSql; 7] = [
            &self.hash,
            &self.code.as_str(),
            &self.bill.biller_user_key(),
            &self.bill.billed_year_month(),
            &self.bill.ordinal(),
            &self.bill.biller_notice_key(),
            &self.identity,
        ];
        for (place, value) in own.iter().chain(more).enumerate() {
            statement.raw_bind_parameter(place + 1, value)?;
        }
        Ok(())
    }
}

/// Reads the number of a row.
pub(super) fn seq(row: &Row<'_>) -> Result<i64, JournalError> {
    Ok(row.get(at::SEQ)?)
}

/// Reads one row of [`query`] back.
pub(super) fn fact(row: &Row<'_>) -> Result<Fact, JournalError> {
    Ok(Fact {
        stamp: stamp(row)?,
        bill: bill(row, at::BILL)?,
        kind: kind_of(row, || digest(row, at::DIGEST))?,
    })
}

/// Reads what a fold needs of a row into `fact`, whose bill it is: [`KIND_COLUMNS`] and [`REFUSED_DIGEST`].
pub(super) fn fold_input(row: &Row<'_>, fact: &mut Fact) -> Result<(), JournalError> {
    fact.stamp = stamp(row)?;
    fact.kind = kind_of(row, || match row.get_ref(at::DIGEST)? {
        // A fold does not read the digest of a payment.
        ValueRef::Null => Ok(MessageDigest::NONE),
        _ => digest(row, at::DIGEST),
    })?;
    Ok(())
}

/// Reads what is kept beside a fact.
pub(super) fn context(row: &Row<'_>) -> Result<FactContext, JournalError> {
    let status: Option<u16> = row.get(at::ANSWER_STATUS)?;
    let (res_code, message) = (row.get(at::ANSWER_CODE)?, row.get(at::ANSWER_MESSAGE)?);
    let answer = status.map(|status| AnswerSummary {
        status,
        res_code,
        message,
    });
    Ok(FactContext {
        request_id: column::request(row.get_ref(at::REQUEST)?),
        canonical: canonical(row, at::CANONICAL)?,
        answer,
    })
}

/// Reads the digest of a canonical form.
pub(super) fn canonical(row: &Row<'_>, at: usize) -> Result<Option<CanonicalDigest>, JournalError> {
    let digest = row.get_ref(at)?.as_blob_or_null();
    Ok(digest
        .map_err(|_| unreadable("canonical"))?
        .and_then(CanonicalDigest::from_slice))
}

/// Reads the digest of a pay-result.
pub(super) fn digest(row: &Row<'_>, at: usize) -> Result<MessageDigest, JournalError> {
    let digest = row.get_ref(at)?.as_blob_or_null();
    digest
        .ok()
        .flatten()
        .and_then(MessageDigest::from_slice)
        .ok_or_else(|| unreadable("message"))
}

/// Reads a digest of bytes and, behind it, that of the canonical form.
pub(super) fn digests(row: &Row<'_>, at: usize) -> Result<Digests, JournalError> {
    Ok(Digests {
        bytes: digest(row, at)?,
        canonical: canonical(row, at + 1)?,
    })
}

/// Reads the bill from its six columns, of which `at` is the first.
pub(super) fn bill(row: &Row<'_>, at: usize) -> Result<Bill, JournalError> {
    let text = |place: usize, name: &str| {
        let value = row.get_ref(at + place)?;
        value.as_str().map_err(|_| unreadable(name))
    };
    let code = BillerCode::parse(text(0, "biller_code")?);
    let code = code.ok_or_else(|| unreadable("biller_code"))?;
    let identity = text(5, "identity")?;
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
        code,
        text(1, "biller_user_key")?,
        text(2, "billed_year_month")?,
        text(3, "ordinal")?,
        text(4, "biller_notice_key")?,
        &members,
    ))
}

fn stamp(row: &Row<'_>) -> Result<Stamp, JournalError> {
    Ok(Stamp {
        time: row.get(at::STAMP)?,
        node: row.get(at::NODE)?,
    })
}

fn kind_of(
    row: &Row<'_>,
    message: impl Fn() -> Result<MessageDigest, JournalError>,
) -> Result<FactKind, JournalError> {
    let number: i64 = row.get(at::KIND)?;
    let after_unknown = || -> Result<bool, JournalError> { Ok(row.get(at::AFTER_UNKNOWN)?) };
    let (reason, operator) = (
        || -> Result<String, JournalError> { Ok(row.get(at::REASON)?) },
        || -> Result<String, JournalError> { Ok(row.get(at::OPERATOR)?) },
    );
    Ok(match number {
        kind::RESERVED => FactKind::Reserved {
            until: Timestamp::from_millis(row.get(at::UNTIL)?),
            after_unknown: after_unknown()?,
        },
        kind::RELEASED => FactKind::Released {
            attempt: attempt(row)?,
            after_unknown: after_unknown()?,
        },
        kind::UNCERTAIN => FactKind::Uncertain {
            attempt: attempt(row)?,
        },
        kind::LINKED => FactKind::Linked {
            attempt: attempt(row)?,
            expire_at: expire_at(row)?,
        },
        kind::RELINKED => FactKind::Relinked {
            expire_at: expire_at(row)?,
        },
        kind::PAYMENT => FactKind::Payment {
            event: event(row)?,
            mark_ends_at: row
                .get::<_, Option<i64>>(at::MARK_ENDS_AT)?
                .map(Timestamp::from_millis),
            message: message()?,
        },
        kind::DELIVERY => delivery(row, message()?)?,
        kind::PAY_RESULT_REFUSED => FactKind::PayResultRefused {
            message: message()?,
        },
        kind::REFUSAL_CLOSED => FactKind::RefusalClosed {
            message: message()?,
            reason: reason()?,
            operator: operator()?,
        },
        kind::CLASSIFIED => FactKind::Classified {
            reason: reason()?,
            operator: operator()?,
        },
        kind::CLEARED => FactKind::Cleared {
            reason: reason()?,
            operator: operator()?,
        },
        _ => return Err(unreadable("kind")),
    })
}

fn delivery(row: &Row<'_>, message: MessageDigest) -> Result<FactKind, JournalError> {
    let state = row.get::<_, Option<i64>>(at::DELIVERY)?;
    let state = state
        .and_then(column::delivery)
        .ok_or_else(|| unreadable("delivery"))?;
    let event = event(row)?;
    Ok(match state {
        DeliveryState::Closed => FactKind::DeliveryClosed {
            event,
            message,
            reason: row.get(at::REASON)?,
            operator: row.get(at::OPERATOR)?,
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
        time: row.get(at::ATTEMPT)?,
        node: row.get(at::ATTEMPT_NODE)?,
    })
}

fn expire_at(row: &Row<'_>) -> Result<protocol::KoreanTime, JournalError> {
    let number: i64 = row.get(at::EXPIRE_AT)?;
    column::expire_at(number).ok_or_else(|| unreadable("expire_at"))
}

fn event(row: &Row<'_>) -> Result<PaymentEvent, JournalError> {
    let number = |place: usize| row.get::<_, Option<i64>>(place);
    let pay_type = number(at::PAY_TYPE)?.and_then(column::pay_type);
    let paid_at = number(at::PAID_AT)?.and_then(column::paid_at);
    Ok(PaymentEvent {
        pay_id: column::pay_id(row.get_ref(at::PAY_ID)?).ok_or_else(|| unreadable("pay_id"))?,
        pay_type: pay_type.ok_or_else(|| unreadable("pay_type"))?,
        paid_at: paid_at.ok_or_else(|| unreadable("paid_at"))?,
        pay_amount: column::amount(row.get_ref(at::PAY_AMOUNT)?)
            .ok_or_else(|| unreadable("pay_amount"))?,
    })
}

/// Reads all rows.
pub(super) fn collect<T>(
    rows: &mut rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, JournalError>,
) -> Result<Vec<T>, JournalError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// How many rows are asked for.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
