//! What the indexes answer without folding: registered bills, open events, billers.

use protocol::{Bill, BillerCode};
use rusqlite::params;

use super::author::{self, OF_ROW};
use super::look_up::{NumberedFact, numbered};
use super::row::{BILL_COLUMNS, collect, limit};
use super::{JournalError, Reader, column, hash, row};
use crate::{Author, FactKind, MessageDigest};

/// A bill of the journal.
#[derive(Clone, Debug)]
pub(crate) struct NumberedBill {
    /// Its number.
    pub(crate) number: i64,
    /// The bill.
    pub(crate) bill: Bill,
    /// Whether its link is linked, reserved or unknown.
    pub(crate) is_registered: bool,
}

impl Reader {
    /// The registered bills of a biller with this notice key, at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn registered_with_notice_key(
        &self,
        biller: BillerCode,
        notice_key: &str,
        most: usize,
    ) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS} FROM bill INDEXED BY bill_by_notice_key CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.registered = 1 AND bill.biller_notice_key <> '' AND bill.biller_notice_key = ?2
             AND bill.biller = (SELECT id FROM biller WHERE code = ?1) LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![biller.as_str(), notice_key, limit(most)])?;
        collect(&mut rows, |row| row::bill(row, 0))
    }

    /// The registered bills that differ from `bill` in the notice key only, itself among them; at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn registered_like(&self, bill: &Bill, most: usize) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS} FROM bill INDEXED BY bill_by_group CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.registered = 1 AND bill.group_hash = ?1 AND biller.code = ?2 AND bill.biller_user_key = ?3
             AND bill.billed_year_month = ?4 AND bill.ordinal = ?5 AND bill.identity = ?6 LIMIT ?7"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![
            hash::group_hash(bill),
            bill.biller_code().as_str(),
            bill.biller_user_key(),
            bill.billed_year_month(),
            bill.ordinal(),
            column::identity_text(bill),
            limit(most)
        ])?;
        collect(&mut rows, |row| row::bill(row, 0))
    }

    /// The bills of a biller behind number `after`, at most `most`. It looks through the bills of all billers.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn bills_behind(
        &self,
        biller: BillerCode,
        after: i64,
        most: usize,
    ) -> Result<Vec<NumberedBill>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS}, bill.id, bill.registered FROM bill CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.id > ?2 AND biller.code = ?1 ORDER BY bill.id LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![biller.as_str(), after, limit(most)])?;
        collect(&mut rows, |row| {
            let registered: Option<bool> = row.get("registered")?;
            Ok(NumberedBill {
                number: row.get("id")?,
                bill: row::bill(row, 0)?,
                is_registered: registered == Some(true),
            })
        })
    }

    /// The registered bills of a biller behind number `after`, each with its number; at most `most`. It looks through the
    /// bills of all billers.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn registered_of(
        &self,
        biller: BillerCode,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, Bill)>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS}, bill.id FROM bill CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.id > ?2 AND bill.registered = 1 AND biller.code = ?1 ORDER BY bill.id LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![biller.as_str(), after, limit(most)])?;
        collect(&mut rows, |row| Ok((row.get("id")?, row::bill(row, 0)?)))
    }

    /// The bills of which all link attempts ended without a link, the oldest first; at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn refused_link_bills(&self, most: usize) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {BILL_COLUMNS} FROM bill INDEXED BY bill_refused CROSS JOIN biller ON biller.id = bill.biller
             WHERE bill.registered = 0 ORDER BY bill.id LIMIT ?1"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([limit(most)])?;
        collect(&mut rows, |row| row::bill(row, 0))
    }

    /// The deciding deliveries that are neither accepted nor closed, of one biller or of all, the oldest first; at most
    /// `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn open_deliveries(
        &self,
        biller: Option<BillerCode>,
        most: usize,
    ) -> Result<Vec<NumberedFact>, JournalError> {
        self.open_events((7, ""), biller, most)
    }

    /// The payments and cancels that this journal took, of which no delivery is known: those under way, and at a start
    /// those that the last stop cut off. The oldest first.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn cut_off_payments(&self) -> Result<Vec<NumberedFact>, JournalError> {
        let own = format!("AND {OF_ROW} IS NULL");
        self.open_events((6, &own), None, usize::MAX)
    }

    /// The same of those that another author's journal took, at most `most`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn cut_off_payments_of(
        &self,
        author: Author,
        most: usize,
    ) -> Result<Vec<NumberedFact>, JournalError> {
        let Some(known) = author::find(&self.lock(), author)? else {
            return Ok(Vec::new());
        };
        let its_own = format!("AND {OF_ROW} = {}", known.id);
        self.open_events((6, &its_own), None, most)
    }

    fn open_events(
        &self,
        (kind, which): (i64, &str),
        biller: Option<BillerCode>,
        most: usize,
    ) -> Result<Vec<NumberedFact>, JournalError> {
        let connection = self.lock();
        let query = row::query(&format!(
            "WHERE fact.seq IN (SELECT seq FROM fact INDEXED BY fact_open WHERE open = 1) AND +fact.kind = ?1
             AND (?2 IS NULL OR biller.code = ?2) {which} ORDER BY fact.seq LIMIT ?3"
        ));
        let mut statement = connection.prepare_cached(&query)?;
        let biller = biller.as_ref().map(BillerCode::as_str);
        let mut rows = statement.query(params![kind, biller, limit(most)])?;
        collect(&mut rows, numbered)
    }

    /// Hands the digest of every refused pay-result that a fact names to `take`, with its bill.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub(crate) fn for_each_refusal(
        &self,
        mut take: impl FnMut(&MessageDigest, &Bill),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(&row::query(
            "WHERE fact.seq IN (SELECT seq FROM fact INDEXED BY fact_refused WHERE kind = 8)",
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let fact = row::fact(row)?;
            if let FactKind::PayResultRefused { message } = &fact.kind {
                take(message, &fact.bill);
            }
        }
        Ok(())
    }

    /// How many events of each biller are undelivered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count_open(&self) -> Result<Vec<(BillerCode, u64)>, JournalError> {
        self.counts(
            "SELECT biller.code, count(*) FROM fact INDEXED BY fact_open CROSS JOIN bill ON bill.id = fact.bill
             CROSS JOIN biller ON biller.id = bill.biller WHERE fact.open = 1 AND +fact.kind = 7 GROUP BY biller.id",
        )
    }

    /// The billers that have bills, and how many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn billers(&self) -> Result<Vec<(BillerCode, u64)>, JournalError> {
        self.counts("SELECT code, bills FROM biller WHERE bills > 0 ORDER BY code")
    }

    fn counts(&self, query: &str) -> Result<Vec<(BillerCode, u64)>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(query)?;
        let mut rows = statement.query([])?;
        collect(&mut rows, |row| {
            let code = BillerCode::parse(row.get_ref(0)?.as_str().unwrap_or_default());
            let code = code.ok_or_else(|| column::unreadable("biller_code"))?;
            let count: i64 = row.get(1)?;
            Ok((code, u64::try_from(count).unwrap_or_default()))
        })
    }

    /// Hands the hashes of bills to `take`, as [`Reader::bill_hash`] returns them, from `first` on; at most `most`.
    /// Returns the last one; `None` where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn for_some_bill_hashes(
        &self,
        first: i64,
        most: usize,
        mut take: impl FnMut(i64),
    ) -> Result<Option<i64>, JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT hash FROM bill INDEXED BY bill_by_hash WHERE hash >= ?1 ORDER BY hash LIMIT ?2",
        )?;
        let mut rows = statement.query(params![first, limit(most)])?;
        let mut last = None;
        while let Some(row) = rows.next()? {
            let hash = row.get(0)?;
            last = Some(hash);
            take(hash);
        }
        Ok(last)
    }

    /// Returns the hash under which the journal has a bill. Its upper half is that of the customer: who needs all bits
    /// to differ mixes them.
    pub fn bill_hash(bill: &Bill) -> i64 {
        hash::bill_hash(bill)
    }
}
