//! Rows as facts, and what picks the rows of a bill.

use protocol::{Bill, BillerCode, CanonicalDigest};
use rusqlite::types::ValueRef;
use rusqlite::{Row, ToSql};

use super::column::{self, identity_text, unreadable};
use super::fact_row::{at, kind_of};
use super::first_request::REQUEST;
use super::{JournalError, hash};
use crate::{Digests, Fact, FactContext, MessageDigest, Stamp};

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

/// What `context` reads, behind the bill and the request id.
const CONTEXT_COLUMNS: &str = "fact.answer_status, fact.answer_code, fact.answer_message";

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

/// Returns a query of facts with their bills and contexts; `rest` begins with WHERE or ORDER BY.
pub(super) fn query(rest: &str) -> String {
    format!(
        "SELECT {KIND_COLUMNS}, message.digest, {BILL_COLUMNS}, message.canonical, {REQUEST}, {CONTEXT_COLUMNS}
         {FACT_TABLES} {rest}"
    )
}

/// Returns a query of facts with their bills and contexts, and `more` columns behind them.
pub(super) fn query_of_records(more: &str, rest: &str) -> String {
    format!(
        "SELECT {KIND_COLUMNS}, message.digest, {BILL_COLUMNS}, message.canonical, {REQUEST}, {CONTEXT_COLUMNS}, {more}
         {FACT_TABLES} {rest}"
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
        hash: hash::bill_hash(bill),
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
    let answer = status.map(|status| column::answer(status, res_code, message));
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
