//! Facts and pay-results, written into the tables of this version.

use protocol::{Bill, BillerCode};
use rusqlite::{Connection, Transaction};

use super::super::insert::{Inserter, insert_answer};
use super::super::intern::KnownBill;
use super::super::{JournalError, indexes, row};
use super::chunk::{Chunk, OldMessage, ReadFact, ReadMessage};
use super::known::{Known, MovedKey, MovedMessage};
use super::old_row;
use crate::Digests;

/// Writes chunks.
pub(super) struct Mover {
    inserter: Inserter,
    known: Known,
    has_indexes: bool,
}

impl Mover {
    pub(super) const fn new(inserter: Inserter, known: Known) -> Self {
        Self {
            inserter,
            known,
            has_indexes: false,
        }
    }

    /// Writes a chunk inside the caller's transaction.
    pub(super) fn write(
        &mut self,
        connection: &Transaction<'_>,
        chunk: &Chunk,
    ) -> Result<(), JournalError> {
        for fact in &chunk.facts {
            if !self.known.is_complete() && !self.has_indexes {
                connection.execute_batch(indexes::KEYS)?;
                self.has_indexes = true;
            }
            self.write_fact(connection, fact)?;
        }
        self.inserter.end(connection)
    }

    fn write_fact(&mut self, connection: &Connection, fact: &ReadFact) -> Result<(), JournalError> {
        let ReadFact { old, bill, message } = fact;
        let known = self.bill(connection, *bill, &old.fact.bill)?;
        if let Some(message) = message {
            self.write_message(connection, old, message)?;
        }
        let moved = (old.seq, &old.fact, &old.context);
        self.inserter.insert_moved(connection, moved, known)
    }

    /// Returns the number of a bill, made where it is new.
    fn bill(
        &mut self,
        connection: &Connection,
        key: MovedKey,
        bill: &Bill,
    ) -> Result<KnownBill, JournalError> {
        let numbers = self.inserter.numbers();
        let id = match self.known.bill(key) {
            Some(id) => id,
            None if self.known.is_complete() => {
                let id = numbers.make_bill(connection, bill)?;
                self.known.add_bill(key, id);
                id
            }
            None => numbers.bill(connection, bill)?.id,
        };
        Ok(KnownBill {
            id,
            biller: numbers.biller(connection, bill.biller_code())?,
            registered: None,
            is_new: false,
        })
    }

    /// Moves the pay-result that a fact names, with its answer, where the fact is the first.
    fn write_message(
        &mut self,
        connection: &Connection,
        old: &old_row::OldFact,
        message: &ReadMessage,
    ) -> Result<(), JournalError> {
        let code = old.fact.bill.biller_code();
        let numbers = self.inserter.numbers();
        let biller = numbers.biller(connection, code)?;
        let digests = Digests {
            bytes: message.bytes,
            canonical: old.context.canonical,
        };
        if let Some(MovedMessage { id, has_canonical }) = self.known.message(message.key) {
            numbers.remember_message((biller, digests.bytes), (id, has_canonical));
            return Ok(());
        }
        let is_new = self.known.is_complete()
            || numbers
                .find_message(connection, biller, &digests)?
                .is_none();
        if is_new {
            let read;
            let kept = if let Some(kept) = &message.kept {
                kept
            } else {
                read = OldMessage::read(connection, code, &message.bytes)?;
                &read
            };
            let id = numbers.make_message(connection, biller, &digests, kept.body.as_deref())?;
            if let Some(answer) = &kept.answer {
                insert_answer(connection, id, answer)?;
            }
            let has_canonical = digests.canonical.is_some();
            self.known
                .add_message(message.key, MovedMessage { id, has_canonical });
        }
        Ok(())
    }

    /// Moves pay-results and answers that no fact names, with the help of the indexes. There are hardly ever any, so
    /// they are counted first.
    pub(super) fn write_left_over(
        &mut self,
        connection: &Transaction<'_>,
    ) -> Result<(), JournalError> {
        connection.execute_batch(indexes::KEYS)?;
        if has_all_moved(connection)? {
            return Ok(());
        }
        let mut statement = connection.prepare(
            "SELECT biller_code, message FROM old_message UNION SELECT biller_code, message FROM old_answer",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let code = old_row::biller(row, 0)?;
            self.write_alone(connection, code, &Digests::from(row::digest(row, 1)?))?;
        }
        self.inserter.end(connection)
    }

    fn write_alone(
        &mut self,
        connection: &Connection,
        code: BillerCode,
        digests: &Digests,
    ) -> Result<(), JournalError> {
        let numbers = self.inserter.numbers();
        let biller = numbers.biller(connection, code)?;
        let kept = OldMessage::read(connection, code, &digests.bytes)?;
        if let Some(body) = kept.body {
            numbers.keep_message(connection, biller, digests, &body)?;
        }
        if let Some(answer) = kept.answer {
            let id = numbers.message(connection, biller, digests)?;
            insert_answer(connection, id, &answer)?;
        }
        Ok(())
    }
}

fn has_all_moved(connection: &Connection) -> Result<bool, JournalError> {
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    Ok(count("SELECT count(*) FROM old_message")?
        == count("SELECT count(*) FROM message WHERE body IS NOT NULL")?
        && count("SELECT count(*) FROM old_answer")? == count("SELECT count(*) FROM answer")?)
}
