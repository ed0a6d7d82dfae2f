//! Reading facts by their authors' numbers, with all that the journal has beside them.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use rusqlite::{Connection, Row, params};

use super::author::{self, Stretch};
use super::column::USUAL_CONTENT_TYPE;
use super::fact_row::at;
use super::row::limit;
use super::{JournalError, Reader, packed, row};
use crate::{Author, FactRecord, KeptAnswer};

/// Behind the context of a fact: the bytes of its pay-result, and the answer with which the biller accepted it.
static RECORDS: LazyLock<String> = LazyLock::new(|| {
    row::query_of_records(
        "CASE WHEN fact.kind IN (6, 8) THEN message.body END, message.unpacked, answer.status, answer.content_type,
         answer.body, answer.unpacked",
        "LEFT JOIN answer ON answer.message = fact.message AND fact.kind = 7 AND fact.delivery = 0
         WHERE fact.seq BETWEEN ?1 AND ?2 ORDER BY fact.seq LIMIT ?3",
    )
});

/// Place of the first column behind the context.
const BODY: usize = at::ANSWER_MESSAGE + 1;
const ANSWER: usize = BODY + 2;

/// Facts of one author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Each with its number, which grows.
    pub records: Vec<(i64, FactRecord)>,
    /// All facts up to this number are here, or were forgotten.
    pub last: i64,
    /// Whether there may be more behind it.
    pub has_more: bool,
}

impl Reader {
    /// Returns the facts of an author behind the number `after`, `None` for this journal's own: at most `most`, and not
    /// many more bytes of pay-results and answers than `bytes`. None are there where its `last` is `after`.
    ///
    /// # Errors
    /// When the file cannot be read or holds a row that this version does not know.
    pub fn records_after(
        &self,
        of: Option<Author>,
        after: i64,
        (most, bytes): (usize, usize),
    ) -> Result<Records, JournalError> {
        let connection = self.lock();
        // As of one moment: rows of others that are committed meanwhile would be taken for own ones.
        let connection = connection.unchecked_transaction()?;
        let of = match of {
            None => None,
            Some(of) => match author::find(&connection, of)? {
                None => {
                    return Ok(Records {
                        last: after,
                        ..Records::default()
                    });
                }
                known => known,
            },
        };
        let mut found = Found {
            records: Vec::new(),
            last: after,
            most,
            bytes,
        };
        while !found.is_full() {
            let next = found.last + 1;
            let stretch = match of {
                None => author::own_stretch(&connection, next)?,
                Some(of) => author::stretch_of(&connection, of.id, next)?,
            };
            let Some(stretch) = stretch else {
                break;
            };
            found.read(&connection, stretch)?;
        }
        Ok(Records {
            has_more: found.is_full(),
            records: found.records,
            last: found.last,
        })
    }

    /// Returns the number of the last own fact; 0 where there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn own_last(&self) -> Result<i64, JournalError> {
        let connection = self.lock();
        let connection = connection.unchecked_transaction()?;
        author::own_up_to(&connection, author::last_row(&connection)?)
    }

    /// Returns the number up to which the journal has an author's facts; of its own author: up to which they are
    /// published.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn known_to(&self, of: Author) -> Result<i64, JournalError> {
        let known = author::find(&self.lock(), of)?;
        Ok(known.map_or(0, |known| known.known_to))
    }

    /// Returns who made the fact in this row; `None` where that is this journal.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn author_of_row(&self, row: i64) -> Result<Option<Author>, JournalError> {
        author::of_row(&self.lock(), row)
    }

    /// Returns the authors of which the journal has facts, each with the number up to which it has them.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn authors(&self) -> Result<Vec<(Author, i64)>, JournalError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT node, journal, known_to FROM author ORDER BY node, journal")?;
        let mut rows = statement.query([])?;
        row::collect(&mut rows, |row| {
            let author = Author {
                node: row.get(0)?,
                journal: row.get(1)?,
            };
            Ok((author, row.get(2)?))
        })
    }
}

struct Found {
    records: Vec<(i64, FactRecord)>,
    last: i64,
    most: usize,
    bytes: usize,
}

impl Found {
    const fn is_full(&self) -> bool {
        self.records.len() >= self.most || self.bytes == 0
    }

    fn read(&mut self, connection: &Connection, stretch: Stretch) -> Result<(), JournalError> {
        let Stretch { rows, number } = stretch;
        let mut statement = connection.prepare_cached(&RECORDS)?;
        let wanted = limit(self.most - self.records.len());
        let mut found = statement.query(params![rows.first, rows.last, wanted])?;
        while let Some(row) = found.next()? {
            let at = row::seq(row)?;
            let record = record(row)?;
            self.bytes = self.bytes.saturating_sub(size(&record));
            self.last = number + at - rows.first;
            self.records.push((self.last, record));
            if self.is_full() {
                return Ok(());
            }
        }
        // What is missing behind the last one was forgotten.
        self.last = number + rows.last - rows.first;
        Ok(())
    }
}

fn record(row: &Row<'_>) -> Result<FactRecord, JournalError> {
    let status: Option<u16> = row.get(ANSWER)?;
    let answer = status.map(|status| {
        let content_type: Option<Vec<u8>> = row.get(ANSWER + 1)?;
        Ok::<_, JournalError>(Arc::new(KeptAnswer {
            status,
            content_type: content_type.map_or(Bytes::from_static(USUAL_CONTENT_TYPE), Bytes::from),
            body: packed::read(row, ANSWER + 2)?.unwrap_or_default().into(),
        }))
    });
    Ok(FactRecord {
        fact: row::fact(row)?,
        context: row::context(row)?,
        body: packed::read(row, BODY)?.map(Bytes::from),
        answer: answer.transpose()?,
    })
}

/// What a record takes, about.
fn size(record: &FactRecord) -> usize {
    const FACT: usize = 200;
    let body = record.body.as_ref().map_or(0, Bytes::len);
    FACT + body + record.answer.as_ref().map_or(0, |answer| answer.body.len())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use protocol::{Bill, BillerCode, KoreanTime};

    use super::*;
    use crate::journal::insert::Inserter;
    use crate::journal::{Entry, ForeignFacts, connection, schema};
    use crate::{Fact, FactContext, FactKind, Stamp};

    const OTHER: Author = Author {
        node: 9,
        journal: 4,
    };

    fn record(time: i64) -> FactRecord {
        let biller = BillerCode::parse("B0001").unwrap();
        let fact = Fact {
            stamp: Stamp { time, node: 9 },
            bill: Bill::from_parts(biller, &time.to_string(), "202611", "", "", &[]),
            kind: FactKind::Relinked {
                expire_at: KoreanTime::parse("20991231235959").unwrap(),
            },
        };
        FactRecord {
            fact,
            context: FactContext::NONE,
            body: None,
            answer: None,
        }
    }

    #[test]
    fn facts_of_another_author_that_are_committed_meanwhile_are_never_read_as_own_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.sqlite3");
        let mut connection = connection::connect(&file).unwrap();
        schema::prepare(&mut connection, &file).unwrap();
        connection
            .pragma_update(None, "synchronous", "OFF")
            .unwrap();
        let reader = Reader::open(&file).unwrap();
        let writer = thread::spawn(move || {
            let mut inserter = Inserter::new(7);
            for number in 1..=6_000 {
                let records = vec![(number, record(number))];
                let (facts, foreign) = ForeignFacts::of(OTHER, (number - 1, number), records);
                let transaction = connection.transaction().unwrap();
                let entry = Entry::of_author(facts, foreign);
                inserter
                    .insert_all(&transaction, [&entry].into_iter())
                    .unwrap();
                transaction.commit().unwrap();
            }
        });
        while !writer.is_finished() {
            let own = reader.records_after(None, 0, (16, 1_000)).unwrap();
            assert_eq!((own.records.len(), own.last), (0, 0));
        }
        writer.join().unwrap();
    }
}
