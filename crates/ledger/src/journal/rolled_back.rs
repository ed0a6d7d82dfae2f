//! A journal whose disk was rolled back goes on under another identity.

use std::path::Path;

use super::file::HeldFile;
use super::{FILE_NAME, JournalError, connection, place};

/// Gives the journal in a folder a new identity: what it published before is not all in it.
///
/// # Errors
/// When another process holds it, or it cannot be written.
pub(crate) fn renew_identity(directory: &Path) -> Result<(), JournalError> {
    let path = directory.join(FILE_NAME);
    let _held = HeldFile::open(&path)?;
    let connection = connection::connect(&path).map_err(|error| error.of(&path))?;
    let identity: i64 = connection.query_row("SELECT identity FROM node", [], |row| row.get(0))?;
    let transaction = connection.unchecked_transaction()?;
    place::take_identity(&transaction, Some(identity), place::draw(&transaction)?)?;
    Ok(transaction.commit()?)
}
