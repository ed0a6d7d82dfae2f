//! The journal's tables. Columns are plain so that operators can read them with `sqlite3`.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};

use super::{JournalError, refused};

/// Kept in `PRAGMA user_version`; a file of a later version is refused.
const VERSION: i64 = 2;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS node (
    number       INTEGER NOT NULL,
    identity     INTEGER, -- drawn with the journal, and anew where it was copied or moved
    place        TEXT,    -- where it was opened last: file system, inode, machine
    shared_up_to INTEGER NOT NULL DEFAULT 0, -- all facts up to this `seq` are in the shared state
    shared_with  TEXT    NOT NULL DEFAULT '' -- and this is who holds it
) STRICT;
-- One row per fact; `seq` is the order in which this node learned them.
CREATE TABLE IF NOT EXISTS fact (
    seq               INTEGER PRIMARY KEY AUTOINCREMENT, -- a forgotten number never comes again
    at                TEXT    NOT NULL, -- UTC, for people; `stamp` is what counts
    stamp             INTEGER NOT NULL, -- hybrid logical time: Unix milliseconds << 20 | counter
    node              INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    biller_code       TEXT    NOT NULL,
    biller_user_key   TEXT    NOT NULL,
    billed_year_month TEXT    NOT NULL,
    ordinal           TEXT    NOT NULL,
    biller_notice_key TEXT    NOT NULL,
    identity          TEXT    NOT NULL, -- identity parameters as a JSON object, '' where none
    attempt_stamp     INTEGER,          -- released, uncertain, linked: the reservation
    attempt_node      INTEGER,
    after_unknown     INTEGER,
    until             INTEGER,          -- reserved: Unix milliseconds
    expire_at         TEXT,             -- linked, relinked: YYYYMMDDHH24MISS, Korean time
    pay_id            TEXT,             -- payment, delivery
    pay_type          TEXT,
    paid_at           TEXT,
    pay_amount        TEXT,
    mark_ends_at      INTEGER,          -- Unix milliseconds
    message           BLOB,             -- SHA-256 of the pay-result
    delivery          TEXT,
    reason            TEXT,
    operator          TEXT,
    request_id        TEXT,             -- of the call; from here on for people only
    canonical         BLOB,             -- payment, delivery: SHA-256 of the canonical form
    answer_status     INTEGER,          -- delivery: the biller's answer
    answer_code       TEXT,
    answer_message    TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS fact_by_bill ON fact (biller_code, biller_user_key);
CREATE INDEX IF NOT EXISTS fact_by_message ON fact (message, kind) WHERE message IS NOT NULL;
-- The pay-results as they came, byte for byte.
CREATE TABLE IF NOT EXISTS message (
    biller_code TEXT NOT NULL,
    message     BLOB NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (biller_code, message)
) STRICT, WITHOUT ROWID;
-- The answers of billers that accepted one.
CREATE TABLE IF NOT EXISTS answer (
    biller_code  TEXT    NOT NULL,
    message      BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    content_type BLOB    NOT NULL,
    body         BLOB    NOT NULL, -- empty where it was above 64 KiB
    canonical    BLOB,             -- SHA-256 of the pay-result's canonical form
    PRIMARY KEY (biller_code, message)
) STRICT, WITHOUT ROWID;
";

/// Columns that version 2 added to tables of version 1: table, column, type.
const ADDED_IN_2: [(&str, &str, &str); 6] = [
    ("fact", "request_id", "TEXT"),
    ("fact", "canonical", "BLOB"),
    ("fact", "answer_status", "INTEGER"),
    ("fact", "answer_code", "TEXT"),
    ("fact", "answer_message", "TEXT"),
    ("answer", "canonical", "BLOB"),
];

/// What tells a journal from its copies; added to version 2 without a change of what it had.
const IDENTITY: [(&str, &str, &str); 2] =
    [("node", "identity", "INTEGER"), ("node", "place", "TEXT")];

/// Opens the journal for writing and brings its tables up to date.
pub(super) fn open(file: &Path) -> Result<Connection, JournalError> {
    let connection = connect(file)?;
    refuse_later_version(&connection, file)?;
    connection.execute_batch(TABLES)?;
    connection.execute_batch(refused::TABLE)?;
    for (table, column, kind) in ADDED_IN_2 {
        add_where_missing(&connection, table, column, kind)?;
    }
    add_identity(&connection)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(connection)
}

/// Refuses a file that a later version wrote.
pub(super) fn refuse_later_version(
    connection: &Connection,
    file: &Path,
) -> Result<(), JournalError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version <= VERSION {
        return Ok(());
    }
    Err(super::access::refused(
        file,
        format_args!(
            "was written by a later version of the gateway (journal version {version}, this one knows {VERSION}): use \
             that version, or a backup from before it"
        ),
    ))
}

/// Adds the columns by which a journal is told from its copies.
pub(super) fn add_identity(connection: &Connection) -> Result<(), JournalError> {
    for (table, column, kind) in IDENTITY {
        add_where_missing(connection, table, column, kind)?;
    }
    Ok(())
}

/// Adds a column to a table that an older version made. The names are this module's own.
fn add_where_missing(
    connection: &Connection,
    table: &str,
    column: &str,
    kind: &str,
) -> Result<(), JournalError> {
    let is_there = connection
        .prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2")?
        .exists([table, column])?;
    if !is_there {
        connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} {kind}"))?;
    }
    Ok(())
}

/// A connection with the settings that durability needs: WAL, and a sync at every commit.
pub(super) fn connect(file: &Path) -> Result<Connection, JournalError> {
    let connection = Connection::open(file)?;
    // Somebody else's lock is waited for a moment only: calls wait behind it.
    connection.busy_timeout(Duration::from_millis(250))?;
    // Pages that nothing is in any more can be given back. Only a file that is made now takes this
    // up: it must be said before anything else.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A write-ahead log that has grown once need not stay large.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(connection)
}

/// The node's number; drawn at random the first time.
pub(super) fn node(connection: &Connection) -> Result<u32, JournalError> {
    let known: Option<u32> = connection
        .query_row("SELECT number FROM node", [], |row| row.get(0))
        .optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    let number = draw_number(connection)?;
    connection.execute("INSERT INTO node (number) VALUES (?1)", [number])?;
    Ok(number)
}

/// A node's number.
pub(super) fn draw_number(connection: &Connection) -> Result<u32, JournalError> {
    let query = "SELECT abs(random()) % 4294967295 + 1";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}
