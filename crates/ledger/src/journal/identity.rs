//! Which identity parameters each biller's bills have: a table of its own.

use protocol::BillerCode;
use rusqlite::{Connection, params};

use super::JournalError;
use crate::Timestamp;

/// The table. Without row numbers, so that the numbers of facts are the only ones.
pub(super) const TABLE: &str = "
-- The names of the members of `parameters` that belong to the identity of a biller's bills.
CREATE TABLE IF NOT EXISTS identity_in_force (
    biller_code TEXT    NOT NULL PRIMARY KEY,
    names       TEXT    NOT NULL, -- a sorted JSON array
    changed_on  TEXT    NOT NULL, -- the date that the biller's file gave for the change, '' where none
    since       INTEGER NOT NULL  -- Unix milliseconds
) STRICT, WITHOUT ROWID;
";

/// The identity parameters that are in force for a biller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityInForce {
    /// The biller.
    pub biller: BillerCode,
    /// The names, sorted.
    pub names: Vec<String>,
    /// The date that the biller's file gave when they came into force; `""` where it gave none.
    pub changed_on: String,
    /// When they came into force.
    pub since: Timestamp,
}

pub(super) fn keep(connection: &Connection, kept: &IdentityInForce) -> Result<(), JournalError> {
    let names = serde_json::Value::from(kept.names.clone()).to_string();
    connection
        .prepare_cached(
            "INSERT INTO identity_in_force (biller_code, names, changed_on, since) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (biller_code) DO UPDATE SET names = excluded.names, changed_on = excluded.changed_on,
             since = excluded.since",
        )?
        .execute(params![
            kept.biller.as_str(),
            names,
            kept.changed_on,
            kept.since.millis()
        ])?;
    Ok(())
}
