//! Whose facts the rows are. Without other nodes all rows are this journal's own.
//!
//! An author's facts are numbered from 1 on without gaps. Rows of other authors lie in runs, so that a number is found by
//! arithmetic: an own fact's number is that of its row, less the rows of others before it. Numbers whose facts were
//! forgotten stay.

use rusqlite::{Connection, OptionalExtension, params};

use super::{JournalError, Rows};
use crate::Author;

/// The tables. An earlier build that knows nothing of them adds own facts only, behind all runs.
pub(super) const TABLES: &str = "
-- The authors of facts.
CREATE TABLE IF NOT EXISTS author (
    id       INTEGER PRIMARY KEY,
    node     INTEGER NOT NULL,
    journal  INTEGER NOT NULL,           -- the identity of its journal
    known_to INTEGER NOT NULL DEFAULT 0, -- all its facts up to this number are here; this journal's own: are published
    UNIQUE (node, journal)
) STRICT;
-- Rows of facts, one behind the other, that another author made.
CREATE TABLE IF NOT EXISTS foreign_run (
    seq    INTEGER PRIMARY KEY, -- the first row
    facts  INTEGER NOT NULL,    -- how many rows
    author INTEGER NOT NULL,
    number INTEGER NOT NULL,    -- the author's number of the first
    own    INTEGER NOT NULL     -- how many own facts come before
) STRICT;
CREATE INDEX IF NOT EXISTS foreign_run_by_number ON foreign_run (author, number);
CREATE INDEX IF NOT EXISTS foreign_run_by_own ON foreign_run (own, seq);
";

/// The number of the author of the row `fact.seq`; NULL where that is this journal.
pub(super) const OF_ROW: &str =
    "(SELECT CASE WHEN fact.seq < run.seq + run.facts THEN run.author END
    FROM foreign_run AS run WHERE run.seq <= fact.seq ORDER BY run.seq DESC LIMIT 1)";

/// Returns who made the fact in this row, where that is another author.
pub(super) fn of_row(connection: &Connection, row: i64) -> Result<Option<Author>, JournalError> {
    let author = connection
        .prepare_cached(
            "SELECT author.node, author.journal, run.seq + run.facts FROM foreign_run AS run
             CROSS JOIN author ON author.id = run.author WHERE run.seq <= ?1 ORDER BY run.seq DESC LIMIT 1",
        )?
        .query_row([row], |found| {
            let author = Author {
                node: found.get(0)?,
                journal: found.get(1)?,
            };
            Ok((author, found.get::<_, i64>(2)?))
        })
        .optional()?;
    Ok(author
        .filter(|(_, behind)| row < *behind)
        .map(|(author, _)| author))
}

/// An author in this journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownAuthor {
    pub(super) id: i64,
    pub(super) known_to: i64,
}

/// Returns an author that the journal has.
pub(super) fn find(
    connection: &Connection,
    author: Author,
) -> Result<Option<KnownAuthor>, JournalError> {
    let found = connection
        .prepare_cached("SELECT id, known_to FROM author WHERE node = ?1 AND journal = ?2")?
        .query_row(params![author.node, author.journal], |row| {
            Ok(KnownAuthor {
                id: row.get(0)?,
                known_to: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Returns an author, made where it is new.
pub(super) fn find_or_make(
    connection: &Connection,
    author: Author,
) -> Result<KnownAuthor, JournalError> {
    if let Some(known) = find(connection, author)? {
        return Ok(known);
    }
    connection.execute(
        "INSERT INTO author (node, journal) VALUES (?1, ?2)",
        params![author.node, author.journal],
    )?;
    Ok(KnownAuthor {
        id: connection.last_insert_rowid(),
        known_to: 0,
    })
}

/// All facts of an author up to this number are here, or are published.
pub(super) fn set_known_to(
    connection: &Connection,
    author: i64,
    number: i64,
) -> Result<(), JournalError> {
    connection
        .prepare_cached("UPDATE author SET known_to = ?2 WHERE id = ?1")?
        .execute([author, number])?;
    Ok(())
}

/// Notes that rows are an author's, from its number `number` on.
pub(super) fn add_run(
    connection: &Connection,
    author: i64,
    (rows, number): (Rows, i64),
) -> Result<(), JournalError> {
    let facts = rows.last - rows.first + 1;
    let continued = connection
        .prepare_cached(
            "UPDATE foreign_run SET facts = facts + ?1 WHERE seq = (SELECT max(seq) FROM foreign_run)
             AND author = ?2 AND seq + facts = ?3 AND number + facts = ?4",
        )?
        .execute([facts, author, rows.first, number])?;
    if continued == 0 {
        let own = own_up_to(connection, rows.first - 1)?;
        connection
            .prepare_cached(
                "INSERT INTO foreign_run (seq, facts, author, number, own) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute([rows.first, facts, author, number, own])?;
    }
    Ok(())
}

/// Returns the row of the last fact that was ever written; it may be forgotten.
pub(super) fn last_row(connection: &Connection) -> Result<i64, JournalError> {
    let last = connection
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'fact'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or_default())
}

/// Returns how many of the rows up to this one are own facts: the number of the last one.
pub(super) fn own_up_to(connection: &Connection, row: i64) -> Result<i64, JournalError> {
    let before: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT seq + facts, own FROM foreign_run WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([row], |found| Ok((found.get(0)?, found.get(1)?)))
        .optional()?;
    Ok(before.map_or(row, |(behind, own)| own + (row + 1 - behind).max(0)))
}

/// Rows that follow each other and are one author's, and the author's number of the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) rows: Rows,
    pub(super) number: i64,
}

/// Returns the rows of the own facts from this number on, up to the next row of another author.
pub(super) fn own_stretch(
    connection: &Connection,
    number: i64,
) -> Result<Option<Stretch>, JournalError> {
    let before: Option<(i64, i64)> = connection
        .prepare_cached(
            "SELECT seq + facts, own FROM foreign_run WHERE own < ?1 ORDER BY own DESC, seq DESC LIMIT 1",
        )?
        .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let first = before.map_or(number, |(behind, own)| behind + number - own - 1);
    let next: Option<(i64, i64)> = connection
        .prepare_cached("SELECT seq, own FROM foreign_run WHERE seq >= ?1 ORDER BY seq LIMIT 1")?
        .query_row([first], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((next, own)) = next {
        // Runs before the first fact are forgotten: the rows are counted from behind.
        let rows = Rows {
            first: next - (own - number + 1),
            last: next - 1,
        };
        return Ok(Some(Stretch { rows, number }));
    }
    let rows = Rows {
        first,
        last: last_row(connection)?,
    };
    Ok((first <= rows.last).then_some(Stretch { rows, number }))
}

/// Returns the rows of another author's facts from this number on that follow each other.
pub(super) fn stretch_of(
    connection: &Connection,
    author: i64,
    number: i64,
) -> Result<Option<Stretch>, JournalError> {
    // The run that the number lies in, else the next one: what lies between was forgotten.
    let run: Option<(i64, i64, i64)> = connection
        .prepare_cached(
            "SELECT seq, facts, number FROM foreign_run WHERE author = ?1 AND number <= ?2
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row([author, number], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?
        .filter(|(_, facts, first)| first + facts > number);
    let run = match run {
        Some(run) => Some(run),
        None => connection
            .prepare_cached(
                "SELECT seq, facts, number FROM foreign_run WHERE author = ?1 AND number > ?2
                 ORDER BY number LIMIT 1",
            )?
            .query_row([author, number], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?,
    };
    Ok(run.map(|(seq, facts, first)| {
        let number = number.max(first);
        let rows = Rows {
            first: seq + number - first,
            last: seq + facts - 1,
        };
        Stretch { rows, number }
    }))
}

/// Forgets the runs that lie before the first fact, but for the last of them, from which own numbers are counted.
pub(super) fn forget_runs(connection: &Connection) -> Result<(), JournalError> {
    connection
        .prepare_cached(
            "DELETE FROM foreign_run WHERE seq < (SELECT max(seq) FROM foreign_run
             WHERE seq < (SELECT min(seq) FROM fact) AND seq + facts <= (SELECT min(seq) FROM fact))",
        )?
        .execute([])?;
    Ok(())
}

/// Gives the own rows that were published to the author that the journal was until now; the other ones are made by what it
/// is from now on. Called where its identity changes: the former author may live on in another journal, and have made
/// other facts with the numbers behind them.
pub(super) fn part_from(connection: &Connection, former: Author) -> Result<(), JournalError> {
    let Some(known) = find(connection, former)? else {
        // Nothing was ever published.
        return Ok(());
    };
    let published = known
        .known_to
        .min(own_up_to(connection, last_row(connection)?)?);
    let mut number = 1;
    let mut stretches = Vec::new();
    while number <= published {
        let Some(mut stretch) = own_stretch(connection, number)? else {
            break;
        };
        let most = published - number;
        stretch.rows.last = stretch.rows.last.min(stretch.rows.first + most);
        number += stretch.rows.last - stretch.rows.first + 1;
        stretches.push(stretch);
    }
    for Stretch { rows, number } in stretches {
        connection.execute(
            "INSERT INTO foreign_run (seq, facts, author, number, own) VALUES (?1, ?2, ?3, ?4, 0)",
            [rows.first, rows.last - rows.first + 1, known.id, number],
        )?;
    }
    connection.execute(
        "UPDATE foreign_run SET own = counted.own FROM (
             SELECT seq, seq - 1 - (sum(facts) OVER (ORDER BY seq) - facts) AS own FROM foreign_run
         ) AS counted WHERE counted.seq = foreign_run.seq",
        [],
    )?;
    set_known_to(connection, known.id, published)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::journal::{connection, schema};

    /// A journal whose rows are own facts (`true`) or another author's.
    fn journal(rows: &[bool]) -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("journal.sqlite3");
        let mut connection = connection::connect(&file).unwrap();
        schema::prepare(&mut connection, &file).unwrap();
        connection
            .pragma_update(None, "synchronous", "OFF")
            .unwrap();
        let mut number = 1;
        for (row, is_own) in (1..).zip(rows) {
            connection
                .execute("INSERT INTO fact (bill, kind, stamp) VALUES (1, 1, 1)", [])
                .unwrap();
            if !is_own {
                let only = Rows {
                    first: row,
                    last: row,
                };
                add_run(&connection, 7, (only, number)).unwrap();
                number += 1;
            }
        }
        (folder, connection)
    }

    /// The rows of all own facts from the first one that is there on, by walking stretches.
    fn own_rows(connection: &Connection, first: i64, last: i64) -> Vec<(i64, i64)> {
        let (mut number, mut found) = (first, Vec::new());
        while number <= last {
            let stretch = own_stretch(connection, number).unwrap().unwrap();
            let Rows { first, last } = stretch.rows;
            found.extend((number..).zip(first..=last));
            number += last - first + 1;
        }
        found
    }

    proptest! {
        #[test]
        fn numbers_lead_to_rows_whatever_lies_between_and_whatever_is_forgotten(
            rows in proptest::collection::vec(any::<bool>(), 1..24),
            forgotten in 0..24_usize,
        ) {
            let (_folder, connection) = journal(&rows);
            let own: Vec<i64> = (1..).zip(&rows).filter(|(_, own)| **own).map(|(row, _)| row).collect();
            let expected: Vec<(i64, i64)> = (1..).zip(own.iter().copied()).collect();
            let last = i64::try_from(own.len()).unwrap();
            prop_assert_eq!(own_rows(&connection, 1, last), expected.clone());
            for (row, _) in (1..).zip(&rows) {
                let count = own.iter().filter(|own| **own <= row).count();
                prop_assert_eq!(own_up_to(&connection, row).unwrap(), i64::try_from(count).unwrap());
            }
            let forgotten = i64::try_from(forgotten.min(rows.len() - 1)).unwrap();
            connection.execute("DELETE FROM fact WHERE seq <= ?1", [forgotten]).unwrap();
            forget_runs(&connection).unwrap();
            let left: Vec<_> = expected.into_iter().filter(|(_, row)| *row > forgotten).collect();
            let walked: Vec<_> = own_rows(&connection, 1, last).into_iter().filter(|(_, row)| *row > forgotten).collect();
            prop_assert_eq!(walked, left);
        }
    }
}
