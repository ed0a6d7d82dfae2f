//! Reading the journal: at start-up all of it, later single messages and answers.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use protocol::Bill;
use rusqlite::{Connection, params};

use super::row::{collect, limit};
use super::{Cursor, JournalError, connection, row};
use crate::state::horizon::Horizon;
use crate::{Digests, Fact};

/// The stamps of a journal's facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StampSpan {
    /// The latest time that the own clock follows.
    pub(crate) latest: i64,
    /// Facts whose stamps the clock does not follow.
    pub(crate) ahead: u64,
    /// Of these, the facts whose stamps no clock shows.
    pub(crate) beyond_belief: u64,
}

impl StampSpan {
    fn add(&mut self, time: i64, horizon: &Horizon) {
        if time <= horizon.followed() {
            self.latest = self.latest.max(time);
        } else {
            self.ahead += 1;
            self.beyond_belief += u64::from(time > horizon.believed());
        }
    }
}

/// A connection of its own, so that reading never waits for a commit.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
}

impl Reader {
    /// Another reader of the same file, for work that takes long.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn another(&self) -> Result<Self, JournalError> {
        let file = self.lock().path().map(PathBuf::from);
        Self::open(&file.unwrap_or_default())
    }

    pub(super) fn open(file: &Path) -> Result<Self, JournalError> {
        let connection = connection::connect_to_read(file)?;
        Ok(Self::over(connection))
    }

    pub(super) const fn over(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
        }
    }

    /// Returns what the stamps of all facts are, judged by `horizon`. Facts are looked through only where the greatest
    /// stamp is one that the clock does not follow.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn stamps(&self, horizon: &Horizon) -> Result<StampSpan, JournalError> {
        let connection = self.lock();
        let latest = connection.query_row("SELECT latest_stamp FROM node", [], |row| row.get(0))?;
        let mut span = StampSpan::default();
        if latest <= horizon.followed() {
            span.add(latest, horizon);
            return Ok(span);
        }
        let mut statement = connection.prepare("SELECT stamp FROM fact")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            span.add(row.get(0)?, horizon);
        }
        Ok(span)
    }

    /// How far the facts were shared when that was last written down.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cursor(&self) -> Result<Cursor, JournalError> {
        let cursor =
            self.lock()
                .query_row("SELECT shared_up_to, shared_with FROM node", [], |row| {
                    Ok(Cursor {
                        shared_up_to: row.get(0)?,
                        shared_with: row.get(1)?,
                    })
                })?;
        Ok(cursor)
    }

    /// Number of the last fact; 0 where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_row(&self) -> Result<i64, JournalError> {
        Ok(self
            .lock()
            .query_row("SELECT coalesce(max(seq), 0) FROM fact", [], |row| {
                row.get(0)
            })?)
    }

    /// At most `most` facts behind row `after`, each with its number.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn facts_after(&self, after: i64, most: usize) -> Result<Vec<(i64, Fact)>, JournalError> {
        let connection = self.lock();
        let query = row::query("WHERE fact.seq > ?1 ORDER BY fact.seq LIMIT ?2");
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query(params![after, limit(most)])?;
        collect(&mut rows, |row| Ok((row::seq(row)?, row::fact(row)?)))
    }

    /// Every fact of one bill, in the order of the rows.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn facts_of(&self, bill: &Bill) -> Result<Vec<Fact>, JournalError> {
        let connection = self.lock();
        let query = row::query_of_bill("ORDER BY fact.seq");
        let mut statement = connection.prepare_cached(&query)?;
        row::bill_parameters(bill).bind(&mut statement, &[])?;
        collect(&mut statement.raw_query(), row::fact)
    }

    /// The digests of one bill's pay-results.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn messages_of(&self, bill: &Bill) -> Result<Vec<Digests>, JournalError> {
        let connection = self.lock();
        let query = format!(
            "SELECT DISTINCT message.digest, message.canonical FROM fact CROSS JOIN message ON message.id = fact.message
             WHERE fact.bill = (SELECT bill.id FROM bill WHERE {})",
            row::IS_BILL
        );
        let mut statement = connection.prepare_cached(&query)?;
        row::bill_parameters(bill).bind(&mut statement, &[])?;
        collect(&mut statement.raw_query(), |row| row::digests(row, 0))
    }

    #[cfg(test)]
    pub(super) fn into_connection(self) -> Connection {
        let connection = self.connection.into_inner();
        connection.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
