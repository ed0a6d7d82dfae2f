//! Large journals, written fast: what a measurement at ten million bills starts from.
//!
//! Rows, indexes and statements are the writer's own; only transactions are large, and nothing is synced before the end.

use std::fmt;
use std::fs::File;
use std::path::Path;

use rusqlite::Connection;

use super::file::HeldFile;
use super::insert::Inserter;
use super::{Entry, FILE_NAME, JournalError, access, connection, schema};

/// Pages of the file that are kept in memory: the indexes on hashes are written at random places.
const CACHE_KIB: i64 = 2 << 20;

/// A new journal that is being filled. What a crash leaves of it is no journal.
pub struct BulkLoad {
    connection: Connection,
    inserter: Inserter,
    node: u32,
    file: HeldFile,
}

impl BulkLoad {
    /// Makes a journal in a folder that has none.
    ///
    /// # Errors
    /// When the folder has a journal, or cannot be written.
    pub fn create(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join(FILE_NAME);
        access::prepare_folder(directory)?;
        access::prepare_files(&path)?;
        let file = HeldFile::open(&path)?;
        if !file.is_new() {
            return Err(JournalError::Refused(
                path,
                "is a journal already: name a folder without one".to_owned(),
            ));
        }
        let mut connection = connection::connect(&path)?;
        schema::prepare(&mut connection, &path)?;
        connection.pragma_update(None, "journal_mode", "OFF")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        let node = schema::node(&connection)?;
        Ok(Self {
            connection,
            inserter: Inserter::new(node),
            node,
            file,
        })
    }

    /// Returns the number of the node that the journal belongs to.
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// Writes entries in one transaction. As for the writer, an effect that an entry does not name is read.
    ///
    /// # Errors
    /// When the file cannot be written; it is of no use then.
    pub fn write(&mut self, entries: &[Entry]) -> Result<(), JournalError> {
        let transaction = self.connection.transaction()?;
        self.inserter.insert_all(&transaction, entries.iter())?;
        Ok(transaction.commit()?)
    }

    /// Brings everything to the disk.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn finish(self) -> Result<(), JournalError> {
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection
            .close()
            .map_err(|(_, error)| JournalError::from(error))?;
        let path = self.file.path();
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|error| JournalError::Io(path.to_path_buf(), error))
    }
}

impl fmt::Debug for BulkLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkLoad").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Bill, BillerCode, KoreanTime};

    use super::super::Reader;
    use super::*;
    use crate::{BillState, Fact, FactKind, Stamp};

    fn link(number: i64, node: u32) -> Fact {
        let biller = BillerCode::parse("B0001").unwrap();
        Fact {
            stamp: Stamp { time: number, node },
            bill: Bill::from_parts(biller, &number.to_string(), "202611", "", "", &[]),
            kind: FactKind::Relinked {
                expire_at: KoreanTime::parse("20991231235959").unwrap(),
            },
        }
    }

    #[test]
    fn a_journal_that_was_loaded_in_bulk_is_sound_and_is_not_loaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("ledger");
        let mut loaded = BulkLoad::create(&directory).unwrap();
        let facts: Vec<Fact> = (1..=300).map(|time| link(time, loaded.node())).collect();
        for some in facts.chunks(128) {
            loaded.write(&[Entry::of(some.to_vec())]).unwrap();
        }
        loaded.finish().unwrap();

        let reader = Reader::read_only(&directory).unwrap();
        let audit = reader.audit(&mut |_| {});
        assert!(audit.findings.is_empty(), "{:?}", audit.findings);
        assert_eq!(audit.rows, 300);
        for fact in &facts {
            let mut state = BillState::default();
            state.fold(fact);
            assert_eq!(reader.load(&fact.bill).unwrap().state, state);
        }
        let again = BulkLoad::create(&directory).unwrap_err();
        assert!(matches!(again, JournalError::Refused(..)), "{again}");
    }
}
