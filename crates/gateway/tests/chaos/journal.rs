//! A node's journal, as an operator reads it.

use std::path::Path;

use ledger::Author;
use rusqlite::{Connection, OpenFlags};
use test_support::unpacked;

/// The sync cursor: up to which row a journal's facts are in Redis, and in which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub shared_up_to: i64,
    pub shared_with: String,
}

/// A journalled payment or cancel.
#[derive(Clone, Debug)]
pub struct JournalledEvent {
    pub user_key: String,
    pub pay_type: String,
    pub pay_id: u64,
    pub paid_at: u64,
    pub amount: i64,
    /// The body of its pay-result, byte for byte.
    pub body: String,
}

impl JournalledEvent {
    /// Returns the echo in its bytes.
    pub fn echo(&self) -> &str {
        let echo = self.body.rsplit_once(r#""echo":""#);
        echo.and_then(|(_, echo)| echo.split('"').next())
            .unwrap_or_default()
    }
}

#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    /// Where the facts and the bodies of pay-results are in plain words: tables up to version 2, views since.
    facts: &'static str,
    messages: &'static str,
    /// The column of how long a compressed body was.
    unpacked: &'static str,
}

impl Journal {
    /// Opens the file for reading, whether or not its node runs.
    pub fn open(file: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).unwrap();
        let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
        let has_views = version.is_ok_and(|version: i64| version > 2);
        let (facts, messages, length) = if has_views {
            ("facts", "messages", "unpacked")
        } else {
            ("fact", "message", "NULL")
        };
        Self {
            connection,
            facts,
            messages,
            unpacked: length,
        }
    }

    /// Writes all of it to a new file, as of one moment.
    pub fn copy_to(&self, file: &Path) {
        let name = file.to_str().unwrap();
        self.connection.execute("VACUUM INTO ?1", [name]).unwrap();
    }

    /// Returns how the journal is known to the others, as the author of its facts.
    pub fn author(&self) -> Author {
        let read = |row: &rusqlite::Row<'_>| {
            let (node, journal) = (row.get(0)?, row.get(1)?);
            Ok(Author { node, journal })
        };
        let query = "SELECT number, identity FROM node";
        self.connection.query_row(query, [], read).unwrap()
    }

    pub fn cursor(&self) -> Cursor {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Cursor {
                shared_up_to: row.get(0)?,
                shared_with: row.get(1)?,
            })
        };
        let query = "SELECT shared_up_to, shared_with FROM node";
        self.connection.query_row(query, [], read).unwrap()
    }

    pub fn last_row(&self) -> i64 {
        let query = "SELECT coalesce(max(seq), 0) FROM fact";
        self.connection
            .query_row(query, [], |row| row.get(0))
            .unwrap()
    }

    pub fn events(&self) -> Vec<JournalledEvent> {
        self.events_after(0)
    }

    /// Returns the events of the rows behind this one.
    pub fn events_after(&self, row: i64) -> Vec<JournalledEvent> {
        let query = format!(
            "SELECT biller_user_key, pay_type, pay_id, paid_at, pay_amount, body, {}
            FROM {} JOIN {} USING (biller_code, message) WHERE kind = 'payment' AND seq > ?1 ORDER BY seq",
            self.unpacked, self.facts, self.messages
        );
        let mut statement = self.connection.prepare(&query).unwrap();
        let number = |row: &rusqlite::Row<'_>, column: usize| {
            let text: String = row.get(column)?;
            Ok::<i64, rusqlite::Error>(text.parse().unwrap())
        };
        let read = |row: &rusqlite::Row<'_>| {
            Ok(JournalledEvent {
                user_key: row.get(0)?,
                pay_type: row.get(1)?,
                pay_id: number(row, 2)?.try_into().unwrap(),
                paid_at: number(row, 3)?.try_into().unwrap(),
                amount: number(row, 4)?,
                body: String::from_utf8(unpacked(row.get(5)?, row.get(6)?)).unwrap(),
            })
        };
        let rows = statement.query_map([row], read).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// Returns the `biller_user_key`s of the bills that were classified as error bills, and not cleared since.
    pub fn classified(&self) -> Vec<String> {
        let facts = self.facts;
        let query = format!(
            "SELECT biller_user_key FROM {facts} WHERE kind IN ('classified', 'cleared') GROUP BY biller_user_key \
                HAVING max(CASE kind WHEN 'classified' THEN stamp END) > ifnull(max(CASE kind WHEN 'cleared' THEN stamp END), 0)"
        );
        let mut statement = self.connection.prepare(&query).unwrap();
        let keys = statement.query_map([], |row| row.get(0)).unwrap();
        keys.collect::<Result<_, _>>().unwrap()
    }

    /// Returns every fact of a bill, one per line, for the report of a violation.
    pub fn facts_of(&self, user_key: &str) -> Vec<String> {
        let query = format!(
            "SELECT seq || ' ' || at || ' ' || kind || ' ' ||
                coalesce(pay_type || pay_id || ' ' || pay_amount, '') || ' ' ||
                coalesce(delivery, '') || coalesce('until ' || until, '')
            FROM {} WHERE biller_user_key = ?1 ORDER BY seq",
            self.facts
        );
        let mut statement = self.connection.prepare(&query).unwrap();
        let lines = statement.query_map([user_key], |row| row.get(0)).unwrap();
        lines.collect::<Result<_, _>>().unwrap()
    }
}
