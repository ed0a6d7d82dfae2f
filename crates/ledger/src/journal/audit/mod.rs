//! Is the journal whole? Its indexes and pages, its bills with their facts, and the pay-results beside its payments.
//!
//! All but the check of the pages is read in short pieces, so that the write-ahead log can be emptied meanwhile; memory
//! has the state of one bill at a time.

mod bills;
mod pages;

use std::path::Path;

use protocol::Bill;
use rusqlite::{Connection, OpenFlags, params};

use super::{FILE_NAME, Finding, Findings, JournalError, Reader, indexes, packed, schema};
use crate::{BillState, MessageDigest};

/// Facts of one read.
const FACTS_AT_ONCE: i64 = 4_096;

/// What the journal by itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Facts.
    pub rows: u64,
    /// Of these the payments and cancels.
    pub payments: u64,
    /// Bills.
    pub bills: u64,
    /// What is wrong.
    pub findings: Findings,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
}

/// How far an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditProgress {
    /// What is read now.
    pub what: &'static str,
    /// The number of the last bill or fact, of the first `of`.
    pub done: i64,
    /// The number of the last one that there is.
    pub of: i64,
}

/// Who hears of an audit while it runs.
pub(crate) trait Auditor {
    /// A bill whose facts can all be read, with their fold.
    fn bill(&mut self, bill: &Bill, state: &BillState);

    /// How far it is.
    fn progress(&mut self, progress: AuditProgress);
}

/// An audit without a state in memory to compare with.
impl<F: FnMut(AuditProgress)> Auditor for F {
    fn bill(&mut self, _: &Bill, _: &BillState) {}

    fn progress(&mut self, progress: AuditProgress) {
        self(progress);
    }
}

impl Reader {
    /// Opens the journal in `directory` for reading only, beside whatever process writes it.
    ///
    /// # Errors
    /// When there is none, it cannot be opened, or another version of the gateway wrote it.
    pub fn read_only(directory: &Path) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = directory.join(FILE_NAME);
        if std::fs::metadata(&file).is_ok_and(|file| file.len() == 0) {
            return Err(JournalError::Emptied(file));
        }
        schema::refuse_unfit(&file)?;
        let connection = Connection::open_with_flags(&file, flags)?;
        schema::check_is_current(&connection, &file)?;
        Ok(Self::over(connection))
    }

    /// Checks the file, every bill with its facts, and the pay-results.
    pub(crate) fn audit(&self, auditor: &mut dyn Auditor) -> Audit {
        let mut audit = Audit::default();
        let connection = self.lock();
        let checks: [Check; 4] = [check_indexes, pages::check, bills::check, check_facts];
        for check in checks {
            // What SQLite cannot read on the way is one more finding.
            if let Err(error) = check(&connection, &mut audit, auditor) {
                audit.damaged(&error);
            }
        }
        audit
    }
}

/// One part of an audit.
type Check = fn(&Connection, &mut Audit, &mut dyn Auditor) -> Result<(), JournalError>;

impl Audit {
    fn damaged(&mut self, error: &JournalError) {
        self.findings.add(Finding::Damaged {
            what: error.to_string(),
        });
    }
}

fn check_indexes(
    connection: &Connection,
    audit: &mut Audit,
    _: &mut dyn Auditor,
) -> Result<(), JournalError> {
    for index in indexes::missing(connection)? {
        audit.findings.add(Finding::IndexMissing {
            index: index.name.to_owned(),
        });
    }
    Ok(())
}

/// Reads all facts in the order of their numbers: each has a bill, and payments from behind the retention's cursor have
/// their bytes.
fn check_facts(
    connection: &Connection,
    audit: &mut Audit,
    auditor: &mut dyn Auditor,
) -> Result<(), JournalError> {
    let mut statement = connection.prepare(
        "SELECT fact.seq, fact.kind, biller.id IS NOT NULL, message.digest, message.body,
             message.unpacked, fact.seq < (SELECT forget_bodies_from FROM node)
         FROM fact LEFT JOIN bill ON bill.id = fact.bill LEFT JOIN biller ON biller.id = bill.biller
         LEFT JOIN message ON message.id = fact.message AND fact.kind = 6
         WHERE fact.seq > ?1 AND fact.seq <= ?2 ORDER BY fact.seq",
    )?;
    let of: i64 = connection.query_row("SELECT coalesce(max(seq), 0) FROM fact", [], |row| {
        row.get(0)
    })?;
    for done in (0..of).step_by(usize::try_from(FACTS_AT_ONCE).unwrap_or(1)) {
        auditor.progress(AuditProgress {
            what: "facts",
            done,
            of,
        });
        let mut look = || -> Result<(), JournalError> {
            let mut rows = statement.query(params![done, done + FACTS_AT_ONCE])?;
            while let Some(row) = rows.next()? {
                audit.rows += 1;
                let (seq, kind): (i64, i64) = (row.get(0)?, row.get(1)?);
                if !row.get::<_, bool>(2)? {
                    audit.findings.add(Finding::Unreadable {
                        row: seq,
                        column: "bill".to_owned(),
                    });
                }
                if kind == super::column::kind::PAYMENT {
                    audit.payments += 1;
                    let named: Option<Vec<u8>> = row.get(3)?;
                    let is_named = |body: &[u8]| {
                        named.as_deref() == Some(MessageDigest::of(body).as_bytes().as_slice())
                    };
                    match packed::read(row, 4) {
                        Ok(None) if named.is_some() && row.get(6)? => {}
                        Ok(None) => audit.findings.add(Finding::MessageMissing { row: seq }),
                        Ok(Some(body)) if is_named(&body) => {}
                        Ok(Some(_)) | Err(_) => {
                            audit.findings.add(Finding::MessageAltered { row: seq });
                        }
                    }
                }
            }
            Ok(())
        };
        // The facts behind a damaged page are looked at too.
        if let Err(error) = look() {
            audit.damaged(&error);
        }
    }
    Ok(())
}
