//! Is the journal whole? Its pages, its rows, its stamps, and the pay-results beside its payments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::row::{BILL_COLUMNS, KIND_COLUMNS};
use super::{FILE_NAME, Finding, Findings, JournalError, Reader, row, schema};
use crate::{Fact, MessageDigest};

/// Lines that `PRAGMA integrity_check` may tell.
const INTEGRITY_LINES: usize = 20;

/// What the journal by itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Facts.
    pub rows: u64,
    /// Of these the payments and cancels.
    pub payments: u64,
    /// Bills that have facts.
    pub bills: u64,
    /// Families of bills that have facts.
    pub families: usize,
    /// What is wrong.
    pub findings: Findings,
}

/// The facts of one of a biller's customers, in the order of their rows.
pub(crate) type CustomerFacts = Vec<(i64, Fact)>;

impl Reader {
    /// Opens the journal in `directory` for reading only, beside whatever process writes it.
    ///
    /// # Errors
    /// When there is none, it cannot be opened, or another version of the gateway wrote it.
    pub fn read_only(directory: &Path) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = directory.join(FILE_NAME);
        let connection = Connection::open_with_flags(&file, flags)?;
        schema::check_is_current(&connection, &file)?;
        Ok(Self::over(connection))
    }

    /// Checks the file, every row, the stamps, and the pay-results. Every customer whose rows can
    /// all be read is handed to `take`.
    pub(crate) fn audit(&self, mut take: impl FnMut(CustomerFacts, &mut Audit)) -> Audit {
        let mut audit = Audit::default();
        // What SQLite cannot read on the way is one more finding.
        let looked = self
            .check_file(&mut audit)
            .and_then(|()| self.check_rows(&mut audit, &mut take))
            .and_then(|()| self.check_bills(&mut audit))
            .and_then(|()| self.check_stamps(&mut audit))
            .and_then(|()| self.check_messages(&mut audit));
        if let Err(error) = looked {
            audit.findings.add(Finding::Damaged {
                what: error.to_string(),
            });
        }
        audit
    }

    fn check_file(&self, audit: &mut Audit) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare(&format!("PRAGMA integrity_check({INTEGRITY_LINES})"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let what: String = row.get(0)?;
            if what != "ok" {
                audit.findings.add(Finding::Damaged { what });
            }
        }
        Ok(())
    }

    fn check_rows(
        &self,
        audit: &mut Audit,
        take: &mut impl FnMut(CustomerFacts, &mut Audit),
    ) -> Result<(), JournalError> {
        let connection = self.lock();
        // In the order of the hashes, which begin with the customer's.
        let query = format!(
            "SELECT {KIND_COLUMNS}, message.digest, {BILL_COLUMNS}, bill.hash >> 32
             FROM bill INDEXED BY bill_by_hash CROSS JOIN biller ON biller.id = bill.biller
             CROSS JOIN fact ON fact.bill = bill.id LEFT JOIN message ON message.id = fact.message
             ORDER BY bill.hash, fact.seq"
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let mut customers = Customers::default();
        while let Some(row) = rows.next()? {
            let hash: i64 = row.get(row::BEHIND_BILL)?;
            if hash != customers.hash {
                std::mem::replace(&mut customers, Customers::of(hash)).finish(audit, take);
            }
            let number = row::seq(row)?;
            audit.rows += 1;
            let customer = customers.customers.entry(customer_name(row)?).or_default();
            match row::fact(row) {
                Ok(fact) => customer.facts.push((number, fact)),
                Err(error) => {
                    customer.is_broken = true;
                    audit.findings.add(Finding::Unreadable {
                        row: number,
                        column: column_at_fault(error),
                    });
                }
            }
        }
        customers.finish(audit, take);
        Ok(())
    }

    /// Facts whose bill is gone are met by nobody who asks for a bill.
    fn check_bills(&self, audit: &mut Audit) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT fact.seq FROM fact LEFT JOIN bill ON bill.id = fact.bill
             LEFT JOIN biller ON biller.id = bill.biller WHERE biller.id IS NULL ORDER BY fact.seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            audit.rows += 1;
            audit.findings.add(Finding::Unreadable {
                row: row.get(0)?,
                column: "bill".to_owned(),
            });
        }
        Ok(())
    }

    fn check_stamps(&self, audit: &mut Audit) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare("SELECT max(seq) FROM fact GROUP BY stamp, node HAVING count(*) > 1")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            audit.findings.add(Finding::StampTwice { row: row.get(0)? });
        }
        Ok(())
    }

    /// Payments from behind the retention's cursor have their bytes.
    fn check_messages(&self, audit: &mut Audit) -> Result<(), JournalError> {
        let connection = self.lock();
        let kept_from: i64 =
            connection.query_row("SELECT forget_bodies_from FROM node", [], |row| row.get(0))?;
        let mut statement = connection.prepare(
            "SELECT fact.seq, message.digest, message.body FROM fact
             LEFT JOIN message ON message.id = fact.message WHERE +fact.kind = 6 ORDER BY fact.seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            audit.payments += 1;
            let (number, named): (i64, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
            let body: Option<Vec<u8>> = row.get(2)?;
            let named = named.as_deref().and_then(MessageDigest::from_slice);
            match body {
                None if number < kept_from => {}
                None => audit.findings.add(Finding::MessageMissing { row: number }),
                Some(body) if named != Some(MessageDigest::of(&body)) => {
                    audit.findings.add(Finding::MessageAltered { row: number });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// The rows of the customers with one hash: nearly always one.
#[derive(Default)]
struct Customers {
    hash: i64,
    customers: BTreeMap<(Vec<u8>, Vec<u8>), Customer>,
}

#[derive(Default)]
struct Customer {
    facts: CustomerFacts,
    is_broken: bool,
}

impl Customers {
    fn of(hash: i64) -> Self {
        Self {
            hash,
            ..Self::default()
        }
    }

    fn finish(self, audit: &mut Audit, take: &mut impl FnMut(CustomerFacts, &mut Audit)) {
        for customer in self.customers.into_values() {
            customer.finish(audit, take);
        }
    }
}

impl Customer {
    fn finish(mut self, audit: &mut Audit, take: &mut impl FnMut(CustomerFacts, &mut Audit)) {
        self.facts.sort_unstable_by_key(|(number, _)| *number);
        let mut families: BTreeMap<&str, BTreeSet<&protocol::Bill>> = BTreeMap::new();
        for (_, fact) in &self.facts {
            let family = families.entry(fact.bill.group_key()).or_default();
            family.insert(&fact.bill);
        }
        audit.families += families.len();
        audit.bills += families
            .values()
            .map(|bills| bills.len() as u64)
            .sum::<u64>();
        if !self.is_broken && !self.facts.is_empty() {
            take(self.facts, audit);
        }
    }
}

/// Biller and user key as bytes: also of a row that is no fact.
fn customer_name(row: &Row<'_>) -> Result<(Vec<u8>, Vec<u8>), JournalError> {
    let bytes = |place: usize| -> Result<Vec<u8>, JournalError> {
        let value = row.get_ref(row::BEHIND_DIGEST + place)?;
        Ok(value.as_bytes().unwrap_or_default().to_vec())
    };
    Ok((bytes(0)?, bytes(1)?))
}

fn column_at_fault(error: JournalError) -> String {
    match error {
        JournalError::Row(column) => column,
        other => other.to_string(),
    }
}
