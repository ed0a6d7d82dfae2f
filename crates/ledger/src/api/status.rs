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

impl Ledger {
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

    /// Returns the number of bills of each biller. It reads the journal, so call it on a thread that may block.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn bills_by_biller(&self) -> Result<Vec<(BillerCode, u64)>, JournalError> {
        self.node.journal().reader().another()?.billers()
    }

    /// Returns the undelivered events per biller. It reads the journal, so call it on a thread that may block.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn undelivered_by_biller(&self) -> Result<Vec<BillerUndelivered>, JournalError> {
        let reader = self.node.journal().reader().another()?;
        let mut waiting: Vec<BillerUndelivered> = Vec::new();
        // In the order of billers.
        for bill in self.node.undelivered_bills(&reader, None)? {
            let state = self.node.state_blocking(&reader, &bill)?;
            let Some(one) = of_bill(&bill, &state) else {
                continue;
            };
            match waiting.last_mut() {
                Some(last) if last.biller == one.biller => {
                    last.events += one.events;
                    last.since = last.since.min(one.since);
                }
                _ => waiting.push(one),
            }
        }
        Ok(waiting)
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
