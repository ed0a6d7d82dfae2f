//! How far the resync has come in the journal, and what it had to leave behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use protocol::BillerCode;
use tokio::sync::watch;

use super::Share;
use super::batch::{Large, Left, write_batches};
use crate::journal::Rows;
use crate::node::Epoch;
use crate::node::Node;
use crate::{Fact, JournalError};

/// Facts that are read in one go.
const FACTS_AT_ONCE: usize = 512;

/// How long what was left behind is left alone; or as long as looking through it took.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How far the resync has come since it last began at the cursor.
#[derive(Debug)]
pub(super) struct Progress {
    epoch: Epoch,
    /// Rows up to here were looked at: they are shared, or left behind.
    looked_at: i64,
    /// The billers of which something was left behind; of those that are closed, everything.
    left_behind: BTreeMap<BillerCode, Left>,
    /// A large answer took too long: the others are left behind too, so that one costs no more
    /// than one wait.
    large: Large,
    try_again_at: Option<Instant>,
    /// The billers of which the log has heard that something is left behind.
    told: BTreeSet<BillerCode>,
}

impl Progress {
    pub(super) const fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            looked_at: 0,
            left_behind: BTreeMap::new(),
            large: Large::Go,
            try_again_at: None,
            told: BTreeSet::new(),
        }
    }

    /// Goes back to the cursor: what was left behind is tried again.
    pub(super) fn begin_anew(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.looked_at = 0;
        self.left_behind.clear();
        self.large = Large::Go;
        self.try_again_at = None;
    }

    /// Shares every fact up to row `ripe` that no call has shared, and goes on behind those that
    /// cannot be.
    pub(super) async fn go_on(
        &mut self,
        node: &Node,
        share: &Share,
        ripe: i64,
        stopped: &watch::Receiver<()>,
    ) -> Result<(), JournalError> {
        if self.epoch != node.marks().epoch() || self.may_try_again(share) {
            self.begin_anew(node.marks().epoch());
        }
        let began = Instant::now();
        let reader = node.journal().reader();
        let mut after = self.looked_at.max(node.marks().up_to());
        loop {
            after = node.marks().shared_behind(after);
            let journalled = node.marks().last();
            let facts = reader.facts_after(after, FACTS_AT_ONCE)?;
            let Some((last, _)) = facts.last() else {
                // The journal had more rows, and they were forgotten.
                let gap = Rows {
                    first: after + 1,
                    last: journalled,
                };
                node.marks().shared(self.epoch, gap);
                break;
            };
            let last = *last;
            self.pass_over_gaps(node, after, &facts);
            let is_due = |(row, _): &(i64, Fact)| *row <= ripe && !node.marks().is_shared(*row);
            let due = facts.into_iter().filter(is_due).collect();
            self.share_all(node, share, due).await?;
            self.looked_at = last.min(ripe);
            let ends = stopped.has_changed().unwrap_or(true);
            if last > ripe || ends || self.epoch != node.marks().epoch() {
                break;
            }
            after = last;
        }
        if !self.left_behind.is_empty() && self.try_again_at.is_none() {
            let pause = began.elapsed().max(TRY_AGAIN_AFTER);
            self.try_again_at = Some(Instant::now() + pause);
        }
        self.record(node);
        Ok(())
    }

    /// Whether it is time, and something that was left behind may go through now.
    fn may_try_again(&self, share: &Share) -> bool {
        self.try_again_at.is_some_and(|at| Instant::now() >= at)
            && (self.left_behind.keys()).any(|biller| share.store().reaches(biller.as_str()))
    }

    /// Rows that are gone were forgotten with their bills: there is nothing to share of them.
    fn pass_over_gaps(&self, node: &Node, after: i64, facts: &[(i64, Fact)]) {
        let mut next = after + 1;
        for (row, _) in facts {
            let gap = Rows {
                first: next,
                last: *row - 1,
            };
            node.marks().shared(self.epoch, gap);
            next = *row + 1;
        }
    }

    async fn share_all(
        &mut self,
        node: &Node,
        share: &Share,
        facts: Vec<(i64, Fact)>,
    ) -> Result<(), JournalError> {
        let mut billers: BTreeMap<BillerCode, Vec<(i64, Fact)>> = BTreeMap::new();
        for fact in facts {
            let of_biller = billers.entry(fact.1.bill.biller_code()).or_default();
            of_biller.push(fact);
        }
        for (biller, facts) in billers {
            if self.left_behind.get(&biller) == Some(&Left::All) {
                continue;
            }
            if let Some(left) = write_batches(node, share, biller, &facts, &mut self.large).await? {
                let known = self.left_behind.entry(biller).or_insert(left);
                *known = left.max(*known);
            }
        }
        Ok(())
    }

    /// Tells the log what is left behind, once.
    fn record(&mut self, node: &Node) {
        let behind: BTreeSet<BillerCode> = self.left_behind.keys().copied().collect();
        if let Some(first) = behind.difference(&self.told).next() {
            tracing::warn!(
                billers = behind.len(),
                biller = first.as_str(),
                facts = node.marks().unshared(),
                "facts that cannot be shared now are tried again; those of other billers go on"
            );
        }
        self.told = behind;
    }
}
