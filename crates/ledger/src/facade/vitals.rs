//! How the ledger stands, for those who watch over it; no call asks for this.

use std::io;

use protocol::{Bill, BillerCode};

use super::{Ledger, undelivered};
use crate::journal::Space;
use crate::{BillState, JournalError, Timestamp};

/// The events of one biller that it has not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillerUndelivered {
    /// The biller.
    pub biller: BillerCode,
    /// The number of events.
    pub events: usize,
    /// The earliest time of the oldest event.
    pub since: Timestamp,
}

/// The state of bills in memory, and the look-ups since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Bytes of the state in memory.
    pub bytes: u64,
    /// Look-ups that memory answered.
    pub hits: u64,
    /// Look-ups that read the journal.
    pub misses: u64,
}

impl Ledger {
    /// Returns the figures of the cache; all are zero while there is none before the journal.
    pub fn cache(&self) -> CacheFigures {
        CacheFigures::default()
    }

    /// Returns the number of transactions that the journal has committed since it was opened.
    pub fn journal_commits(&self) -> u64 {
        self.node.journal().tally().commits()
    }

    /// Returns the number of facts that wait because the journal could not be written.
    pub fn journal_backlog_facts(&self) -> u64 {
        self.node.journal().tally().owed_facts()
    }

    /// Returns the size of the journal and the free space of its file system. Call it on a thread that
    /// may block.
    ///
    /// # Errors
    /// When the file system does not answer.
    pub fn journal_space(&self) -> io::Result<Space> {
        self.node.journal().space()
    }

    /// Returns the time of the oldest journalled fact that is not in Redis; `None` where there is
    /// none. Reads the journal, so call it on a thread that may block.
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

    /// Returns the number of bill groups in memory per biller.
    pub fn bill_groups_by_biller(&self) -> Vec<(BillerCode, usize)> {
        self.node.bill_groups_by_biller()
    }

    /// Returns the undelivered events per biller. It locks a biller's state for one bill at a time.
    pub fn undelivered_by_biller(&self) -> Vec<BillerUndelivered> {
        let mut waiting: Vec<BillerUndelivered> = Vec::new();
        for book in self.node.books_of(None) {
            let bills: Vec<Bill> = book.lock().undelivered().cloned().collect();
            for bill in bills {
                let pages = book.lock();
                let state = pages.decision_input(&bill).get(&bill);
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
