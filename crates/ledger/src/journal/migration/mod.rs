//! Brings a journal of version 1 or 2 up to this version, in the same file.
//!
//! The old tables are put aside, and their rows move over in the order of `seq`, in transactions of their own that also
//! say how far the move has come. So a start that is killed goes on where it was at the next one. The old tables leave
//! at the end.
//!
//! Rows are only appended while they move: what has moved is known in memory ([`known`]), and the indexes are made
//! behind it. A second thread reads ahead meanwhile ([`chunk`]).

mod chunk;
mod known;
mod marks;
mod moved;
mod old_row;
mod old_schema;
mod progress;
mod steps;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{JournalError, connection, schema};
use crate::{Observer, UpgradeProgress};
use progress::Reporter;
use steps::Migration;
pub(super) use steps::is_under_way;

/// Facts, or bills, of one transaction: what a kill makes the next start do again.
const BATCH: usize = 25_000;

/// Pages in memory while rows move, in KiB, and what the making of an index may take.
const CACHE_KIB: i64 = 64 * 1_024;

/// How much is done at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Facts, or bills, of one transaction.
    batch: usize,
    /// Bills, and pay-results, that are remembered.
    remembered: usize,
}

impl Extent {
    const USUAL: Self = Self {
        batch: BATCH,
        remembered: known::REMEMBERED,
    };
}

/// Brings the journal up to date where it is of an earlier version, and says in the log and to the observer how far that
/// is.
pub(super) fn run(
    connection: &mut Connection,
    file: &Path,
    observer: Option<&dyn Observer>,
) -> Result<(), JournalError> {
    let mut reporter = Reporter::new(file, observer);
    run_watched(connection, Extent::USUAL, |progress| {
        reporter.report(progress);
        ControlFlow::Continue(())
    })?;
    reporter.end();
    Ok(())
}

/// The same, with a look at each step, which may stop it.
pub(super) fn run_watched(
    connection: &mut Connection,
    extent: Extent,
    mut look: impl FnMut(UpgradeProgress) -> ControlFlow<()>,
) -> Result<(), JournalError> {
    let version = schema::version(connection)?;
    if (1..schema::VERSION).contains(&version) {
        begin(connection)?;
    }
    if !is_under_way(connection)? {
        return Ok(());
    }
    // A commit that a power cut takes back is done again: each says how far it is.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    let mut migration = Migration::new(connection, extent)?;
    while let Some(progress) = migration.progress()? {
        if look(progress).is_break() {
            return Err(JournalError::Sqlite("the migration was stopped".to_owned()));
        }
        migration.step()?;
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.pragma_update(None, "wal_autocheckpoint", connection::CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -2_000)?;
    Ok(())
}

/// Puts the old tables aside and makes the new ones.
fn begin(connection: &mut Connection) -> Result<(), JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    old_schema::put_aside(&transaction)?;
    schema::extend_node(&transaction)?;
    schema::make_tables(&transaction)?;
    transaction.execute_batch(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'fact', seq FROM sqlite_sequence WHERE name = 'old_fact';
         CREATE TABLE migration (
             phase INTEGER NOT NULL, -- what is done now
             place INTEGER NOT NULL, -- the last fact, bill or index of it
             done  INTEGER NOT NULL, -- facts that have moved
             total INTEGER NOT NULL
         ) STRICT;
         INSERT INTO migration SELECT 0, 0, 0, count(*) FROM old_fact;",
    )?;
    transaction.pragma_update(None, "user_version", schema::VERSION)?;
    transaction.commit()?;
    Ok(())
}
