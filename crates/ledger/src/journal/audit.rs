//! Is the journal whole? Its pages, its rows, its stamps, and the pay-results beside its payments.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::{FILE_NAME, Finding, Findings, JournalError, Reader, row};
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
    /// When there is none, or it cannot be opened.
    pub fn read_only(directory: &Path) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(directory.join(FILE_NAME), flags)?;
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
        let query = format!(
            "SELECT {}, seq FROM fact ORDER BY biller_code, biller_user_key, seq",
            row::FACT_COLUMNS
        );
        let mut statement = connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        let mut customer = Customer::default();
        while let Some(row) = rows.next()? {
            let name = customer_name(row)?;
            if name != customer.name {
                std::mem::replace(&mut customer, Customer::named(name)).finish(audit, take);
            }
            let number: i64 = row.get("seq")?;
            audit.rows += 1;
            match row::fact(row) {
                Ok(fact) => customer.facts.push((number, fact)),
                Err(error) => {
                    customer.is_whole = false;
                    audit.findings.add(Finding::Unreadable {
                        row: number,
                        column: column_at_fault(error),
                    });
                }
            }
        }
        customer.finish(audit, take);
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

    fn check_messages(&self, audit: &mut Audit) -> Result<(), JournalError> {
        let connection = self.lock();
        let mut statement = connection.prepare(
            "SELECT fact.seq, fact.message, message.body FROM fact
             LEFT JOIN message USING (biller_code, message)
             WHERE fact.kind = 'payment' ORDER BY fact.seq",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            audit.payments += 1;
            let (number, named): (i64, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
            let body: Option<Vec<u8>> = row.get(2)?;
            let named = named.as_deref().and_then(MessageDigest::from_slice);
            match body {
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

/// The rows of one customer, as far as they have come.
#[derive(Default)]
struct Customer {
    name: (Vec<u8>, Vec<u8>),
    facts: CustomerFacts,
    is_whole: bool,
}

impl Customer {
    fn named(name: (Vec<u8>, Vec<u8>)) -> Self {
        Self {
            name,
            facts: Vec::new(),
            is_whole: true,
        }
    }

    fn finish(self, audit: &mut Audit, take: &mut impl FnMut(CustomerFacts, &mut Audit)) {
        let mut bills: BTreeMap<&str, Vec<&protocol::Bill>> = BTreeMap::new();
        for (_, fact) in &self.facts {
            let family = bills.entry(fact.bill.group_key()).or_default();
            if !family.contains(&&fact.bill) {
                family.push(&fact.bill);
            }
        }
        audit.families += bills.len();
        audit.bills += bills.values().map(|bills| bills.len() as u64).sum::<u64>();
        if self.is_whole && !self.facts.is_empty() {
            take(self.facts, audit);
        }
    }
}

/// Biller and user key as bytes: also of a row that is no fact.
fn customer_name(row: &Row<'_>) -> Result<(Vec<u8>, Vec<u8>), JournalError> {
    let bytes = |column: &str| -> Result<Vec<u8>, JournalError> {
        let value = row.get_ref(column)?;
        Ok(value.as_bytes().unwrap_or_default().to_vec())
    };
    Ok((bytes("biller_code")?, bytes("biller_user_key")?))
}

fn column_at_fault(error: JournalError) -> String {
    match error {
        JournalError::Row(column) => column,
        other => other.to_string(),
    }
}
