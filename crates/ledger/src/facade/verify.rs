//! Is what the gateway holds what its facts say, and has the shared state got it?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use protocol::Bill;

use super::difference::{Halt, RedisDifference};
use super::{Ledger, Node};
use crate::journal::{Audit, Entry, Finding, Reader};
use crate::shared::OutOfReach;
use crate::{BillGroup, Fact, JournalError};

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
    let families_before = node.families();
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
    // Bills come and, with the retention, go meanwhile; only what was there all the time counts.
    let families = families_before.min(node.families());
    let has_unreadable = audit
        .findings
        .kept
        .iter()
        .any(|finding| matches!(finding, Finding::Unreadable { .. }));
    if families > audit.families && !has_unreadable {
        audit.findings.add(Finding::NotJournalled {
            families: families - audit.families,
        });
    }
    Ok(audit)
}

/// The bills of one customer of which the node holds something else than these facts say; some
/// only because a call is in the middle of them.
fn differing_bills(node: &Node, facts: &[(i64, Fact)]) -> Vec<Bill> {
    let mut families: BTreeMap<&str, BillGroup> = BTreeMap::new();
    for (_, fact) in facts {
        let family = families.entry(fact.bill.group_key()).or_default();
        family.entry(&fact.bill).fold(fact);
    }
    let mut differing = Vec::new();
    for family in families.values() {
        for (bill, folded) in family.bills() {
            let book = node.book_of(bill);
            let pages = book.lock();
            if pages.decision_input(bill).get(bill) != Some(folded) {
                differing.push(bill.clone());
            }
        }
    }
    differing
}

/// Looks again, in an order in which nothing that happens meanwhile can be mistaken: what was held
/// before is in the journal, and what is in the journal is held afterwards.
fn still_differs(node: &Node, reader: &Reader, bill: &Bill) -> Result<Option<i64>, JournalError> {
    let held = || {
        let book = node.book_of(bill);
        let pages = book.lock();
        pages
            .decision_input(bill)
            .get(bill)
            .cloned()
            .unwrap_or_default()
    };
    let before = held();
    node.wait_for_queue()?;
    let facts = reader.story_of(bill, usize::MAX)?.facts;
    let mut journalled = crate::BillState::default();
    for numbered in &facts {
        journalled.fold(&numbered.fact);
    }
    let after = held();
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

    fn families(&self) -> usize {
        let books = self.books_of(None);
        books.iter().map(|book| book.lock().families()).sum()
    }
}
