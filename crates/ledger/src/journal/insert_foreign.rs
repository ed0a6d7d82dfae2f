//! Facts of other authors as rows.

use rusqlite::Connection;

use super::author;
use super::foreign::{Beside, ForeignFacts};
use super::insert::{Inserter, insert_answer};
use super::optional::Optional;
use super::{Entry, JournalError, Rows};
use crate::{Digests, Fact};

impl Inserter {
    /// Writes an entry of another author's facts, and that they are known. One that does not follow what the journal has
    /// is there already, and is left out.
    pub(super) fn insert_foreign(
        &mut self,
        connection: &Connection,
        (entry, foreign): (&Entry, &ForeignFacts),
    ) -> Result<Rows, JournalError> {
        let known = author::find_or_make(connection, foreign.author)?;
        let before = self.last_row;
        if known.known_to != foreign.after {
            return Ok(Rows {
                first: before + 1,
                last: before,
            });
        }
        let mut run: Option<(Rows, i64)> = None;
        for (fact, beside) in entry.facts.iter().zip(&foreign.beside) {
            self.insert_beside(connection, (fact, beside))?;
            let row = self.last_row;
            match &mut run {
                Some((rows, number)) if *number + row - rows.first == beside.number => {
                    rows.last = row;
                }
                _ => {
                    let rows = Rows {
                        first: row,
                        last: row,
                    };
                    if let Some(ended) = run.replace((rows, beside.number)) {
                        author::add_run(connection, known.id, ended)?;
                    }
                }
            }
        }
        let first = self.last_row + 1 - i64::try_from(entry.facts.len()).unwrap_or(i64::MAX);
        if let Some(ended) = run {
            author::add_run(connection, known.id, ended)?;
        }
        author::set_known_to(connection, known.id, foreign.last)?;
        Ok(Rows {
            first,
            last: self.last_row,
        })
    }

    /// Writes a fact with its bytes and its answer.
    fn insert_beside(
        &mut self,
        connection: &Connection,
        (fact, beside): (&Fact, &Beside),
    ) -> Result<(), JournalError> {
        let digests = Optional::from(&fact.kind).message.map(|bytes| Digests {
            bytes: *bytes,
            canonical: beside.context.canonical,
        });
        let biller = fact.bill.biller_code();
        if let (Some(digests), Some(body)) = (&digests, &beside.body) {
            let biller = self.numbers.biller(connection, biller)?;
            let facts = std::slice::from_ref(fact);
            self.numbers
                .keep_of_facts(connection, facts, (biller, digests, body))?;
        }
        self.insert_fact(connection, fact, (&beside.context, None))?;
        if let (Some(digests), Some(answer)) = (&digests, &beside.answer) {
            let biller = self.numbers.biller(connection, biller)?;
            if let Some(message) = self.numbers.remembered_message(&(biller, digests.bytes)) {
                insert_answer(connection, message.id, answer)?;
            }
        }
        Ok(())
    }
}
