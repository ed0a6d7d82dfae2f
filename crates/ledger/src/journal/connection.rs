//! Connections to the journal's file: the settings that durability and speed need.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::JournalError;

/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 96;

/// Pages of the write-ahead log at which a commit copies them to the file: those that several commits touch are written
/// there once.
pub(super) const CHECKPOINT_PAGES: u32 = 4_000;

/// A connection with the settings that durability needs: WAL, and a sync at every commit.
pub(super) fn connect(file: &Path) -> Result<Connection, JournalError> {
    let connection = Connection::open(file)?;
    // Somebody else's lock is waited for a moment only: calls wait behind it.
    connection.busy_timeout(Duration::from_millis(250))?;
    // Pages that nothing is in any more can be given back. Only a file that is made now takes this
    // up: it must be said before anything else.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    // A write-ahead log that has grown once need not stay large.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// A connection that reads a file that is there. It makes none: beside the log of a journal that was taken away, an
/// empty file would be taken for it.
pub(super) fn connect_to_read(file: &Path) -> Result<Connection, JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(Duration::from_millis(250))?;
    connection.pragma_update(None, "query_only", true)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Lets a connection keep its prepared statements. A plan does not depend on what is bound, or a statement would be
/// prepared anew for every value: several indexes have conditions that a value could meet.
fn keep_plans(connection: &Connection) -> Result<(), JournalError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}
