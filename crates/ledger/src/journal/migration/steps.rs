//! The steps of a migration, each in one transaction that also says how far it comes.

use std::path::{Path, PathBuf};
use std::thread;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::super::insert::Inserter;
use super::super::{JournalError, column, connection, indexes, schema};
use super::chunk::Chunk;
use super::known::Known;
use super::marks::Found;
use super::moved::Mover;
use super::{CACHE_KIB, Extent};
use crate::UpgradeProgress;

/// Threads that read, at most.
const READERS: usize = 4;

/// Steps that move facts or mark bills between two copies of the write-ahead log to the file: some 150 MiB. Each copy waits
/// for the disk twice.
const STEPS_PER_CHECKPOINT: u32 = 16;

/// Tables of which nothing is needed at the end.
const LEFT_BEHIND: [&str; 4] = ["old_fact", "old_message", "old_answer", "migration"];

/// What is done one after the other; the number is in the file.
const FACTS: i64 = 0;
const LEFT_OVER: i64 = 1;
const BILL_INDEX: i64 = 2;
const MARKS: i64 = 3;
const INDEXES: i64 = 4;
const DROP: i64 = 5;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reached {
    phase: i64,
    /// The last `seq`, bill or index that is done in this phase.
    place: i64,
    /// Facts that have moved.
    done: i64,
    /// All facts.
    total: i64,
}

pub(in crate::journal) fn is_under_way(connection: &Connection) -> Result<bool, JournalError> {
    Ok(connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migration'")?
        .exists([])?)
}

/// A migration that is under way.
pub(super) struct Migration<'a> {
    connection: &'a mut Connection,
    /// Connections of other threads. None reads while the write-ahead log is copied to the file, or it would grow and
    /// grow.
    readers: Vec<Connection>,
    mover: Mover,
    /// Read while the chunk before it was written.
    ahead: Option<Chunk>,
    batch: usize,
    /// Steps since the write-ahead log was copied to the file.
    uncopied: u32,
}

impl<'a> Migration<'a> {
    pub(super) fn new(
        connection: &'a mut Connection,
        extent: Extent,
    ) -> Result<Self, JournalError> {
        let file = connection.path().map(PathBuf::from).unwrap_or_default();
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let readers = (0..processors.min(READERS))
            .map(|_| reader(&file))
            .collect::<Result<_, _>>()?;
        let inserter = Inserter::new(schema::author(connection)?);
        let known = Known::load(connection, extent.remembered)?;
        Ok(Self {
            connection,
            readers,
            mover: Mover::new(inserter, known),
            ahead: None,
            batch: extent.batch,
            uncopied: 0,
        })
    }

    /// How far it is; `None` at the end.
    pub(super) fn progress(&self) -> Result<Option<UpgradeProgress>, JournalError> {
        if !is_under_way(self.connection)? {
            return Ok(None);
        }
        let Reached {
            phase,
            place,
            done,
            total,
        } = self.reached()?;
        let last_bill = || last_bill(self.connection);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let (what, done, of) = match phase {
            FACTS => ("facts", done, total),
            MARKS => ("bills", place, last_bill()?),
            DROP => {
                let left = self.left_behind()?.len();
                (
                    "old tables",
                    count(LEFT_BEHIND.len() - left),
                    count(LEFT_BEHIND.len()),
                )
            }
            _ => ("indexes", place, count(indexes::OTHERS.len())),
        };
        Ok(Some(UpgradeProgress { what, done, of }))
    }

    fn reached(&self) -> Result<Reached, JournalError> {
        let query = "SELECT phase, place, done, total FROM migration";
        Ok(self.connection.query_row(query, [], |row| {
            Ok(Reached {
                phase: row.get(0)?,
                place: row.get(1)?,
                done: row.get(2)?,
                total: row.get(3)?,
            })
        })?)
    }

    /// Does one transaction's work.
    pub(super) fn step(&mut self) -> Result<(), JournalError> {
        let reached = self.reached()?;
        let next = Reached {
            phase: reached.phase + 1,
            place: 0,
            ..reached
        };
        match reached.phase {
            FACTS => self.move_facts(reached, next)?,
            LEFT_OVER => {
                let mover = &mut self.mover;
                commit(self.connection, next, |connection| {
                    mover.write_left_over(connection)
                })?;
            }
            BILL_INDEX => commit(self.connection, next, |connection| {
                Ok(connection.execute_batch(indexes::OTHERS[0])?)
            })?,
            MARKS => self.mark_bills(reached, next)?,
            INDEXES => self.make_index(reached, next)?,
            DROP => self.drop_table()?,
            phase => return Err(column::unreadable(&format!("migration.phase {phase}"))),
        }
        self.uncopied += 1;
        let is_small = matches!(reached.phase, FACTS | MARKS);
        if !is_small || self.uncopied >= STEPS_PER_CHECKPOINT {
            self.uncopied = 0;
            let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
            self.connection.query_row(checkpoint, [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Moves the next facts, with their pay-results, and reads those behind them meanwhile.
    fn move_facts(&mut self, reached: Reached, next: Reached) -> Result<(), JournalError> {
        let Some(reader) = self.readers.first_mut() else {
            return Err(JournalError::Sqlite("no connection reads".to_owned()));
        };
        let chunk = match self.ahead.take() {
            Some(chunk) => chunk,
            None => Chunk::read(reader, reached.place, self.batch)?,
        };
        let Some(last) = chunk.facts.last().map(|fact| fact.old.seq) else {
            return commit(self.connection, next, |_| Ok(()));
        };
        let reached = Reached {
            place: last,
            done: reached.done + i64::try_from(chunk.facts.len()).unwrap_or(i64::MAX),
            ..reached
        };
        let (connection, mover, batch) = (&mut *self.connection, &mut self.mover, self.batch);
        let (written, ahead) = thread::scope(|scope| {
            let ahead = scope.spawn(move || Chunk::read(reader, last, batch));
            let written = commit(connection, reached, |connection| {
                mover.write(connection, &chunk)
            });
            (written, ahead.join())
        });
        written?;
        let ahead = ahead.map_err(|_| JournalError::Sqlite("a reader has panicked".to_owned()));
        self.ahead = Some(ahead??);
        Ok(())
    }

    /// Finds out of the next bills whether they are registered and which of their events are open.
    fn mark_bills(&mut self, reached: Reached, next: Reached) -> Result<(), JournalError> {
        let end = last_bill(self.connection)?;
        if reached.place >= end {
            return commit(self.connection, next, |_| Ok(()));
        }
        let batch = i64::try_from(self.batch).unwrap_or(i64::MAX);
        let last = reached.place.saturating_add(batch).min(end);
        let found = Found::read(&mut self.readers, (reached.place + 1, last))?;
        let reached = Reached {
            place: last,
            ..reached
        };
        commit(self.connection, reached, |connection| {
            found.write(connection)
        })
    }

    fn make_index(&mut self, reached: Reached, next: Reached) -> Result<(), JournalError> {
        let made = usize::try_from(reached.place).unwrap_or_default();
        let Some(index) = indexes::OTHERS.get(made) else {
            return commit(self.connection, next, |_| Ok(()));
        };
        let reached = Reached {
            place: reached.place + 1,
            ..reached
        };
        commit(self.connection, reached, |connection| {
            Ok(connection.execute_batch(index)?)
        })
    }

    /// Drops the next table of [`LEFT_BEHIND`]; the last one is that which says how far it is.
    fn drop_table(&mut self) -> Result<(), JournalError> {
        if let Some(table) = self.left_behind()?.first() {
            self.connection
                .execute_batch(&format!("DROP TABLE {table}"))?;
        }
        Ok(())
    }

    fn left_behind(&self) -> Result<Vec<&'static str>, JournalError> {
        let mut is_there = self
            .connection
            .prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1")?;
        let mut left = Vec::new();
        for table in LEFT_BEHIND {
            if is_there.exists([table])? {
                left.push(table);
            }
        }
        Ok(left)
    }
}

/// A connection that looks pay-results up in a random order, in tables that are larger than its memory.
fn reader(file: &Path) -> Result<Connection, JournalError> {
    let reader = connection::connect_to_read(file)?;
    reader.pragma_update(None, "cache_size", -CACHE_KIB / 2)?;
    Ok(reader)
}

fn last_bill(connection: &Connection) -> Result<i64, JournalError> {
    let query = "SELECT coalesce(max(id), 0) FROM bill";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}

/// Does some work in one transaction that also says how far it comes.
fn commit(
    connection: &mut Connection,
    reached: Reached,
    work: impl FnOnce(&Transaction<'_>) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    work(&transaction)?;
    transaction.execute(
        "UPDATE migration SET phase = ?1, place = ?2, done = ?3",
        params![reached.phase, reached.place, reached.done],
    )?;
    transaction.commit()?;
    Ok(())
}
