//! Billers, bills and pay-results as numbers, made where they are new.

use std::collections::HashMap;
use std::sync::LazyLock;

use protocol::{Bill, BillerCode, CanonicalDigest};
use rusqlite::{Connection, OptionalExtension, params};

use super::packed::{self, Packed};
use super::recent::Recent;
use super::row::IS_BILL;
use super::{JournalError, column, hash, row};
use crate::{Digests, MessageDigest};

/// Bills, and pay-results, whose numbers are remembered: those of the calls under way, mostly.
const REMEMBERED: usize = 8_192;

static FIND_BILL: LazyLock<String> =
    LazyLock::new(|| format!("SELECT id, registered FROM bill WHERE {IS_BILL}"));

const INSERT_BILL: &str =
    "INSERT INTO bill (biller, hash, group_hash, biller_user_key, billed_year_month, ordinal,
    biller_notice_key, identity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// While rows move from an older version, which has an index of digests.
const FIND_MESSAGE: &str = "SELECT id, canonical FROM message
    WHERE substr(digest, 1, 8) = ?1 AND digest = ?2 AND biller = ?3";

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
    messages: Recent<(i64, MessageDigest), KnownMessage>,
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

    /// Takes it that a pay-result has this number: no index is asked.
    pub(super) fn remember_message(
        &mut self,
        key: (i64, MessageDigest),
        (id, has_canonical): (i64, bool),
    ) {
        if self.messages.get_mut(&key).is_none() {
            self.messages
                .insert(key, KnownMessage { id, has_canonical });
        }
    }

    /// Returns the number of a pay-result, made where it is new.
    pub(super) fn message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
    ) -> Result<i64, JournalError> {
        match self.find_message(connection, biller, digests)? {
            Some(id) => Ok(id),
            None => self.make_message(connection, biller, digests, None),
        }
    }

    /// Keeps the bytes of a pay-result.
    pub(super) fn keep_message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
        body: &[u8],
    ) -> Result<(), JournalError> {
        if let Some(id) = self.find_message(connection, biller, digests)? {
            return packed::keep(connection, id, body);
        }
        self.make_message(connection, biller, digests, Some(body))?;
        Ok(())
    }

    /// Returns the number of a pay-result that the journal has.
    pub(super) fn find_message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
    ) -> Result<Option<i64>, JournalError> {
        let key = (biller, digests.bytes);
        let known = match self.remembered_message(&key) {
            Some(known) => known,
            None => match find_message(connection, key)? {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        let id = self.learn_canonical(connection, key, (known, digests))?;
        Ok(Some(id))
    }

    /// Returns a pay-result that was used lately.
    pub(super) fn remembered_message(
        &mut self,
        key: &(i64, MessageDigest),
    ) -> Option<KnownMessage> {
        self.messages.get_mut(key).copied()
    }

    /// Writes the digest of the canonical form where the row of a pay-result has none. Returns its number.
    pub(super) fn learn_canonical(
        &mut self,
        connection: &Connection,
        key: (i64, MessageDigest),
        (mut known, digests): (KnownMessage, &Digests),
    ) -> Result<i64, JournalError> {
        if let (false, Some(canonical)) = (known.has_canonical, &digests.canonical) {
            connection
                .prepare_cached("UPDATE message SET canonical = ?2 WHERE id = ?1")?
                .execute(params![known.id, canonical.as_bytes()])?;
            known.has_canonical = true;
        }
        self.messages.insert(key, known);
        Ok(known.id)
    }

    /// Makes the row of a pay-result.
    pub(super) fn make_message(
        &mut self,
        connection: &Connection,
        biller: i64,
        digests: &Digests,
        body: Option<&[u8]>,
    ) -> Result<i64, JournalError> {
        let bytes = digests.bytes.as_bytes();
        let canonical = digests.canonical.as_ref().map(CanonicalDigest::as_bytes);
        let body = body.map(Packed::of);
        let unpacked = body.as_ref().and_then(|body| body.unpacked);
        connection
            .prepare_cached(
                "INSERT INTO message (biller, digest, canonical, body, unpacked) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                biller,
                bytes,
                canonical,
                body.map(|body| body.bytes),
                unpacked
            ])?;
        let id = connection.last_insert_rowid();
        let has_canonical = canonical.is_some();
        let known = KnownMessage { id, has_canonical };
        self.messages.insert((biller, digests.bytes), known);
        Ok(id)
    }

    /// A bill left the journal, or its row was changed.
    pub(super) fn forget_bill(&mut self, bill: &Bill) {
        self.bills.remove(bill);
    }

    /// A biller has one bill less.
    pub(super) fn count_gone(&mut self, biller: i64) {
        *self.counts.entry(biller).or_default() -= 1;
    }

    /// Pay-results left the journal.
    pub(super) fn forget_messages(&mut self) {
        self.messages.clear();
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

fn find_message(
    connection: &Connection,
    (biller, digest): (i64, MessageDigest),
) -> Result<Option<KnownMessage>, JournalError> {
    let bytes = digest.as_bytes();
    let found = connection
        .prepare_cached(FIND_MESSAGE)?
        .query_row(params![hash::beginning(bytes), bytes, biller], |row| {
            Ok(KnownMessage {
                id: row.get(0)?,
                has_canonical: row.get_ref(1)?.as_blob_or_null()?.is_some(),
            })
        })
        .optional()?;
    Ok(found)
}
