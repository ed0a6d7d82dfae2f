//! Is the journal whole? Its pages, its rows, its stamps, and the pay-results beside its payments.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::{FILE_NAME, JournalError, Reader, row};
use crate::{Fact, MessageDigest};

/// Findings that are kept; more are counted.
const FINDINGS_BOUND: usize = 100;

/// Lines that `PRAGMA integrity_check` may tell.
const INTEGRITY_LINES: usize = 20;

/// Something that is wrong with a journal. Names rows, never a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// `SQLite` says that the file is damaged.
    Damaged {
        /// In its words.
        what: String,
    },
    /// A row that is no fact.
    Unreadable {
        /// Its number.
        row: i64,
        /// The column at fault.
        column: String,
    },
    /// A fact with the stamp of an earlier one.
    StampTwice {
        /// Its number.
        row: i64,
    },
    /// A payment whose pay-result is not kept.
    MessageMissing {
        /// The payment's number.
        row: i64,
    },
    /// A pay-result that is not the one that came.
    MessageAltered {
        /// The number of a payment that it told.
        row: i64,
    },
    /// What the gateway holds of a bill is not what its facts say.
    StateDiffers {
        /// The number of the bill's last fact.
        row: i64,
    },
    /// The gateway holds bills of which the journal has no fact.
    NotJournalled {
        /// How many families of bills.
        families: usize,
    },
}

impl Finding {
    /// One word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "damaged",
            Self::Unreadable { .. } => "unreadable_row",
            Self::StampTwice { .. } => "stamp_twice",
            Self::MessageMissing { .. } => "message_missing",
            Self::MessageAltered { .. } => "message_altered",
            Self::StateDiffers { .. } => "state_differs",
            Self::NotJournalled { .. } => "not_journalled",
        }
    }

    /// The row that it is about, where it is about one.
    pub const fn row(&self) -> Option<i64> {
        match self {
            Self::Unreadable { row, .. }
            | Self::StampTwice { row }
            | Self::MessageMissing { row }
            | Self::MessageAltered { row }
            | Self::StateDiffers { row } => Some(*row),
            Self::Damaged { .. } | Self::NotJournalled { .. } => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { what } => write!(f, "the file is damaged: {what}"),
            Self::Unreadable { row, column } => {
                write!(f, "row {row} cannot be read: {column}")
            }
            Self::StampTwice { row } => write!(f, "row {row} has the stamp of an earlier row"),
            Self::MessageMissing { row } => {
                write!(f, "row {row} is a payment whose pay-result is not kept")
            }
            Self::MessageAltered { row } => {
                write!(f, "row {row} is a payment whose pay-result was altered")
            }
            Self::StateDiffers { row } => write!(
                f,
                "row {row} is the last of a bill of which the gateway holds something else"
            ),
            Self::NotJournalled { families } => {
                write!(
                    f,
                    "{families} bills that the gateway holds have no fact in the journal"
                )
            }
        }
    }
}

/// What was found: the first ones, and how many more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first of them.
    pub kept: Vec<Finding>,
    /// How many more there are.
    pub left_off: u64,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, finding: Finding) {
        if self.kept.len() < FINDINGS_BOUND {
            self.kept.push(finding);
        } else {
            self.left_off += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

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
    ///
    /// # Errors
    /// When the file cannot be read at all; what is wrong within it are findings.
    pub(crate) fn audit(
        &self,
        mut take: impl FnMut(CustomerFacts, &mut Audit),
    ) -> Result<Audit, JournalError> {
        let mut audit = Audit::default();
        self.check_file(&mut audit)?;
        // What SQLite cannot read on the way is one more finding.
        let looked = self
            .check_rows(&mut audit, &mut take)
            .and_then(|()| self.check_stamps(&mut audit))
            .and_then(|()| self.check_messages(&mut audit));
        if let Err(error) = looked {
            audit.findings.add(Finding::Damaged {
                what: error.to_string(),
            });
        }
        Ok(audit)
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
            let family = bills.entry(fact.bill.family()).or_default();
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
