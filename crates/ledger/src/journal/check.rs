//! Whether a copy of a journal is whole.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{JournalError, Reader};

/// The facts of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) number: u64,
    /// The number of the last one.
    pub(super) last_row: i64,
}

/// Opens a file that nobody writes: for reading, without locks and without a file beside it.
pub(super) fn connect_immutable(file: &Path) -> Result<Connection, JournalError> {
    let mut uri = String::from("file:");
    for byte in file.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte));
            }
            // A String takes whatever is written.
            byte => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(uri, flags)?)
}

/// Reads every page.
///
/// # Errors
/// With the first thing that is wrong.
pub(super) fn pages(connection: &Connection) -> Result<(), JournalError> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        Ok(())
    } else {
        Err(JournalError::Damaged(Path::new("").into(), said))
    }
}

/// Counts the facts.
pub(super) fn facts(connection: &Connection) -> Result<Counted, JournalError> {
    let query = "SELECT count(*), coalesce(max(seq), 0) FROM fact";
    Ok(connection.query_row(query, [], |row| {
        Ok(Counted {
            number: row.get::<_, i64>(0)?.unsigned_abs(),
            last_row: row.get(1)?,
        })
    })?)
}

/// The number of the last fact; 0 where there is none.
pub(super) fn last_row(connection: &Connection) -> Result<i64, JournalError> {
    let query = "SELECT coalesce(max(seq), 0) FROM fact";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}

impl Reader {
    /// How many facts there are up to a number.
    pub(super) fn number_of_facts(&self, up_to: i64) -> Result<u64, JournalError> {
        let query = "SELECT count(*) FROM fact WHERE seq <= ?1";
        let number: i64 = self.lock().query_row(query, [up_to], |row| row.get(0))?;
        Ok(number.unsigned_abs())
    }
}
