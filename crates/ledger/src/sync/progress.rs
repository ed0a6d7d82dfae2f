//! The [`Progress`] of the resync is how far it has come in the journal, and what it deferred.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use protocol::BillerCode;
use tokio::sync::watch;

use super::Share;
use super::batch::{Deferred, LargeAnswers, write_batches};
use crate::journal::Rows;
use crate::node::Epoch;
use crate::node::Node;
use crate::{Fact, JournalError, Stamp};

/// So many facts are read at once.
const FACTS_AT_ONCE: usize = 512;

/// Deferred facts are left alone for this time, or for as long as the search took.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// `Progress` is how far the resync has come since it last began at the cursor.
#[derive(Debug)]
pub(super) struct Progress {
    epoch: Epoch,
    /// Rows up to here were visited: they are shared, or deferred.
    visited_up_to: i64,
    /// The billers of which facts are deferred.
    deferred: BTreeMap<BillerCode, Deferred>,
    /// Whether large answers are written. After one that took too long the others are deferred, so that one costs no
    /// more than one wait.
    large: LargeAnswers,
    try_again_at: Option<Instant>,
    /// The billers whose deferred facts were logged.
    logged: BTreeSet<BillerCode>,
}

impl Progress {
    pub(super) const fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            visited_up_to: 0,
            deferred: BTreeMap::new(),
            large: LargeAnswers::Write,
            try_again_at: None,
            logged: BTreeSet::new(),
        }
    }

    /// Goes back to the cursor: deferred facts are tried again.
    pub(super) fn restart(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.visited_up_to = 0;
        self.deferred.clear();
        self.large = LargeAnswers::Write;
        self.try_again_at = None;
    }

    /// Writes every fact up to row `overdue` that no call has shared, and goes on behind those that are deferred.
    pub(super) async fn advance(
        &mut self,
        node: &Node,
        share: &Share,
        overdue: i64,
        stopped: &watch::Receiver<()>,
    ) -> Result<(), JournalError> {
        if self.epoch != node.marks().epoch() || self.may_try_again(share) {
            self.restart(node.marks().epoch());
        }
        let began = Instant::now();
        let reader = node.journal().reader();
        let mut after = self.visited_up_to.max(node.marks().up_to());
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
            self.skip_gaps(node, after, &facts);
            let is_due = |(row, _): &(i64, Fact)| *row <= overdue && !node.marks().is_shared(*row);
            let due = facts.into_iter().filter(is_due).collect();
            let due = self.without_expired(node, due, share);
            self.write_facts(node, share, due).await?;
            self.visited_up_to = last.min(overdue);
            let ends = stopped.has_changed().unwrap_or(true);
            if last > overdue || ends || self.epoch != node.marks().epoch() {
                break;
            }
            after = last;
        }
        if !self.deferred.is_empty() && self.try_again_at.is_none() {
            let pause = began.elapsed().max(TRY_AGAIN_AFTER);
            self.try_again_at = Some(Instant::now() + pause);
        }
        self.log_deferred(node);
        Ok(())
    }

    /// Leaves out the facts that are older than Redis keeps values: the journals answer. What is under way is younger.
    fn without_expired(
        &self,
        node: &Node,
        facts: Vec<(i64, Fact)>,
        share: &Share,
    ) -> Vec<(i64, Fact)> {
        let kept_from = Stamp::time_of(node.now().minus(share.keep().values));
        let (young, expired): (Vec<_>, Vec<_>) = facts
            .into_iter()
            .partition(|(_, fact)| fact.stamp.time >= kept_from);
        for (row, _) in expired {
            let only = Rows {
                first: row,
                last: row,
            };
            node.marks().shared(self.epoch, only);
        }
        young
    }

    /// Returns whether deferred facts are to be tried again now, with a chance to succeed.
    fn may_try_again(&self, share: &Share) -> bool {
        self.try_again_at.is_some_and(|at| Instant::now() >= at)
            && (self.deferred.keys()).any(|biller| share.store().reaches(biller.as_str()))
    }

    /// Marks rows that are gone as shared: they were forgotten with their bills.
    fn skip_gaps(&self, node: &Node, after: i64, facts: &[(i64, Fact)]) {
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

    async fn write_facts(
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
            if self.deferred.get(&biller) == Some(&Deferred::All) {
                continue;
            }
            if let Some(deferred) =
                write_batches(node, share, biller, &facts, &mut self.large).await?
            {
                let known = self.deferred.entry(biller).or_insert(deferred);
                *known = deferred.max(*known);
            }
        }
        Ok(())
    }

    /// Logs once what is deferred.
    fn log_deferred(&mut self, node: &Node) {
        let behind: BTreeSet<BillerCode> = self.deferred.keys().copied().collect();
        if let Some(first) = behind.difference(&self.logged).next() {
            tracing::warn!(
                billers = behind.len(),
                biller = first.as_str(),
                facts = node.marks().unshared(),
                "facts that cannot be shared now are tried again; those of other billers go on"
            );
        }
        self.logged = behind;
    }
}
