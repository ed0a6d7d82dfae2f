//! What operators ask of the journal: one bill's facts, one payment's, one customer's bills.

use std::collections::BTreeSet;

use protocol::{Bill, BillerCode, PayId};
use rusqlite::{Row, params};

use super::row::{BILL_COLUMNS, IS_BILL, collect, limit};
use super::{JournalError, Reader, column, hash, row};
use crate::{DeliveryState, Digests, Fact, FactContext};

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
        let query = row::query_of_bill("ORDER BY fact.seq DESC LIMIT ?8");
        let mut statement = connection.prepare_cached(&query)?;
        let named = row::bill_parameters(bill);
        named.bind(&mut statement, &[&limit(most)])?;
        let mut facts = collect(&mut statement.raw_query(), numbered)?;
        facts.reverse();
        let count = format!(
            "SELECT count(*) FROM fact WHERE bill = (SELECT bill.id FROM bill WHERE {IS_BILL})"
        );
        let mut statement = connection.prepare_cached(&count)?;
        named.bind(&mut statement, &[])?;
        let all: i64 = match statement.raw_query().next()? {
            Some(row) => row.get(0)?,
            None => 0,
        };
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
        let query = format!(
            "SELECT {BILL_COLUMNS} FROM bill INDEXED BY bill_by_hash CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.hash BETWEEN ?1 AND ?2 AND biller.code = ?3 AND bill.biller_user_key = ?4
             ORDER BY bill.billed_year_month, bill.ordinal, bill.biller_notice_key, bill.identity LIMIT ?5"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let (least, greatest) = hash::customer_span(biller, biller_user_key);
        let mut rows = statement.query(params![
            least,
            greatest,
            biller.as_str(),
            biller_user_key,
            limit(most)
        ])?;
        collect(&mut rows, |row| row::bill(row, 0))
    }

    /// Returns the bills that differ from this one in their identity parameters only, and the bill.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn in_any_identity(&self, bill: &Bill, most: usize) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS} FROM bill INDEXED BY bill_by_hash CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.hash BETWEEN ?1 AND ?2 AND biller.code = ?3 AND bill.biller_user_key = ?4
               AND bill.billed_year_month = ?5 AND bill.ordinal = ?6 AND bill.biller_notice_key = ?7 LIMIT ?8"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let biller = bill.biller_code();
        let (least, greatest) = hash::customer_span(biller, bill.biller_user_key());
        let mut rows = statement.query(params![
            least,
            greatest,
            biller.as_str(),
            bill.biller_user_key(),
            bill.billed_year_month(),
            bill.ordinal(),
            bill.biller_notice_key(),
            limit(most)
        ])?;
        collect(&mut rows, |row| row::bill(row, 0))
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
        let query = row::query_of_bill("AND +fact.pay_id = ?8 ORDER BY fact.seq");
        let mut statement = connection.prepare_cached(&query)?;
        let pay_id = column::pay_id_value(*pay_id);
        row::bill_parameters(bill).bind(&mut statement, &[&pay_id])?;
        collect(&mut statement.raw_query(), numbered)
    }

    /// The numbers of one bill's facts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn rows_of(&self, bill: &Bill) -> Result<Vec<i64>, JournalError> {
        let connection = self.lock();
        let query =
            format!("SELECT seq FROM fact WHERE bill = (SELECT bill.id FROM bill WHERE {IS_BILL})");
        let mut statement = connection.prepare_cached(&query)?;
        row::bill_parameters(bill).bind(&mut statement, &[])?;
        collect(&mut statement.raw_query(), |row| Ok(row.get(0)?))
    }

    /// A biller's bills with a payment of this number, at most `most`.
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
        let query = format!(
            "SELECT DISTINCT {BILL_COLUMNS} FROM fact INDEXED BY fact_by_payment
             CROSS JOIN bill ON bill.id = fact.bill CROSS JOIN biller ON biller.id = bill.biller
             WHERE fact.kind = 6 AND fact.pay_id = ?1 AND biller.code = ?2 LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let pay_id = column::pay_id_value(*pay_id);
        let mut rows = statement.query(params![pay_id, biller.as_str(), limit(most)])?;
        collect(&mut rows, |row| row::bill(row, 0))
    }

    /// The first facts of the calls with this request id, at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn facts_by_request(
        &self,
        request_id: &str,
        most: usize,
    ) -> Result<Vec<NumberedFact>, JournalError> {
        let connection = self.lock();
        let query = row::query(
            "WHERE (fact.kind = 1 OR fact.kind = 5 OR fact.kind = 6) AND fact.request IS NOT NULL AND fact.request = ?1
             LIMIT ?2",
        );
        let mut statement = connection.prepare_cached(&query)?;
        let request = column::request_value(request_id);
        let mut rows = statement.query(params![request, limit(most)])?;
        collect(&mut rows, numbered)
    }

    /// Of at most `most` rows behind row `after`: the last one's number, and the bills that they
    /// are of, where a stamp is not before `since`. Rows that name no bill are passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn bills_after(
        &self,
        (after, since): (i64, i64),
        most: usize,
    ) -> Result<(Option<i64>, Vec<Bill>), JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS}, fact.seq, fact.stamp FROM fact LEFT JOIN bill ON bill.id = fact.bill
             LEFT JOIN biller ON biller.id = bill.biller WHERE fact.seq > ?1 ORDER BY fact.seq LIMIT ?2"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![after, limit(most)])?;
        let mut last = None;
        let mut bills = BTreeSet::new();
        while let Some(row) = rows.next()? {
            last = Some(row.get("seq")?);
            if row.get::<_, i64>("stamp")? < since {
                continue;
            }
            bills.extend(row::bill(row, 0).ok());
        }
        Ok((last, bills.into_iter().collect()))
    }

    /// At most `most` pay-results that their billers accepted by a delivery behind row `after` whose stamp is not before
    /// `since`, each with that row.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accepted_after(
        &self,
        (after, since): (i64, i64),
        most: usize,
    ) -> Result<Vec<(i64, BillerCode, Digests)>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT fact.seq, biller.code, message.digest, message.canonical FROM fact
             CROSS JOIN answer ON answer.message = fact.message CROSS JOIN message ON message.id = fact.message
             CROSS JOIN biller ON biller.id = message.biller
             WHERE fact.seq > ?1 AND +fact.kind = 7 AND fact.delivery = 0 AND fact.stamp >= ?3 ORDER BY fact.seq LIMIT ?2",
        )?;
        let mut rows = statement.query(params![after, limit(most), since])?;
        collect(&mut rows, |row| {
            let code = BillerCode::parse(row.get_ref(1)?.as_str().unwrap_or_default());
            let code = code.ok_or_else(|| column::unreadable("biller_code"))?;
            Ok((row.get(0)?, code, row::digests(row, 2)?))
        })
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
        let query = row::query(
            "WHERE +fact.kind = 7 AND fact.delivery = ?1 AND (?2 IS NULL OR biller.code = ?2)
             ORDER BY fact.seq DESC LIMIT ?3",
        );
        let mut statement = connection.prepare_cached(&query)?;
        let biller = biller.as_ref().map(BillerCode::as_str);
        let mut rows =
            statement.query(params![column::delivery_number(state), biller, limit(most)])?;
        let mut facts = collect(&mut rows, row::fact)?;
        facts.reverse();
        Ok(facts)
    }
}

pub(super) fn numbered(row: &Row<'_>) -> Result<NumberedFact, JournalError> {
    Ok(NumberedFact {
        row: row::seq(row)?,
        fact: row::fact(row)?,
        context: row::context(row)?,
    })
}
