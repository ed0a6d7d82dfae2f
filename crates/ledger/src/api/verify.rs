//! Is what the gateway holds what its facts say, and has the shared state got it?

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::Bill;

use super::Ledger;
use super::difference::{Halt, RedisDifference};
use crate::journal::{Audit, AuditProgress, Auditor, Entry, Finding, Reader};
use crate::node::Node;
use crate::redis::OutOfReach;
use crate::{BillState, JournalError};

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

/// Checks a journal that no gateway has open. There is no state in memory to compare it with. `progress` hears how far it
/// is.
///
/// # Errors
/// When the journal cannot be opened.
pub fn verify_offline(
    directory: &Path,
    mut progress: impl FnMut(AuditProgress),
) -> Result<Audit, JournalError> {
    Ok(Reader::read_only(directory)?.audit(&mut progress))
}

impl Ledger {
    /// Checks the journal, compares its fold with the state in memory, and compares Redis with it.
    /// It reads the whole journal; calls are served meanwhile.
    ///
    /// # Errors
    /// When the journal cannot be read at all.
    pub async fn verify(&self) -> Result<Verification, JournalError> {
        self.verify_watched(|_| {}).await
    }

    /// The same; `progress` hears how far the check of the journal is.
    ///
    /// # Errors
    /// When the journal cannot be read at all.
    pub async fn verify_watched(
        &self,
        progress: impl FnMut(AuditProgress) + Send + 'static,
    ) -> Result<Verification, JournalError> {
        let node = Arc::clone(&self.node);
        let audit = self
            .read_journal(move |reader| audit_with_state(&node, reader, Box::new(progress)))
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

/// How often the log says how far an audit is.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Bills that are looked at a second time, at most.
const DIFFERING: usize = 1_000;

/// The audit of a journal that this process writes: its fold must be what the node holds.
fn audit_with_state(
    node: &Node,
    reader: &Reader,
    watch: Box<dyn FnMut(AuditProgress)>,
) -> Result<Audit, JournalError> {
    // The file is checked whatever is wrong with it: nobody needs that more than when it cannot be written.
    let queued = node.wait_for_queue();
    let mut online = Online {
        node,
        said: Instant::now(),
        watch,
        differing: Vec::new(),
    };
    let mut audit = reader.audit(&mut online);
    if let Err(error) = queued {
        let what = format!("what waits in memory, because the journal cannot be written ({error})");
        audit.unchecked.push(what);
        return Ok(audit);
    }
    for bill in online.differing {
        if let Some(row) = still_differs(node, reader, &bill)? {
            audit.findings.add(Finding::StateDiffers { row });
        }
    }
    Ok(audit)
}

/// An audit beside the calls.
struct Online<'a> {
    node: &'a Node,
    said: Instant,
    watch: Box<dyn FnMut(AuditProgress)>,
    /// The bills of which memory holds something else than the facts say; some only because a call is in the middle of
    /// them.
    differing: Vec<Bill>,
}

impl Auditor for Online<'_> {
    fn bill(&mut self, bill: &Bill, state: &BillState) {
        let book = self.node.book_of(bill);
        let differs = book
            .lock()
            .complete_state(bill)
            .is_some_and(|held| held != state);
        if differs && self.differing.len() < DIFFERING {
            self.differing.push(bill.clone());
        }
    }

    fn progress(&mut self, progress: AuditProgress) {
        (self.watch)(progress);
        if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            let AuditProgress { what, done, of } = progress;
            tracing::info!(what, done, of, "the journal is being verified");
        }
    }
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
