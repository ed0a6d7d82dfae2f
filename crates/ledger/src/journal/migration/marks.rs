//! Whether bills are registered and which of their events are open, found out by several threads.

use std::thread;

use rusqlite::{Connection, Transaction, params};

use super::super::row::{self, BILL_COLUMNS};
use super::super::{JournalError, recompute};

/// What a bill's row and those of its facts lack.
struct Marks {
    bill: i64,
    registered: Option<bool>,
    open: Vec<(i64, bool)>,
}

/// What is found out of the bills of one step.
pub(super) struct Found(Vec<Marks>);

impl Found {
    /// Reads the bills `first` to `last`, a part of them on each connection.
    pub(super) fn read(
        readers: &mut [Connection],
        (first, last): (i64, i64),
    ) -> Result<Self, JournalError> {
        let parts = i64::try_from(readers.len()).unwrap_or(1);
        let each = (last - first) / parts + 1;
        let starts = (first..).step_by(usize::try_from(each).unwrap_or(1));
        let read: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = starts
                .zip(readers)
                .map(|(start, reader)| {
                    let end = last.min(start + each - 1);
                    scope.spawn(move || read(reader, (start, end)))
                })
                .collect();
            running
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        });
        let mut all = Vec::new();
        for part in read {
            let part = part.map_err(|_| JournalError::Sqlite("a reader has panicked".to_owned()));
            all.extend(part??);
        }
        Ok(Self(all))
    }

    /// Writes them inside the caller's transaction.
    pub(super) fn write(&self, connection: &Transaction<'_>) -> Result<(), JournalError> {
        for marks in &self.0 {
            recompute::apply(connection, marks.bill, (marks.registered, &marks.open))?;
        }
        Ok(())
    }
}

fn read(connection: &Connection, (first, last): (i64, i64)) -> Result<Vec<Marks>, JournalError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {BILL_COLUMNS}, bill.id FROM bill CROSS JOIN biller ON biller.id = bill.biller
         WHERE bill.id BETWEEN ?1 AND ?2 ORDER BY bill.id"
    ))?;
    let mut rows = statement.query(params![first, last])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (bill, number) = (row::bill(row, 0)?, row.get(6)?);
        let facts = recompute::read(connection, number, &bill)?;
        found.push(Marks {
            bill: number,
            registered: facts.registered(),
            open: facts.changes(),
        });
    }
    Ok(found)
}
