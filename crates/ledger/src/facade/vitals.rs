//! How the ledger stands, for those who watch over it; no call asks for this.

use std::io;

use protocol::{Bill, BillerCode};

use super::{Ledger, undelivered};
use crate::journal::Space;
use crate::{BillState, JournalError, Timestamp};

/// Events of one biller that it has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillerUndelivered {
    /// Whose.
    pub biller: BillerCode,
    /// How many.
    pub events: usize,
    /// Since when the oldest of them waits, by the earliest time that is known of it.
    pub since: Timestamp,
}

impl Ledger {
    /// Transactions that the journal has committed since it was opened.
    pub fn journal_commits(&self) -> u64 {
        self.node.journal().tally().commits()
    }

    /// Facts that the journal could not take yet.
    pub fn journal_backlog_facts(&self) -> u64 {
        self.node.journal().tally().owed_facts()
    }

    /// What the journal takes and what is left; to be asked for where waiting for the file system
    /// holds up nobody.
    ///
    /// # Errors
    /// When the file system does not say.
    pub fn journal_space(&self) -> io::Result<Space> {
        self.node.journal().space()
    }

    /// When the oldest fact was made that is journalled and not in the shared state; `None` where
    /// there is no such fact. Reads the journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn oldest_unshared(&self) -> Result<Option<Timestamp>, JournalError> {
        if self.unshared() == 0 {
            return Ok(None);
        }
        let up_to = self.node.marks().up_to();
        let first = self.node.journal().reader().facts_after(up_to, 1)?;
        Ok(first.first().map(|(_, fact)| fact.stamp.timestamp()))
    }

    /// The billers that have not accepted everything. Goes through all that is undelivered, with
    /// no lock held for longer than one bill takes.
    pub fn undelivered_by_biller(&self) -> Vec<BillerUndelivered> {
        let mut waiting: Vec<BillerUndelivered> = Vec::new();
        for book in self.node.books_of(None) {
            let bills: Vec<Bill> = book.lock().undelivered().cloned().collect();
            for bill in bills {
                let pages = book.lock();
                let state = pages.knowledge(&bill).get(&bill);
                let Some(one) = state.and_then(|state| of_bill(&bill, state)) else {
                    continue;
                };
                match waiting.last_mut() {
                    // A book is one biller's.
                    Some(last) if last.biller == one.biller => {
                        last.events += one.events;
                        last.since = last.since.min(one.since);
                    }
                    _ => waiting.push(one),
                }
            }
        }
        waiting
    }
}

fn of_bill(bill: &Bill, state: &BillState) -> Option<BillerUndelivered> {
    let events = undelivered::not_accepted(bill, state);
    // The clocks of others may be wrong: an event waits since the earliest of its times.
    let since = events
        .iter()
        .flat_map(|one| [Some(one.since()), one.reported_at, Some(one.last_attempt)])
        .flatten()
        .min()?;
    Some(BillerUndelivered {
        biller: bill.biller_code(),
        events: events.len(),
        since,
    })
}
