//! Brings a journal of version 1 or 2 up to version 3, in the same file.
//!
//! The old tables are put aside, and their rows move over in the order of `seq`, in transactions of their own that also
//! say how far the move has come. So a start that is killed goes on where it was at the next one. The old tables leave
//! at the end.

mod message;
mod old_row;
mod old_schema;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::insert::Inserter;
use super::row::{self, BILL_COLUMNS};
use super::{JournalError, column, indexes, recompute, schema};
use message::{move_left_over, move_message};

/// Facts, or bills, of one transaction: what a kill makes the next start do again.
const BATCH: usize = 50_000;

/// Pages in memory while rows move, in KiB: two indexes are written in a random order.
const CACHE_KIB: i64 = 64 * 1_024;

/// How often the log says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(3);

/// What is done one after the other; the number is in the file.
const FACTS: i64 = 0;
const LEFT_OVER: i64 = 1;
const BILL_INDEX: i64 = 2;
const MARKS: i64 = 3;
const INDEXES: i64 = 4;
const DROP: i64 = 5;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MigrationProgress {
    phase: i64,
    /// The last `seq`, or bill, that is done in this phase.
    place: i64,
    /// Facts that have moved.
    pub(super) done: i64,
    /// All facts.
    pub(super) total: i64,
}

/// Brings the journal up to date where it is of an earlier version, and says in the log how far that is.
pub(super) fn run(connection: &mut Connection, file: &Path) -> Result<(), JournalError> {
    let (began, mut said) = (Instant::now(), Instant::now());
    let mut is_told = false;
    run_watched(connection, BATCH, |progress| {
        if !is_told || said.elapsed() >= SAY_EVERY {
            (is_told, said) = (true, Instant::now());
            let MigrationProgress { done, total, .. } = progress;
            tracing::info!(journal = %file.display(), done, total, "the journal is brought up to a new version: facts that have moved");
        }
        ControlFlow::Continue(())
    })?;
    if is_told {
        tracing::info!(journal = %file.display(), seconds = began.elapsed().as_secs(), "the journal is up to date");
    }
    Ok(())
}

/// The same in batches of this size, with a look at each step, which may stop it.
pub(super) fn run_watched(
    connection: &mut Connection,
    batch: usize,
    mut look: impl FnMut(MigrationProgress) -> ControlFlow<()>,
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
    let mut inserter = Inserter::new(schema::author(connection)?);
    loop {
        let progress = progress(connection)?;
        if look(progress).is_break() {
            return Err(JournalError::Sqlite("the migration was stopped".to_owned()));
        }
        if progress.phase == DROP {
            break;
        }
        step(connection, &mut inserter, (progress, batch))?;
    }
    for table in ["old_fact", "old_message", "old_answer", "migration"] {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -2_000)?;
    Ok(())
}

/// Puts the old tables aside and makes the new ones.
fn begin(connection: &mut Connection) -> Result<(), JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    old_schema::put_aside(&transaction)?;
    schema::extend_node(&transaction)?;
    schema::make_tables(&transaction)?;
    transaction.execute_batch(indexes::KEYS)?;
    transaction.execute_batch(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'fact', seq FROM sqlite_sequence WHERE name = 'old_fact';
         CREATE TABLE migration (
             phase INTEGER NOT NULL, -- what is done now
             place INTEGER NOT NULL, -- the last fact or bill of it
             done  INTEGER NOT NULL, -- facts that have moved
             total INTEGER NOT NULL
         ) STRICT;
         INSERT INTO migration SELECT 0, 0, 0, count(*) FROM old_fact;",
    )?;
    transaction.pragma_update(None, "user_version", schema::VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// Whether a move has begun and not ended.
pub(super) fn is_under_way(connection: &Connection) -> Result<bool, JournalError> {
    Ok(connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migration'")?
        .exists([])?)
}

fn progress(connection: &Connection) -> Result<MigrationProgress, JournalError> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(MigrationProgress {
            phase: row.get(0)?,
            place: row.get(1)?,
            done: row.get(2)?,
            total: row.get(3)?,
        })
    };
    Ok(connection.query_row("SELECT phase, place, done, total FROM migration", [], read)?)
}

/// Does one transaction's work.
fn step(
    connection: &mut Connection,
    inserter: &mut Inserter,
    (progress, batch): (MigrationProgress, usize),
) -> Result<(), JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let next = MigrationProgress {
        phase: progress.phase + 1,
        place: 0,
        ..progress
    };
    let reached = match progress.phase {
        FACTS => move_facts(&transaction, inserter, (progress, batch))?.unwrap_or(next),
        LEFT_OVER => {
            move_left_over(&transaction, inserter)?;
            next
        }
        BILL_INDEX => {
            transaction.execute_batch(indexes::OTHERS[0])?;
            next
        }
        MARKS => mark_bills(&transaction, (progress, batch))?.unwrap_or(next),
        INDEXES => {
            for index in indexes::OTHERS {
                transaction.execute_batch(index)?;
            }
            next
        }
        phase => return Err(column::unreadable(&format!("migration.phase {phase}"))),
    };
    inserter.end(&transaction)?;
    transaction.execute(
        "UPDATE migration SET phase = ?1, place = ?2, done = ?3",
        params![reached.phase, reached.place, reached.done],
    )?;
    transaction.commit()?;
    Ok(())
}

/// Moves the next facts, with their pay-results; `None` where there are no more.
fn move_facts(
    connection: &Transaction<'_>,
    inserter: &mut Inserter,
    (progress, batch): (MigrationProgress, usize),
) -> Result<Option<MigrationProgress>, JournalError> {
    let query = format!(
        "SELECT {} FROM old_fact WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        old_row::COLUMNS
    );
    let mut statement = connection.prepare_cached(&query)?;
    let mut rows = statement.query(params![progress.place, row::limit(batch)])?;
    let mut reached = progress;
    while let Some(row) = rows.next()? {
        let old = old_row::read(row)?;
        move_message(connection, inserter, &old)?;
        inserter.insert_moved(connection, old.seq, &old.fact, &old.context)?;
        reached.place = old.seq;
        reached.done += 1;
    }
    Ok((reached.place > progress.place).then_some(reached))
}

/// Finds out of the next bills whether they are registered and which of their events are open; `None` where there are
/// no more.
fn mark_bills(
    connection: &Transaction<'_>,
    (progress, batch): (MigrationProgress, usize),
) -> Result<Option<MigrationProgress>, JournalError> {
    let query = format!(
        "SELECT {BILL_COLUMNS}, bill.id FROM bill CROSS JOIN biller ON biller.id = bill.biller
         WHERE bill.id > ?1 ORDER BY bill.id LIMIT ?2"
    );
    let mut reached = progress;
    let bills = {
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![progress.place, row::limit(batch)])?;
        row::collect(&mut rows, |row| {
            Ok((row.get::<_, i64>(6)?, row::bill(row, 0)?))
        })?
    };
    for (number, bill) in &bills {
        recompute::bill(connection, *number, bill)?;
        reached.place = *number;
    }
    Ok((reached.place > progress.place).then_some(reached))
}
