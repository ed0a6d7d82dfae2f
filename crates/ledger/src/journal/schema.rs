//! The tables of the journal, version 4.
//!
//! Rows are narrow: a fact refers to its bill and to its pay-result by number, and what has few values is a small
//! integer. Operators read the views `facts` and `messages`, which say the same in plain words.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::{JournalError, author, identity, indexes, refused, views};

/// Kept in `PRAGMA user_version`; a file of a later version is refused.
pub(super) const VERSION: i64 = 4;

/// The table of the node. A journal of an earlier version has its first three columns.
const NODE: &str = "
CREATE TABLE node (
    number             INTEGER NOT NULL,
    author             INTEGER NOT NULL DEFAULT 0,  -- the number that NULL stands for in facts: the first one
    shared_up_to       INTEGER NOT NULL DEFAULT 0,  -- all facts up to this `seq` are in the shared state
    shared_with        TEXT    NOT NULL DEFAULT '', -- and this is who holds it
    identity           INTEGER NOT NULL DEFAULT 0,  -- drawn with the journal, and anew where it was copied or moved
    place              TEXT,                        -- where it was opened last: file system, inode, machine
    latest_stamp       INTEGER NOT NULL DEFAULT 0,  -- greatest stamp of any fact
    forget_unpaid_from INTEGER NOT NULL DEFAULT 0,  -- how far the retention has come: a `seq`
    forget_paid_from   INTEGER NOT NULL DEFAULT 0,
    forget_bodies_from INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// Columns of `NODE` that version 3 added.
const NODE_ADDED: [(&str, &str); 7] = [
    ("author", "INTEGER NOT NULL DEFAULT 0"),
    ("identity", "INTEGER"),
    ("place", "TEXT"),
    ("latest_stamp", "INTEGER NOT NULL DEFAULT 0"),
    ("forget_unpaid_from", "INTEGER NOT NULL DEFAULT 0"),
    ("forget_paid_from", "INTEGER NOT NULL DEFAULT 0"),
    ("forget_bodies_from", "INTEGER NOT NULL DEFAULT 0"),
];

const TABLES: &str = "
CREATE TABLE biller (
    id    INTEGER PRIMARY KEY,
    code  TEXT    NOT NULL UNIQUE,
    bills INTEGER NOT NULL DEFAULT 0 -- how many it has
) STRICT;
CREATE TABLE bill (
    id                INTEGER PRIMARY KEY AUTOINCREMENT, -- a forgotten number never comes again
    biller            INTEGER NOT NULL,
    hash              INTEGER NOT NULL, -- its upper half is that of the customer
    group_hash        INTEGER NOT NULL, -- the same for bills that differ in the notice key only
    biller_user_key   TEXT    NOT NULL,
    billed_year_month TEXT    NOT NULL,
    ordinal           TEXT    NOT NULL,
    biller_notice_key TEXT    NOT NULL,
    identity          TEXT    NOT NULL, -- identity parameters as a JSON object, '' where none
    registered        INTEGER           -- NULL no link fact; 0 no attempt made a link; 1 linked, reserved or unknown
) STRICT;
-- The pay-results.
CREATE TABLE message (
    id        INTEGER PRIMARY KEY,
    biller    INTEGER NOT NULL,
    digest    BLOB    NOT NULL, -- SHA-256 of the bytes
    canonical BLOB,             -- SHA-256 of the canonical form
    body      BLOB,             -- the bytes; NULL where they are not kept
    unpacked  INTEGER           -- their number where `body` is compressed
) STRICT;
-- The answers of billers that accepted one.
CREATE TABLE answer (
    message      INTEGER PRIMARY KEY,
    status       INTEGER NOT NULL,
    content_type BLOB, -- NULL: application/json;charset=utf-8
    body         BLOB, -- NULL where it is not kept
    unpacked     INTEGER -- the number of its bytes where `body` is compressed
) STRICT;
-- One row per fact; `seq` is the order in which this node learned them. The view `facts` says it in words.
CREATE TABLE fact (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT, -- a forgotten number never comes again
    bill           INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    stamp          INTEGER NOT NULL, -- hybrid logical time: Unix milliseconds << 20 | counter
    node           INTEGER,          -- NULL: `node.author`
    open           INTEGER,          -- 1: the event's payment of which no delivery is known, or its undelivered delivery
    attempt        INTEGER,          -- released, uncertain, linked: the reservation's stamp
    attempt_node   INTEGER,          -- NULL: `node.author`
    after_unknown  INTEGER,
    until          INTEGER,          -- reserved: Unix milliseconds
    expire_at      INTEGER,          -- linked, relinked: YYYYMMDDHH24MISS, Korean time
    pay_id         ANY,              -- payment, delivery: an integer where it is one
    pay_type       INTEGER,          -- 0 P, 1 C
    paid_at        INTEGER,          -- YYYYMMDDHH24MISS
    pay_amount     ANY,              -- an integer where it is one
    mark_ends_at   INTEGER,          -- Unix milliseconds
    message        INTEGER,          -- the pay-result
    delivery       INTEGER,
    reason         TEXT,
    operator       TEXT,
    request        ANY,              -- request id of the call: 16 bytes where it is a UUID, 0 where it is that of the
                                     -- reservation or payment; from here on for people only
    answer_status  INTEGER,          -- delivery: the biller's answer; 0: 200, OK, 성공
    answer_code    TEXT,
    answer_message TEXT
) STRICT;
-- The state of bills with a long history; made again where it is missing.
CREATE TABLE snapshot (
    bill  INTEGER PRIMARY KEY,
    up_to INTEGER NOT NULL, -- `seq` of the last fact in it
    state BLOB    NOT NULL
) STRICT;
";

/// Makes the tables where the file is new.
pub(super) fn prepare(connection: &mut Connection, file: &Path) -> Result<(), JournalError> {
    let version = version(connection)?;
    check_is_known(version, file)?;
    if version == 0 {
        let transaction = connection.transaction()?;
        transaction.execute_batch(NODE)?;
        transaction.execute_batch(refused::TABLE)?;
        make_tables(&transaction)?;
        for index in [indexes::KEY].into_iter().chain(indexes::OTHERS) {
            transaction.execute_batch(index)?;
        }
        transaction.execute(
            "INSERT INTO node (number, author, identity) VALUES (?1, ?1, random())",
            [draw_number(&transaction)?],
        )?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    connection.execute_batch(identity::TABLE)?;
    connection.execute_batch(author::TABLES)?;
    Ok(())
}

/// Refuses a file that is no journal, or one of a later version, before anything is written to it.
pub(super) fn refuse_unfit(file: &Path) -> Result<(), JournalError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    let (tables, is_journal): (i64, bool) = connection.query_row(
        "SELECT count(*), count(*) FILTER (WHERE name = 'node') > 0 FROM sqlite_schema",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    // One without tables was made by a start that was killed.
    if is_journal || tables == 0 {
        return check_is_known(version(&connection)?, file);
    }
    Err(JournalError::Refused(
        file.to_path_buf(),
        "is a database of another program, and no journal of this gateway: name another folder, or move the file away; \
         it was not changed"
            .to_owned(),
    ))
}

/// Refuses a file that a later version wrote.
pub(super) fn refuse_later_version(
    connection: &Connection,
    file: &Path,
) -> Result<(), JournalError> {
    check_is_known(version(connection)?, file)
}

/// Fails where another version wrote the file, or it is being brought up to this one.
pub(super) fn check_is_current(connection: &Connection, file: &Path) -> Result<(), JournalError> {
    let version = version(connection)?;
    check_is_known(version, file)?;
    let is_whole = connection
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migration'")?
        .exists([])
        .map(|is_under_way| !is_under_way)?;
    if version == VERSION && is_whole {
        return Ok(());
    }
    Err(JournalError::Refused(
        file.to_path_buf(),
        "was written by an earlier version of the gateway: a start of this one brings it up to date, and then it can be \
         read"
            .to_owned(),
    ))
}

fn check_is_known(version: i64, file: &Path) -> Result<(), JournalError> {
    if version <= VERSION {
        return Ok(());
    }
    Err(JournalError::Refused(
        file.to_path_buf(),
        format!(
            "was written by a later version of the gateway (journal version {version}, this one reads up to \
             {VERSION}): start that version, or put back the copy of the ledger's folder from before the upgrade"
        ),
    ))
}

/// Returns the version of the file; 0 of an empty one.
pub(super) fn version(connection: &Connection) -> Result<i64, JournalError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Makes the tables and views of this version, but for `NODE` and that of refused pay-results.
pub(super) fn make_tables(connection: &Connection) -> Result<(), JournalError> {
    connection.execute_batch(TABLES)?;
    views::make(connection)
}

/// Adds to the node's table of an earlier version what this one has more.
pub(super) fn extend_node(connection: &Connection) -> Result<(), JournalError> {
    for (column, kind) in NODE_ADDED {
        add_where_missing(connection, column, kind)?;
    }
    connection.execute(
        "UPDATE node SET author = number, identity = ifnull(identity, random())",
        [],
    )?;
    Ok(())
}

/// Adds the columns by which a journal is told from its copies; a journal of an earlier version has none.
pub(super) fn add_identity(connection: &Connection) -> Result<(), JournalError> {
    let of_identity = |(column, _): &&(&str, &str)| matches!(*column, "identity" | "place");
    for (column, kind) in NODE_ADDED.iter().filter(of_identity) {
        add_where_missing(connection, column, kind)?;
    }
    Ok(())
}

/// Adds a column to the node's table. The names are this module's own.
fn add_where_missing(
    connection: &Connection,
    column: &str,
    kind: &str,
) -> Result<(), JournalError> {
    let is_there = connection
        .prepare("SELECT 1 FROM pragma_table_info('node') WHERE name = ?1")?
        .exists([column])?;
    if !is_there {
        connection.execute_batch(&format!("ALTER TABLE node ADD COLUMN {column} {kind}"))?;
    }
    Ok(())
}

/// Returns the node's number.
pub(super) fn node(connection: &Connection) -> Result<u32, JournalError> {
    let number = connection.query_row("SELECT number FROM node", [], |row| row.get(0));
    let number: Option<u32> = number.optional()?;
    number.ok_or_else(|| JournalError::Row("node".to_owned()))
}

/// Returns the number that facts without one have.
pub(super) fn author(connection: &Connection) -> Result<u32, JournalError> {
    Ok(connection.query_row("SELECT author FROM node", [], |row| row.get(0))?)
}

/// Draws a number for a node.
pub(super) fn draw_number(connection: &Connection) -> Result<u32, JournalError> {
    let query = "SELECT abs(random()) % 4294967295 + 1";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}
