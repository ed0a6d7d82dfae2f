//! A bill that stays in memory, with its whole state, as long as a call needs it.

use std::sync::Arc;

use protocol::Bill;

use super::Node;
use super::book::{Book, BookState};
use super::links::{LinkKey, LinkMoment};
use super::local::Local;
use crate::journal::{Entry, Loaded, Reader, Snapshot};
use crate::{BillState, JournalError};

/// How often a decision reads the index of registered bills again because one of them changed meanwhile.
const ROUNDS: usize = 16;

/// Facts behind a bill's snapshot that make a new one worth its bytes.
const SNAPSHOT_FACTS: usize = 256;

/// Bills that differ in their identity parameters only that are read, at most.
const ALIKE_MAX: usize = 64;

/// Registered bills that are read for one decision: the bill itself, and two others.
const OTHERS_MAX: usize = 3;

/// Keeps a bill in memory. Its drop lets it go.
#[derive(Debug)]
pub(crate) struct Resident {
    book: Arc<Book>,
    bill: Bill,
}

impl Resident {
    /// Returns the book that the bill is in.
    pub(crate) const fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// Returns the bill.
    pub(crate) const fn bill(&self) -> &Bill {
        &self.bill
    }

    /// Returns what this node knows of the bill.
    pub(crate) fn local(&self) -> Local {
        self.book.lock().local(&self.bill)
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        self.book.unpin(&self.bill);
    }
}

/// Bills that may be registered beside the one that a decision is about, as the journal had them at a moment.
pub(crate) struct Others {
    bills: Vec<(Bill, BillState)>,
    moment: LinkMoment,
}

impl Others {
    /// Returns what a decision about the bill reads; `None` where the journal has to be read again.
    pub(crate) fn join(&self, bill: &Bill, state: &BookState) -> Option<Local> {
        state.local_with_others(bill, &self.bills, self.moment)
    }
}

impl Node {
    /// Keeps a bill in memory from now on; its state is loaded where it is not there.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn resident(&self, bill: &Bill) -> Result<Resident, JournalError> {
        let (resident, is_complete) = self.pin(bill);
        if is_complete {
            return Ok(resident);
        }
        if self.knows_nothing_of(bill) {
            self.complete(&resident, Loaded::default());
        } else {
            self.make_room();
            let wanted = bill.clone();
            let read = move |reader: &Reader| reader.load(&wanted);
            let loaded = self.readers().read(bill.biller_code(), read).await?;
            self.complete(&resident, loaded);
        }
        Ok(resident)
    }

    /// Returns the state of a bill, on a thread that may block. Memory keeps what it had.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn state_blocking(
        &self,
        reader: &Reader,
        bill: &Bill,
    ) -> Result<BillState, JournalError> {
        let book = self.book_of(bill);
        let queued = {
            let state = book.lock();
            if let Some(complete) = state.complete_state(bill) {
                return Ok(complete.clone());
            }
            state.state(bill).cloned()
        };
        // What was queued before is in one of the two.
        let mut journalled = reader.load(bill)?.state;
        if let Some(queued) = queued {
            journalled.merge(&queued);
        }
        Ok(journalled)
    }

    /// Reads which other bills are registered under the bill's notice key, or in its group where it has none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn others(&self, resident: &Resident) -> Result<Others, JournalError> {
        let bill = resident.bill.clone();
        let moment = resident.book.lock().link_moment();
        let read = move |reader: &Reader| {
            let found = match LinkKey::of(&bill) {
                LinkKey::Notice(key) => {
                    reader.registered_with_notice_key(bill.biller_code(), key, OTHERS_MAX)?
                }
                LinkKey::Group(_) => reader.registered_like(&bill, OTHERS_MAX)?,
            };
            let others = found.into_iter().filter(|other| *other != bill);
            let with_state = |other: Bill| {
                let state = reader.load(&other)?.state;
                Ok((other, state))
            };
            others
                .map(with_state)
                .collect::<Result<Vec<_>, JournalError>>()
        };
        let biller = resident.bill.biller_code();
        let bills = self.readers().read(biller, read).await?;
        Ok(Others { bills, moment })
    }

    /// Returns the states of the bills that differ from this one in their identity parameters only, and of the bill;
    /// `None` where there are too many.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn in_any_identity(
        &self,
        bill: &Bill,
    ) -> Result<Option<Vec<Local>>, JournalError> {
        let (biller, wanted) = (bill.biller_code(), bill.clone());
        let read = move |reader: &Reader| reader.in_any_identity(&wanted, ALIKE_MAX + 1);
        let alike = self.readers().read(biller, read).await?;
        if alike.len() > ALIKE_MAX {
            return Ok(None);
        }
        let mut states = Vec::with_capacity(alike.len());
        for one in alike {
            states.push(self.resident(&one).await?.local());
        }
        Ok(Some(states))
    }

    /// Takes a decision about a bill's link under the biller's lock, on all that this node knows. `None` is returned
    /// where other links of the biller change too fast.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) async fn decide<T>(
        &self,
        resident: &Resident,
        mut decide: impl FnMut(&mut BookState, &Local) -> T,
    ) -> Result<Option<T>, JournalError> {
        for _ in 0..ROUNDS {
            let others = self.others(resident).await?;
            let mut state = resident.book.lock();
            if let Some(local) = others.join(&resident.bill, &state) {
                return Ok(Some(decide(&mut state, &local)));
            }
        }
        Ok(None)
    }

    fn pin(&self, bill: &Bill) -> (Resident, bool) {
        let book = self.book_of(bill);
        let is_complete = book.lock().pin(bill);
        book.count_look_up(is_complete);
        let bill = bill.clone();
        (Resident { book, bill }, is_complete)
    }

    /// Merges what the journal has of a bill. A payment that was queued while it could not be read is judged now.
    fn complete(&self, resident: &Resident, loaded: Loaded) {
        let Resident { book, bill } = resident;
        if loaded.facts >= SNAPSHOT_FACTS {
            // Nobody waits for it: without it, the next load folds all the facts again.
            drop(
                self.journal()
                    .append(Entry::default().with_snapshot(Snapshot {
                        bill: bill.clone(),
                        up_to: loaded.last_row,
                        state: loaded.state.clone(),
                    })),
            );
        }
        let journalled = loaded.state;
        let mut state = book.lock();
        if !state.complete(bill, journalled) {
            return;
        }
        let conflict = state
            .complete_state(bill)
            .and_then(|known| known.conflict(known, bill));
        if let Some(fact) = conflict {
            drop(self.record(&mut state, Entry::of(vec![fact])));
        }
    }
}
