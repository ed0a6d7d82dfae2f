//! The pages of a journal, and whether its indexes have every row.
//!
//! SQLite reads a table with its indexes in one piece, and while it does the write-ahead log cannot be emptied. So each
//! table is a read of its own, and one during which the log grows too long is given up.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::{Audit, AuditProgress, Auditor};
use crate::journal::{Finding, JournalError};

/// Lines that the check may say of one table.
const LINES: usize = 20;

/// By how much the write-ahead log may grow while a table is read.
const LOG_GROWS: u64 = 512 << 20;

/// How often its length is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn check(
    connection: &Connection,
    audit: &mut Audit,
    auditor: &mut dyn Auditor,
) -> Result<(), JournalError> {
    let tables: Vec<String> = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let log = connection
        .path()
        .map(|path| PathBuf::from(format!("{path}-wal")));
    let of = i64::try_from(tables.len()).unwrap_or(i64::MAX);
    for (done, table) in (0..).zip(&tables) {
        auditor.progress(AuditProgress {
            what: "tables",
            done,
            of,
        });
        match check_table(connection, table, log.as_deref()) {
            Ok(said) => {
                for what in said.into_iter().filter(|said| said != "ok") {
                    audit.findings.add(finding(what));
                }
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
                audit.unchecked.push(format!(
                    "the pages of the table {table}: the write-ahead log grew too long meanwhile; verify a backup"
                ));
            }
            Err(error) => audit.damaged(&error.into()),
        }
    }
    Ok(())
}

/// What SQLite says of a table; it is interrupted when the log has grown too long.
fn check_table(
    connection: &Connection,
    table: &str,
    log: Option<&Path>,
) -> rusqlite::Result<Vec<String>> {
    let length = || {
        log.and_then(|log| log.metadata().ok())
            .map_or(0, |log| log.len())
    };
    let (bound, interrupt) = (length() + LOG_GROWS, connection.get_interrupt_handle());
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if length() > bound {
                    interrupt.interrupt();
                    return;
                }
            }
        });
        let said = connection
            .prepare(&format!(
                "PRAGMA integrity_check('{}')",
                table.replace('\'', "''")
            ))
            .and_then(|mut check| {
                let said = check.query_map([], |row| row.get(0))?;
                said.take(LINES).collect()
            });
        drop(done);
        said
    })
}

/// An index that lacks rows or has too many can be made again.
fn finding(what: String) -> Finding {
    let index = what
        .rsplit_once("index ")
        .map(|(_, name)| name.trim())
        .filter(|name| {
            name.starts_with("fact_") || name.starts_with("bill_") || name.starts_with("message_")
        });
    match index {
        Some(index) => Finding::IndexDamaged {
            index: index.to_owned(),
        },
        None => Finding::Damaged { what },
    }
}
