//! Brings a journal of version 3 up to version 4: rows stay as they are, and new ones are narrower.
//!
//! Version 4 knows compressed bodies, request ids that are written once a call, and a short form of the usual answer. It
//! finds pay-results by the facts that name them, so that the index of their digests leaves.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{JournalError, indexes, migration, schema, views};

/// The version that this brings up to the next one. A move from versions 1 or 2 may be under way in such a file.
const FROM: i64 = 3;

/// One transaction, most of it the making of an index: a start that is killed has done all of it or nothing.
pub(super) fn upgrade(connection: &mut Connection, file: &Path) -> Result<(), JournalError> {
    if schema::version(connection)? != FROM {
        return Ok(());
    }
    tracing::info!(journal = %file.display(), "the journal is brought up to a new version");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "ALTER TABLE message ADD COLUMN unpacked INTEGER;
         ALTER TABLE answer ADD COLUMN unpacked INTEGER;
         DROP VIEW IF EXISTS facts;
         DROP VIEW IF EXISTS messages;",
    )?;
    views::make(&transaction)?;
    // A move that is under way makes the indexes at its end.
    if !migration::is_under_way(&transaction)? {
        indexes::drop_former(&transaction)?;
        indexes::make(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", FROM + 1)?;
    transaction.commit()?;
    tracing::info!(journal = %file.display(), "the journal is up to date");
    Ok(())
}
