//! What calls ask of the journal: the state of one bill, the bills under a notice key, a copy of a pay-result.

use std::collections::BTreeSet;

use protocol::{Bill, BillerCode};
use rusqlite::params;
use sha2::{Digest, Sha256};

use super::{JournalError, Reader, row};
use crate::{BillState, Digests, KeptAnswer, MessageDigest};

/// Returns the hash by which the journal finds a bill.
pub(crate) fn bill_hash(bill: &Bill) -> u64 {
    let digest = Sha256::new()
        .chain_update(bill.biller_code().as_str())
        .chain_update([0])
        .chain_update(bill.key_without_notice_key())
        .chain_update([0])
        .chain_update(bill.biller_notice_key())
        .finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

impl Reader {
    pub(crate) fn billers(&self) -> Result<Vec<(BillerCode, u64)>, JournalError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT biller_code, count(*) FROM fact GROUP BY biller_code")?;
        let mut rows = statement.query([])?;
        let mut billers = Vec::new();
        while let Some(row) = rows.next()? {
            let code: String = row.get(0)?;
            billers.extend(BillerCode::parse(&code).map(|code| {
                (
                    code,
                    row.get::<_, i64>(1).unwrap_or_default().unsigned_abs(),
                )
            }));
        }
        Ok(billers)
    }

    pub(crate) fn for_each_registered(
        &self,
        biller: BillerCode,
        mut take: impl FnMut(&BillState),
    ) -> Result<(), JournalError> {
        for bill in self.registered("biller_code = ?1 AND ?2 = ''", biller, "")? {
            take(&self.load(&bill)?);
        }
        Ok(())
    }

    pub(crate) fn load(&self, bill: &Bill) -> Result<BillState, JournalError> {
        let mut state = BillState::default();
        for fact in self.facts_of(bill)? {
            state.fold(&fact);
        }
        Ok(state)
    }

    pub(crate) fn registered_under(
        &self,
        biller: BillerCode,
        notice_key: &str,
    ) -> Result<Vec<Bill>, JournalError> {
        self.registered(
            "biller_code = ?1 AND biller_notice_key = ?2",
            biller,
            notice_key,
        )
    }

    pub(crate) fn registered_like(&self, bill: &Bill) -> Result<Vec<Bill>, JournalError> {
        let found = self.registered(
            "biller_code = ?1 AND biller_user_key = ?2",
            bill.biller_code(),
            bill.biller_user_key(),
        )?;
        let key = bill.key_without_notice_key();
        Ok(found
            .into_iter()
            .filter(|other| other.key_without_notice_key() == key)
            .collect())
    }

    fn registered(
        &self,
        which: &str,
        biller: BillerCode,
        key: &str,
    ) -> Result<Vec<Bill>, JournalError> {
        let bills: BTreeSet<Bill> = {
            let connection = self.lock();
            let query = format!("SELECT {} FROM fact WHERE {which}", row::FACT_COLUMNS);
            let mut statement = connection.prepare_cached(&query)?;
            let mut rows = statement.query(params![biller.as_str(), key])?;
            let mut bills = BTreeSet::new();
            while let Some(row) = rows.next()? {
                bills.insert(row::bill(row)?);
            }
            bills
        };
        let mut registered = Vec::new();
        for bill in bills {
            let state = self.load(&bill)?;
            if !state.link().is_settled_to_nothing() {
                registered.push(bill);
            }
        }
        Ok(registered)
    }

    /// Returns the states of the bills that differ from `bill` in their identity parameters at most.
    pub(crate) fn in_any_identity(&self, bill: &Bill) -> Result<Vec<BillState>, JournalError> {
        let bills: BTreeSet<Bill> = {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT DISTINCT biller_code, biller_user_key, billed_year_month, ordinal, biller_notice_key, identity
                 FROM fact WHERE biller_code = ?1 AND biller_user_key = ?2 AND billed_year_month = ?3
                 AND ordinal = ?4 AND biller_notice_key = ?5",
            )?;
            let mut rows = statement.query(params![
                bill.biller_code().as_str(),
                bill.biller_user_key(),
                bill.billed_year_month(),
                bill.ordinal(),
                bill.biller_notice_key()
            ])?;
            let mut bills = BTreeSet::new();
            while let Some(row) = rows.next()? {
                bills.insert(row::bill(row)?);
            }
            bills
        };
        bills.iter().map(|bill| self.load(bill)).collect()
    }

    /// Hands every bill of a biller to `take`, with its state. Reads all facts of the biller.
    pub(crate) fn for_each_bill_of(
        &self,
        biller: BillerCode,
        mut take: impl FnMut(&Bill, &BillState),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {} FROM fact WHERE biller_code = ?1
             ORDER BY biller_user_key, billed_year_month, ordinal, biller_notice_key, identity",
            row::FACT_COLUMNS
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([biller.as_str()])?;
        let mut open: Option<(Bill, BillState)> = None;
        while let Some(row) = rows.next()? {
            let fact = row::fact(row)?;
            if let Some((bill, state)) = open.take_if(|(bill, _)| *bill != fact.bill) {
                take(&bill, &state);
            }
            let (_, state) = open.get_or_insert_with(|| (fact.bill.clone(), BillState::default()));
            state.fold(&fact);
        }
        if let Some((bill, state)) = open {
            take(&bill, &state);
        }
        Ok(())
    }

    pub(crate) fn undelivered_bills(
        &self,
        biller: Option<BillerCode>,
    ) -> Result<Vec<Bill>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT {} FROM fact WHERE kind = 'delivery' AND delivery <> 'accepted' AND (?1 IS NULL OR biller_code = ?1)",
            row::FACT_COLUMNS
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([biller.as_ref().map(BillerCode::as_str)])?;
        let mut bills = BTreeSet::new();
        while let Some(row) = rows.next()? {
            bills.insert(row::bill(row)?);
        }
        Ok(bills.into_iter().collect())
    }

    pub(crate) fn accepted_copy(
        &self,
        biller: BillerCode,
        message: &Digests,
    ) -> Result<Option<(MessageDigest, KeptAnswer)>, JournalError> {
        if let Some(answer) = self.answer(biller, &message.bytes)? {
            return Ok(Some((message.bytes, answer)));
        }
        let Some(canonical) = &message.canonical else {
            return Ok(None);
        };
        let other: Option<MessageDigest> = {
            let connection = self.lock();
            let mut statement = connection.prepare_cached(
                "SELECT message FROM answer WHERE biller_code = ?1 AND canonical = ?2 LIMIT 1",
            )?;
            let mut rows = statement.query(params![biller.as_str(), canonical.as_bytes()])?;
            match rows.next()? {
                Some(row) => MessageDigest::from_slice(&row.get::<_, Vec<u8>>(0)?),
                None => None,
            }
        };
        let Some(other) = other else {
            return Ok(None);
        };
        Ok(self.answer(biller, &other)?.map(|answer| (other, answer)))
    }
}
