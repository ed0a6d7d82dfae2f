//! The tables of versions 1 and 2, put aside.

use rusqlite::Connection;

use super::super::{JournalError, refused};

/// Columns that version 2 added to tables of version 1: table, column, type.
const ADDED_IN_2: [(&str, &str, &str); 6] = [
    ("fact", "request_id", "TEXT"),
    ("fact", "canonical", "BLOB"),
    ("fact", "answer_status", "INTEGER"),
    ("fact", "answer_code", "TEXT"),
    ("fact", "answer_message", "TEXT"),
    ("answer", "canonical", "BLOB"),
];

/// Renames the tables, gives those of version 1 the columns of version 2, and drops the index of which the name is
/// needed.
pub(super) fn put_aside(connection: &Connection) -> Result<(), JournalError> {
    connection.execute_batch(refused::TABLE)?;
    for (table, column, kind) in ADDED_IN_2 {
        add_where_missing(connection, table, column, kind)?;
    }
    connection.execute_batch(
        "ALTER TABLE fact RENAME TO old_fact;
         ALTER TABLE message RENAME TO old_message;
         ALTER TABLE answer RENAME TO old_answer;
         DROP INDEX IF EXISTS fact_by_bill;",
    )?;
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
