//! What operators ask of the journal: one bill's facts, one payment's, one customer's bills.

use std::collections::BTreeSet;

use protocol::{Bill, BillerCode, PayId};
use rusqlite::{Row, params, params_from_iter};

use super::{JournalError, Reader, row};
use crate::{DeliveryState, Fact, FactContext, FactKind, MessageDigest};

/// A fact and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedFact {
    /// The row's number: the order in which this node learned it.
    pub row: i64,
    /// What happened.
    pub fact: Fact,
    /// What is kept beside it.
    pub context: FactContext,
}

/// The latest facts of a bill, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillFacts {
    /// The facts.
    pub facts: Vec<NumberedFact>,
    /// How many older ones there are.
    pub left_off: u64,
}

impl Reader {
    /// The latest facts of one bill, at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn story_of(&self, bill: &Bill, most: usize) -> Result<BillFacts, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {}, {}, seq FROM fact WHERE {} ORDER BY seq DESC LIMIT ?7",
            row::FACT_COLUMNS,
            row::CONTEXT_COLUMNS,
            row::OF_BILL
        );
        let mut statement = connection.prepare_cached(&query)?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let of_bill = row::of_bill(bill);
        let [code, user, month, ordinal, notice, identity] = &of_bill;
        let mut rows =
            statement.query(params![code, user, month, ordinal, notice, identity, limit])?;
        let mut facts = collect(&mut rows, numbered)?;
        facts.reverse();
        let count = format!("SELECT count(*) FROM fact WHERE {}", row::OF_BILL);
        let all: i64 = connection
            .prepare_cached(&count)?
            .query_row(params_from_iter(&of_bill), |row| row.get(0))?;
        let left_off = u64::try_from(all)
            .unwrap_or_default()
            .saturating_sub(facts.len() as u64);
        Ok(BillFacts { facts, left_off })
    }

    /// The bills of one of a biller's customers that have facts here, at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn bills_of(
        &self,
        biller: BillerCode,
        biller_user_key: &str,
        most: usize,
    ) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT biller_code, biller_user_key, billed_year_month, ordinal,
             biller_notice_key, identity FROM fact WHERE biller_code = ?1 AND biller_user_key = ?2
             ORDER BY billed_year_month, ordinal, biller_notice_key, identity LIMIT ?3",
        )?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![biller.as_str(), biller_user_key, limit])?;
        collect(&mut rows, row::bill)
    }

    /// The payment and delivery facts of one bill under one `pay_id`, in the order of the rows.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn facts_of_payment(
        &self,
        bill: &Bill,
        pay_id: &PayId,
    ) -> Result<Vec<NumberedFact>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {}, {}, seq FROM fact WHERE {} AND pay_id = ?7 ORDER BY seq",
            row::FACT_COLUMNS,
            row::CONTEXT_COLUMNS,
            row::OF_BILL
        );
        let mut statement = connection.prepare_cached(&query)?;
        let [code, user, month, ordinal, notice, identity] = &row::of_bill(bill);
        let pay_id = pay_id.to_string();
        let mut rows = statement.query(params![
            code, user, month, ordinal, notice, identity, pay_id
        ])?;
        collect(&mut rows, numbered)
    }

    /// The numbers of one bill's facts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn rows_of(&self, bill: &Bill) -> Result<Vec<i64>, JournalError> {
        let connection = self.lock();
        let query = format!("SELECT seq FROM fact WHERE {}", row::OF_BILL);
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(row::of_bill(bill)))?;
        collect(&mut rows, |row| Ok(row.get(0)?))
    }

    /// A biller's bills with a payment of this number, at most `most`. Looks through all facts of
    /// the biller.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn bills_paid_by(
        &self,
        biller: BillerCode,
        pay_id: &PayId,
        most: usize,
    ) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT biller_code, biller_user_key, billed_year_month, ordinal,
             biller_notice_key, identity FROM fact
             WHERE biller_code = ?1 AND pay_id = ?2 AND kind = 'payment' LIMIT ?3",
        )?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![biller.as_str(), pay_id.to_string(), limit])?;
        collect(&mut rows, row::bill)
    }

    /// Of at most `most` rows behind row `after`: the last one's number, and the bills that they
    /// are of. Rows that name no bill are passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn bills_after(
        &self,
        after: i64,
        most: usize,
    ) -> Result<(Option<i64>, Vec<Bill>), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT seq, biller_code, biller_user_key, billed_year_month, ordinal,
             biller_notice_key, identity FROM fact WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![after, limit])?;
        let mut last = None;
        let mut bills = BTreeSet::new();
        while let Some(row) = rows.next()? {
            last = Some(row.get("seq")?);
            bills.extend(row::bill(row).ok());
        }
        Ok((last, bills.into_iter().collect()))
    }

    /// At most `most` pay-results that their billers accepted, in the order of biller and digest,
    /// behind the one that came last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accepted_after(
        &self,
        after: Option<(BillerCode, MessageDigest)>,
        most: usize,
    ) -> Result<Vec<(BillerCode, MessageDigest)>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT biller_code, message FROM answer WHERE (biller_code, message) > (?1, ?2)
             ORDER BY biller_code, message LIMIT ?3",
        )?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let (biller, message) = after.as_ref().map_or(("", &[][..]), |(biller, message)| {
            (biller.as_str(), message.as_bytes().as_slice())
        });
        let mut rows = statement.query(params![biller, message, limit])?;
        let accepted = collect(&mut rows, |row| {
            let (biller, message): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok(BillerCode::parse(&biller).zip(MessageDigest::from_slice(&message)))
        })?;
        Ok(accepted.into_iter().flatten().collect())
    }

    /// The latest deliveries with this outcome, oldest first, at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn latest_deliveries(
        &self,
        state: DeliveryState,
        biller: Option<BillerCode>,
        most: usize,
    ) -> Result<Vec<Fact>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {} FROM fact WHERE kind = 'delivery' AND delivery = ?1
             AND (?2 IS NULL OR biller_code = ?2) ORDER BY seq DESC LIMIT ?3",
            row::FACT_COLUMNS
        );
        let mut statement = connection.prepare_cached(&query)?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let biller = biller.as_ref().map(BillerCode::as_str);
        let mut rows = statement.query(params![state.name(), biller, limit])?;
        let mut facts = collect(&mut rows, row::fact)?;
        facts.reverse();
        debug_assert!(facts.iter().all(|fact| matches!(
            fact.kind,
            FactKind::Delivery { .. } | FactKind::DeliveryClosed { .. }
        )));
        Ok(facts)
    }
}

fn numbered(row: &Row<'_>) -> Result<NumberedFact, JournalError> {
    Ok(NumberedFact {
        row: row.get("seq")?,
        fact: row::fact(row)?,
        context: row::context(row)?,
    })
}

fn collect<T>(
    rows: &mut rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, JournalError>,
) -> Result<Vec<T>, JournalError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}
