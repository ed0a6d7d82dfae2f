//! Copies of a journal: written while it is in use, and put back into service.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{FILE_NAME, JournalError, Reader, access};

/// Where a copy is written before it is the journal.
const UNFINISHED: &str = "journal.sqlite3.restoring";

impl Reader {
    /// Writes a copy of the journal to the new file `to`. Returns its bytes and the number of its facts.
    ///
    /// # Errors
    /// When the file exists or cannot be written, or the journal cannot be read.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<(u64, u64), JournalError> {
        let io_error = |error| JournalError::Io(to.to_path_buf(), error);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)
            .map_err(io_error)?;
        let copied = self.copy_into(&file, to);
        if copied.is_err() {
            // A half copy must not be mistaken for one.
            let _ = fs::remove_file(to);
        }
        copied
    }

    fn copy_into(&self, file: &File, to: &Path) -> Result<(u64, u64), JournalError> {
        let io_error = |error| JournalError::Io(to.to_path_buf(), error);
        let connection = self.lock();
        connection.pragma_update(None, "query_only", false)?;
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        file.sync_all().map_err(io_error)?;
        let bytes = file.metadata().map_err(io_error)?.len();
        Ok((bytes, facts_of(&open_copy(to)?)?))
    }
}

/// Makes the journal of `directory` from the copy `from`, under a new number of the node. Returns that number and the
/// number of facts.
///
/// # Errors
/// When there is a journal already, the copy is no journal or damaged, or the folder cannot be written.
pub(crate) fn restore(from: &Path, directory: &Path) -> Result<(u32, u64), JournalError> {
    let journal = directory.join(FILE_NAME);
    if journal.exists() {
        return Err(JournalError::Refused(
            journal,
            "is there already: move it away with its -wal and -shm, or name another ledger.path"
                .to_owned(),
        ));
    }
    let facts = facts_of(&open_copy(from)?).map_err(|error| error.of(from))?;
    access::prepare_folder(directory)?;
    let unfinished = directory.join(UNFINISHED);
    let io_error = |error| JournalError::Io(unfinished.clone(), error);
    fs::copy(from, &unfinished).map_err(io_error)?;
    let connection = Connection::open(&unfinished)?;
    let node: u32 = connection.query_row(
        "UPDATE node SET number = abs(random()) % 4294967295 + 1 RETURNING number",
        [],
        |row| row.get(0),
    )?;
    connection
        .close()
        .map_err(|(_, error)| JournalError::from(error))?;
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    sync(&unfinished).map_err(io_error)?;
    fs::rename(&unfinished, &journal).map_err(io_error)?;
    sync(directory).map_err(io_error)?;
    Ok((node, facts))
}

fn open_copy(file: &Path) -> Result<Connection, JournalError> {
    let io_error = |error| JournalError::Io(file.to_path_buf(), error);
    File::open(file).map_err(io_error)?;
    Ok(Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?)
}

fn facts_of(connection: &Connection) -> Result<u64, JournalError> {
    let facts: i64 = connection.query_row("SELECT count(*) FROM fact", [], |row| row.get(0))?;
    Ok(u64::try_from(facts).unwrap_or_default())
}
