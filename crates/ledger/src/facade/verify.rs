//! Is what the gateway holds what its facts say, and has the shared state got it?

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Bill, BillerCode};

use super::{Ledger, Node};
use crate::journal::{Audit, Entry, Finding, Reader};
use crate::share::{Lag, Share};
use crate::shared::OutOfReach;
use crate::{Fact, Family, JournalError};

/// Facts whose bills are compared with the shared state in one go.
const BATCH: usize = 512;

/// Bills that are looked at a second time because a call may have been in the middle of them.
const SECOND_LOOK_BOUND: usize = 10_000;

/// After this time a call that was under way has shared its facts.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(2);

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The journal, and its fold beside what the gateway holds.
    pub audit: Audit,
    /// The shared state; `None` where there is none.
    pub shared: Option<Result<SharedDifference, OutOfReach>>,
}

/// How the shared state falls short of this node's journal, in bills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharedDifference {
    /// It has nothing of them.
    pub missing: u64,
    /// It has less of them than this node knows.
    pub behind: u64,
    /// What it has of them cannot be read: it is damaged, or of a later version.
    pub unreadable: u64,
}

impl SharedDifference {
    /// Whether the shared state has all that this node knows.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    fn count(&mut self, lag: Lag) {
        match lag {
            Lag::Missing => self.missing += 1,
            Lag::Behind => self.behind += 1,
            Lag::Unreadable => self.unreadable += 1,
        }
    }
}

/// What became of the wish to write the shared state anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuild {
    /// It has begun, with so many facts; [`Ledger::unshared`] counts down.
    Begun(i64),
    /// There is no shared state: this node folds its journal at every start.
    Alone,
    /// The shared state is out of reach; it is caught up by itself once it is back.
    OutOfReach,
}

/// Checks a journal that no gateway has open; there is no state to compare it with.
///
/// # Errors
/// When it cannot be opened.
pub fn verify_offline(directory: &Path) -> Result<Audit, JournalError> {
    Ok(Reader::read_only(directory)?.audit(|_, _| {}))
}

impl Ledger {
    /// Checks the journal, whether this node's state is its fold, and whether the shared state has
    /// it. Takes as long as reading the whole journal; calls go on meanwhile.
    ///
    /// # Errors
    /// When the journal cannot be read at all.
    pub async fn verify(&self) -> Result<Verified, JournalError> {
        let node = Arc::clone(&self.node);
        let audit = self
            .read_journal(move |reader| audit_with_state(&node, reader))
            .await?;
        let shared = match &self.share {
            Some(share) => Some(self.difference(share).await?),
            None => None,
        };
        Ok(Verified { audit, shared })
    }

    /// Has the shared state written anew from this node's journal, in the background.
    pub fn rebuild(&self) -> Rebuild {
        match &self.share {
            None => Rebuild::Alone,
            Some(share) if !share.store().is_reachable() => Rebuild::OutOfReach,
            Some(_) => {
                self.node.marks().rewind();
                Rebuild::Begun(self.unshared())
            }
        }
    }

    /// Whether the shared state can be reached; `None` where there is none.
    pub fn is_shared_state_reachable(&self) -> Option<bool> {
        self.share
            .as_ref()
            .map(|share| share.store().is_reachable())
    }

    async fn difference(
        &self,
        share: &Share,
    ) -> Result<Result<SharedDifference, OutOfReach>, JournalError> {
        let mut second_look: Vec<Bill> = Vec::new();
        let mut difference = SharedDifference::default();
        let mut after = 0;
        loop {
            let (last, bills) = self
                .read_journal(move |reader| reader.bills_after(after, BATCH))
                .await?;
            let Some(last) = last else { break };
            after = last;
            match self.lagging(share, bills).await {
                Ok(lagging) => {
                    for (bill, lag) in lagging {
                        if second_look.len() < SECOND_LOOK_BOUND {
                            second_look.push(bill);
                        } else {
                            difference.count(lag);
                        }
                    }
                }
                Err(out) => return Ok(Err(out)),
            }
        }
        second_look.sort_unstable();
        second_look.dedup();
        if !second_look.is_empty() {
            tokio::time::sleep(SECOND_LOOK_AFTER).await;
        }
        for bills in second_look.chunks(BATCH) {
            match self.lagging(share, bills.to_vec()).await {
                Ok(lagging) => lagging.iter().for_each(|(_, lag)| difference.count(*lag)),
                Err(out) => return Ok(Err(out)),
            }
        }
        Ok(Ok(difference))
    }

    async fn lagging(
        &self,
        share: &Share,
        bills: Vec<Bill>,
    ) -> Result<Vec<(Bill, Lag)>, OutOfReach> {
        let mut billers: BTreeMap<BillerCode, Vec<Bill>> = BTreeMap::new();
        for bill in bills {
            billers.entry(bill.biller_code()).or_default().push(bill);
        }
        let mut all = Vec::new();
        for (biller, bills) in billers {
            let book = self.node.book(biller);
            let lagging = share.lagging(biller, &book, &bills).await?;
            let named = lagging
                .into_iter()
                .filter_map(|(place, lag)| Some((bills.get(place)?.clone(), lag)));
            all.extend(named);
        }
        Ok(all)
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
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for (_, fact) in facts {
        let family = families.entry(fact.bill.family()).or_default();
        family.entry(&fact.bill).fold(fact);
    }
    let mut differing = Vec::new();
    for family in families.values() {
        for (bill, folded) in family.bills() {
            let book = node.book_of(bill);
            let pages = book.lock();
            if pages.knowledge(bill).get(bill) != Some(folded) {
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
        pages.knowledge(bill).get(bill).cloned().unwrap_or_default()
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
    fn wait_for_queue(&self) -> Result<(), JournalError> {
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
