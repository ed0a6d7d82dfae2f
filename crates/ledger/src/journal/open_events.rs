//! What the indexes answer without folding: registered bills, open events, billers.

use protocol::{Bill, BillerCode};
use rusqlite::params;

use super::look_up::{NumberedFact, numbered};
use super::row::{BILL_COLUMNS, collect, limit};
use super::{JournalError, Reader, column, row};

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
            column::group_hash(bill),
            bill.biller_code().as_str(),
            bill.biller_user_key(),
            bill.billed_year_month(),
            bill.ordinal(),
            column::identity_text(bill),
            limit(most)
        ])?;
        collect(&mut rows, |row| row::bill(row, 0))
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
        self.open_events(7, biller, most)
    }

    /// The payments and cancels of which no delivery is known: those under way, and at a start those that the last stop
    /// cut off. The oldest first.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn cut_off_payments(&self) -> Result<Vec<NumberedFact>, JournalError> {
        self.open_events(6, None, usize::MAX)
    }

    fn open_events(
        &self,
        kind: i64,
        biller: Option<BillerCode>,
        most: usize,
    ) -> Result<Vec<NumberedFact>, JournalError> {
        let connection = self.lock();
        let query = row::query(
            "WHERE fact.seq IN (SELECT seq FROM fact INDEXED BY fact_open WHERE open = 1) AND +fact.kind = ?1
             AND (?2 IS NULL OR biller.code = ?2) ORDER BY fact.seq LIMIT ?3",
        );
        let mut statement = connection.prepare_cached(&query)?;
        let biller = biller.as_ref().map(BillerCode::as_str);
        let mut rows = statement.query(params![kind, biller, limit(most)])?;
        collect(&mut rows, numbered)
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

    /// Hands the hash of every bill to `take`, as [`Reader::bill_hash`] returns it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn for_each_bill_hash(&self, mut take: impl FnMut(i64)) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT hash FROM bill INDEXED BY bill_by_hash")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            take(row.get(0)?);
        }
        Ok(())
    }

    /// Returns the hash under which the journal has a bill. Its upper half is that of the customer: who needs all bits
    /// to differ mixes them.
    pub fn bill_hash(bill: &Bill) -> i64 {
        column::bill_hash(bill)
    }
}
