//! Billers, bills and pay-results as numbers, made where they are new.

use std::collections::HashMap;
use std::sync::LazyLock;

use protocol::{Bill, BillerCode};
use rusqlite::{Connection, params};

use super::recent::Recent;
use super::row::IS_BILL;
use super::{JournalError, column, hash, row};
use crate::MessageDigest;

/// Bills, and pay-results, whose numbers are remembered: those of the calls under way, mostly.
const REMEMBERED: usize = 8_192;

static FIND_BILL: LazyLock<String> =
    LazyLock::new(|| format!("SELECT id, registered FROM bill WHERE {IS_BILL}"));

const INSERT_BILL: &str =
    "INSERT INTO bill (biller, hash, group_hash, biller_user_key, billed_year_month, ordinal,
    biller_notice_key, identity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// A bill's number, and what its row says.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownBill {
    pub(super) id: i64,
    pub(super) biller: i64,
    pub(super) registered: Option<bool>,
    /// It was made just now, and has no fact yet.
    pub(super) is_new: bool,
}

/// A pay-result's number, and whether its row has the digest of the canonical form.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownMessage {
    pub(super) id: i64,
    pub(super) has_canonical: bool,
}

/// The numbers that were used last. What a transaction that failed has learned is to be forgotten.
#[derive(Debug)]
pub(super) struct Numbers {
    billers: HashMap<BillerCode, i64>,
    bills: Recent<Bill, KnownBill>,
    pub(super) messages: Recent<(i64, MessageDigest), KnownMessage>,
    /// By how much the billers' counts of bills change with the transaction.
    counts: HashMap<i64, i64>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            billers: HashMap::new(),
            bills: Recent::with_bound(REMEMBERED),
            messages: Recent::with_bound(REMEMBERED),
            counts: HashMap::new(),
        }
    }
}

impl Numbers {
    /// Returns the number of a biller.
    pub(super) fn biller(
        &mut self,
        connection: &Connection,
        code: BillerCode,
    ) -> Result<i64, JournalError> {
        if let Some(id) = self.billers.get(&code) {
            return Ok(*id);
        }
        connection
            .prepare_cached("INSERT OR IGNORE INTO biller (code) VALUES (?1)")?
            .execute([code.as_str()])?;
        let id = connection
            .prepare_cached("SELECT id FROM biller WHERE code = ?1")?
            .query_row([code.as_str()], |row| row.get(0))?;
        if self.billers.len() >= REMEMBERED {
            self.billers.clear();
        }
        self.billers.insert(code, id);
        Ok(id)
    }

    /// Returns the number of a bill, and what its row says.
    pub(super) fn bill(
        &mut self,
        connection: &Connection,
        bill: &Bill,
    ) -> Result<&mut KnownBill, JournalError> {
        if self.bills.get_mut(bill).is_none() {
            let biller = self.biller(connection, bill.biller_code())?;
            let known = self.find_or_make(connection, bill, biller)?;
            self.bills.insert(bill.clone(), known);
        }
        // It was put there just now.
        self.bills
            .get_mut(bill)
            .ok_or_else(|| column::unreadable("bill"))
    }

    fn find_or_make(
        &mut self,
        connection: &Connection,
        bill: &Bill,
        biller: i64,
    ) -> Result<KnownBill, JournalError> {
        let mut statement = connection.prepare_cached(&FIND_BILL)?;
        row::bill_parameters(bill).bind(&mut statement, &[])?;
        if let Some(row) = statement.raw_query().next()? {
            return Ok(KnownBill {
                id: row.get(0)?,
                biller,
                registered: row.get(1)?,
                is_new: false,
            });
        }
        Ok(KnownBill {
            id: self.make_bill(connection, bill)?,
            biller,
            registered: None,
            is_new: true,
        })
    }

    /// Makes the row of a bill that the journal does not have; returns its number.
    pub(super) fn make_bill(
        &mut self,
        connection: &Connection,
        bill: &Bill,
    ) -> Result<i64, JournalError> {
        let biller = self.biller(connection, bill.biller_code())?;
        connection.prepare_cached(INSERT_BILL)?.execute(params![
            biller,
            hash::bill_hash(bill),
            hash::group_hash(bill),
            bill.biller_user_key(),
            bill.billed_year_month(),
            bill.ordinal(),
            bill.biller_notice_key(),
            column::identity_text(bill),
        ])?;
        *self.counts.entry(biller).or_default() += 1;
        Ok(connection.last_insert_rowid())
    }

    /// A bill left the journal, or its row was changed.
    pub(super) fn forget_bill(&mut self, bill: &Bill) {
        self.bills.remove(bill);
    }

    /// A biller has one bill less.
    pub(super) fn count_gone(&mut self, biller: i64) {
        *self.counts.entry(biller).or_default() -= 1;
    }

    /// Writes the counts of bills.
    pub(super) fn write_counts(&mut self, connection: &Connection) -> Result<(), JournalError> {
        for (biller, change) in self.counts.drain() {
            connection
                .prepare_cached("UPDATE biller SET bills = bills + ?2 WHERE id = ?1")?
                .execute([biller, change])?;
        }
        Ok(())
    }
}
