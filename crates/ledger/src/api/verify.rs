//! Is what the gateway holds what its facts say, and has the shared state got it?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use protocol::Bill;

use super::Ledger;
use super::difference::{Halt, RedisDifference};
use crate::journal::{Audit, Entry, Finding, Reader};
use crate::node::Node;
use crate::shared::OutOfReach;
use crate::{BillState, Fact, JournalError};

/// The result of a verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The journal, and its fold compared with the state in memory.
    pub audit: Audit,
    /// What Redis lacks; `None` without Redis.
    pub redis: Option<Result<RedisDifference, OutOfReach>>,
}

/// The outcome of a request to rewrite Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// The rewrite started with this many facts; [`Ledger::unshared`] counts down.
    Started(i64),
    /// There is no Redis: this node folds its journal at every start.
    NoRedis,
    /// Redis cannot be reached; the resync writes it once it is back.
    OutOfReach,
}

/// Checks a journal that no gateway has open. There is no state in memory to compare it with.
///
/// # Errors
/// When the journal cannot be opened.
pub fn verify_offline(directory: &Path) -> Result<Audit, JournalError> {
    Ok(Reader::read_only(directory)?.audit(|_, _| {}))
}

impl Ledger {
    /// Checks the journal, compares its fold with the state in memory, and compares Redis with it.
    /// It reads the whole journal; calls are served meanwhile.
    ///
    /// # Errors
    /// When the journal cannot be read at all.
    pub async fn verify(&self) -> Result<Verification, JournalError> {
        let node = Arc::clone(&self.node);
        let audit = self
            .read_journal(move |reader| audit_with_state(&node, reader))
            .await?;
        let redis = match &self.share {
            Some(share) => match self.difference(share).await {
                Ok(difference) => Some(Ok(difference)),
                Err(Halt::OutOfReach(out)) => Some(Err(out)),
                Err(Halt::Journal(error)) => return Err(error),
            },
            None => None,
        };
        Ok(Verification { audit, redis })
    }

    /// Starts a rewrite of Redis from this node's journal, in the background.
    pub fn rebuild(&self) -> Rebuild {
        match &self.share {
            None => Rebuild::NoRedis,
            Some(share) if !share.store().is_reachable() => Rebuild::OutOfReach,
            Some(_) => {
                self.node.marks().rewind();
                Rebuild::Started(self.unshared())
            }
        }
    }

    /// Returns whether Redis can be reached; `None` without Redis.
    pub fn is_redis_reachable(&self) -> Option<bool> {
        self.share
            .as_ref()
            .map(|share| share.store().is_reachable())
    }
}

/// The audit of a journal that this process writes: its fold must be what the node holds.
fn audit_with_state(node: &Node, reader: &Reader) -> Result<Audit, JournalError> {
    node.wait_for_queue()?;
    let mut differing = Vec::new();
    let mut audit = reader.audit(|facts, _| {
        differing.extend(differing_bills(node, &facts));
    });
    for bill in differing {
        if let Some(row) = still_differs(node, reader, &bill)? {
            audit.findings.add(Finding::StateDiffers { row });
        }
    }
    Ok(audit)
}

/// The bills of one customer of which memory holds something else than these facts say; some
/// only because a call is in the middle of them.
fn differing_bills(node: &Node, facts: &[(i64, Fact)]) -> Vec<Bill> {
    let mut folded: BTreeMap<&Bill, BillState> = BTreeMap::new();
    for (_, fact) in facts {
        folded.entry(&fact.bill).or_default().fold(fact);
    }
    let differs = |(bill, folded): &(&Bill, BillState)| {
        let book = node.book_of(bill);
        let state = book.lock();
        let held = state.complete_state(bill);
        held.is_some_and(|held| held != folded)
    };
    let differing = folded.into_iter().filter(differs);
    differing.map(|(bill, _)| bill.clone()).collect()
}

/// Looks again, in an order in which nothing that happens meanwhile can be mistaken: what was held
/// before is in the journal, and what is in the journal is held afterwards.
fn still_differs(node: &Node, reader: &Reader, bill: &Bill) -> Result<Option<i64>, JournalError> {
    let held = || node.book_of(bill).lock().complete_state(bill).cloned();
    let Some(before) = held() else {
        return Ok(None);
    };
    node.wait_for_queue()?;
    let facts = reader.story_of(bill, usize::MAX)?.facts;
    let mut journalled = BillState::default();
    for numbered in &facts {
        journalled.fold(&numbered.fact);
    }
    let Some(after) = held() else {
        return Ok(None);
    };
    let mut with_before = journalled.clone();
    with_before.merge(&before);
    let mut with_journalled = after.clone();
    with_journalled.merge(&journalled);
    let is_same = with_before == journalled && with_journalled == after;
    let row = facts.last().map_or(0, |numbered| numbered.row);
    Ok((!is_same).then_some(row))
}

impl Node {
    /// Ends when everything that was told before is in the journal.
    pub(crate) fn wait_for_queue(&self) -> Result<(), JournalError> {
        self.journal()
            .append(Entry::default())
            .blocking_committed()
            .map(|_| ())
    }
}
