//! Entries that touch a damaged part of the file wait for its repair, and nothing waits for them.
//!
//! With damage a group is written one entry at a time: what lies elsewhere is as durable as ever. While entries wait, the
//! journal is not called writable, for somebody has to look after its disk.

use std::sync::Arc;

use super::writer::{Waiting, Writer};
use super::{Entry, JournalError, Rows};

/// Entries that are tried again at one look.
const TRIED_AT_ONCE: usize = 64;

impl Writer {
    /// Commits each entry of a group alone.
    #[cold]
    pub(super) fn commit_each(&mut self, group: Vec<Waiting>) {
        for (entry, done) in group {
            let written = if self.owed.is_empty() {
                self.write_alone(&entry)
            } else {
                Err(JournalError::earlier_entries_owed())
            };
            let written = written.map_err(|error| {
                tracing::error!(%error, "an entry is NOT durable; those that touch no damage are");
                if error.is_damage() {
                    self.aside.push(entry);
                } else {
                    self.owed.push(entry);
                }
                self.set_writable(Some(&error));
                Arc::new(error)
            });
            // Nobody waiting any more is no fault.
            let _ = done.send(written);
        }
        self.count_unwritten();
    }

    /// Writes the oldest entries that are owed, each alone.
    ///
    /// # Errors
    /// When the disk takes no more, for another reason than damage.
    #[cold]
    pub(super) fn pay_each(&mut self, entries: usize) -> Result<(), JournalError> {
        for _ in 0..entries {
            let Some(entry) = self.owed.take() else {
                break;
            };
            match self.write_alone(&entry) {
                Ok(_) => {}
                Err(error) if error.is_damage() => {
                    tracing::error!(%error, "an entry is NOT durable; those that touch no damage are");
                    self.aside.push(entry);
                }
                Err(error) => {
                    self.owed.put_back(entry);
                    return Err(error);
                }
            }
        }
        self.count_unwritten();
        Ok(())
    }

    /// Tries again to write what was set aside.
    pub(super) fn write_aside(&mut self) {
        for _ in 0..self.aside.len().min(TRIED_AT_ONCE) {
            let Some(entry) = self.aside.take() else {
                break;
            };
            if self.write_alone(&entry).is_err() {
                self.aside.push(entry);
            }
        }
        self.count_unwritten();
    }

    fn write_alone(&mut self, entry: &Entry) -> Result<Rows, JournalError> {
        let written = self.write([entry].into_iter()).and_then(|rows| {
            // An entry that is written has its rows.
            let rows = rows.into_iter().next();
            rows.ok_or_else(|| JournalError::Row("rows".to_owned()))
        });
        let rows = written.map_err(|error| error.of(self.file.path()))?;
        (self.told.on_commit)(entry);
        self.set_writable(None);
        Ok(rows)
    }

    /// Returns how many entries could not be written.
    pub(super) fn unwritten(&self) -> usize {
        self.owed.len() + self.aside.len()
    }

    pub(super) fn count_unwritten(&self) {
        let facts = self.owed.facts() + self.aside.facts();
        self.told.tally.owes(facts);
    }
}
