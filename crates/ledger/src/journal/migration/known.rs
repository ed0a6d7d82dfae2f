//! The numbers of what has moved, in memory, so that no index has to be kept while rows move.

use std::collections::HashMap;

use protocol::{Bill, BillerCode};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::super::{JournalError, row};
use super::old_row;
use crate::MessageDigest;

/// Bills, and pay-results, that are remembered: some 100 MiB for each of both. A journal with more of them has the
/// indexes made, which are asked for what is not remembered.
pub(super) const REMEMBERED: usize = 3_600_000;

/// Names a bill or a pay-result: half of a SHA-256, so that no two have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MovedKey([u64; 2]);

impl MovedKey {
    pub(super) fn of_bill(bill: &Bill) -> Self {
        let without = bill.key_without_notice_key();
        Self::beginning(
            Sha256::new()
                .chain_update(bill.biller_code().as_str())
                .chain_update([0])
                // Where the notice key begins: both parts may hold any text.
                .chain_update(without.len().to_be_bytes())
                .chain_update(without)
                .chain_update(bill.biller_notice_key()),
        )
    }

    pub(super) fn of_message(biller: BillerCode, bytes: &MessageDigest) -> Self {
        let named = Sha256::new().chain_update(bytes.as_bytes());
        Self::beginning(named.chain_update(biller.as_str()))
    }

    fn beginning(hash: Sha256) -> Self {
        let digest = hash.finalize();
        let half = |part: usize| {
            let bytes = digest.get(part * 8..).and_then(<[u8]>::first_chunk::<8>);
            u64::from_be_bytes(*bytes.unwrap_or(&[0; 8]))
        };
        Self([half(0), half(1)])
    }
}

/// A pay-result that has moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct MovedMessage {
    pub(super) id: i64,
    /// Its row had the digest of its canonical form when it was made.
    pub(super) has_canonical: bool,
}

/// What has moved.
#[derive(Debug)]
pub(super) struct Known {
    bills: HashMap<MovedKey, i64, foldhash::fast::RandomState>,
    messages: HashMap<MovedKey, MovedMessage, foldhash::fast::RandomState>,
    remembered: usize,
    is_complete: bool,
}

impl Known {
    /// Reads what an earlier start has moved. Where that one made the indexes, they are asked.
    pub(super) fn load(connection: &Connection, remembered: usize) -> Result<Self, JournalError> {
        let mut known = Self {
            bills: HashMap::default(),
            messages: HashMap::default(),
            remembered,
            is_complete: true,
        };
        known.is_complete = !connection
            .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'bill_by_hash'")?
            .exists([])?;
        if known.is_complete {
            known.read_bills(connection)?;
            known.read_messages(connection)?;
        }
        Ok(known)
    }

    /// Whether it knows all that has moved: what it does not know is new.
    pub(super) const fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn bill(&self, key: MovedKey) -> Option<i64> {
        self.bills.get(&key).copied()
    }

    pub(super) fn message(&self, key: MovedKey) -> Option<MovedMessage> {
        self.messages.get(&key).copied()
    }

    pub(super) fn add_bill(&mut self, key: MovedKey, id: i64) {
        if self.bills.len() < self.remembered {
            self.bills.insert(key, id);
        } else {
            self.is_complete = false;
        }
    }

    pub(super) fn add_message(&mut self, key: MovedKey, message: MovedMessage) {
        if self.messages.len() < self.remembered {
            self.messages.insert(key, message);
        } else {
            self.is_complete = false;
        }
    }

    fn read_bills(&mut self, connection: &Connection) -> Result<(), JournalError> {
        let mut statement = connection.prepare(&format!(
            "SELECT {}, bill.id FROM bill CROSS JOIN biller ON biller.id = bill.biller",
            row::BILL_COLUMNS
        ))?;
        let mut rows = statement.query([])?;
        while let (true, Some(row)) = (self.is_complete, rows.next()?) {
            self.add_bill(MovedKey::of_bill(&row::bill(row, 0)?), row.get(6)?);
        }
        Ok(())
    }

    fn read_messages(&mut self, connection: &Connection) -> Result<(), JournalError> {
        let mut statement = connection.prepare(
            "SELECT biller.code, message.digest, message.id, message.canonical IS NOT NULL
             FROM message CROSS JOIN biller ON biller.id = message.biller",
        )?;
        let mut rows = statement.query([])?;
        while let (true, Some(row)) = (self.is_complete, rows.next()?) {
            let key = MovedKey::of_message(old_row::biller(row, 0)?, &row::digest(row, 1)?);
            let message = MovedMessage {
                id: row.get(2)?,
                has_canonical: row.get(3)?,
            };
            self.add_message(key, message);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bills_and_pay_results_that_differ_have_keys_that_differ() {
        let [one, other] = ["B0001", "B0002"].map(|code| BillerCode::parse(code).unwrap());
        let bills = [
            Bill::from_parts(one, "1", "", "", "", &[]),
            Bill::from_parts(other, "1", "", "", "", &[]),
            Bill::from_parts(one, "1", "", "", "n", &[]),
            // The same characters, in another part.
            Bill::from_parts(one, "1", "", "", "", &[("a", "b")]),
            Bill::from_parts(one, "1", "", "", "1:a,1:b,", &[]),
        ];
        let bytes = [MessageDigest::of(b"1"), MessageDigest::of(b"2")];
        let mut keys: Vec<MovedKey> = bills.iter().map(MovedKey::of_bill).collect();
        for biller in [one, other] {
            keys.extend(
                bytes
                    .iter()
                    .map(|bytes| MovedKey::of_message(biller, bytes)),
            );
        }
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{place}");
        }
    }
}
