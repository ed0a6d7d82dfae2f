//! The indexes of the journal's tables.

use std::path::Path;

use rusqlite::Connection;

use super::JournalError;

/// The indexes without which nothing can be moved from an older version. That of digests leaves at the end.
pub(super) const KEYS: &str = "
CREATE INDEX IF NOT EXISTS bill_by_hash ON bill (hash);
CREATE INDEX IF NOT EXISTS message_by_digest ON message (substr(digest, 1, 8));
";

/// The index without which nothing can be written.
pub(super) const KEY: &str = "CREATE INDEX IF NOT EXISTS bill_by_hash ON bill (hash)";

/// Drops what version 3 had, and what is needed only while rows move.
pub(super) fn drop_former(connection: &Connection) -> Result<(), JournalError> {
    Ok(connection.execute_batch(
        "DROP INDEX IF EXISTS message_by_digest; DROP INDEX IF EXISTS fact_by_request;",
    )?)
}

/// The other indexes; a migration makes them at its end.
pub(super) const OTHERS: [&str; 8] = [
    "CREATE INDEX IF NOT EXISTS fact_by_bill ON fact (bill)",
    "CREATE INDEX IF NOT EXISTS fact_by_payment ON fact (pay_id, paid_at) WHERE kind = 6",
    // Without IN: each insert would make a table of the three numbers.
    "CREATE INDEX IF NOT EXISTS fact_by_first_request ON fact (request)
        WHERE (kind = 1 OR kind = 5 OR kind = 6) AND request IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS fact_refused ON fact (bill) WHERE kind = 8",
    "CREATE INDEX IF NOT EXISTS fact_open ON fact (bill, pay_id, paid_at) WHERE open = 1",
    "CREATE INDEX IF NOT EXISTS bill_by_notice_key ON bill (biller, biller_notice_key)
        WHERE registered = 1 AND biller_notice_key <> ''",
    "CREATE INDEX IF NOT EXISTS bill_by_group ON bill (group_hash) WHERE registered = 1",
    "CREATE INDEX IF NOT EXISTS bill_refused ON bill (id) WHERE registered = 0",
];

/// An index that the journal must have.
pub(super) struct Index {
    pub(super) name: &'static str,
    make: &'static str,
}

/// Returns the indexes that are not there.
pub(super) fn missing(connection: &Connection) -> Result<Vec<Index>, JournalError> {
    let statements = [KEY].into_iter().chain(OTHERS);
    let indexes = statements.filter_map(|make| {
        let name = make.split("IF NOT EXISTS ").nth(1)?.split(' ').next()?;
        Some(Index { name, make })
    });
    let mut is_there =
        connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1")?;
    let mut missing = Vec::new();
    for index in indexes {
        if !is_there.exists([index.name])? {
            missing.push(index);
        }
    }
    Ok(missing)
}

/// Makes the indexes that a version adds.
pub(super) fn make(connection: &Connection) -> Result<(), JournalError> {
    for Index { make, .. } in missing(connection)? {
        connection.execute_batch(make)?;
    }
    Ok(())
}

/// Makes the indexes that are not there: somebody dropped them.
pub(super) fn make_missing(connection: &Connection, file: &Path) -> Result<(), JournalError> {
    for Index { name, make } in missing(connection)? {
        tracing::warn!(journal = %file.display(), index = name, "the journal lacks an index, which is made again now");
        connection.execute_batch(make)?;
    }
    Ok(())
}
