//! A payment that is queued for the journal, as this node understood it by itself.

use bytes::Bytes;

use super::Ledger;
use super::reported::Reported;
use crate::journal::{Commit, Entry};
use crate::node::BookState;
use crate::sync::Held;
use crate::{BillState, PaymentEffect, Stamp, Timestamp};

/// A payment that is folded and queued, as this node understood it by itself.
pub(super) struct Queued {
    pub(super) report: Reported,
    /// What this node knew of the bill without it.
    pub(super) before: Option<BillState>,
    pub(super) taken: PaymentEffect,
    pub(super) mark_ends_at: Option<Timestamp>,
    /// Its own stamp, and one before that: the earliest report decides when a mark ends, so what
    /// Redis knows better is recorded with the earlier one.
    pub(super) stamp: Stamp,
    pub(super) earlier: Stamp,
    pub(super) commit: Commit,
}

impl Ledger {
    /// Folds a payment on what memory has of its bill, and queues it.
    pub(super) fn queue_payment(
        &self,
        state: &mut BookState,
        report: Reported,
        body: &Bytes,
    ) -> Queued {
        let (bill, now) = (&report.bill, report.now);
        let known = state.state(bill);
        let earlier = self.node.stamp(now);
        let taken = report.effect(known, &[]);
        let mark_ends_at = report.mark_ends_at(known);
        // Only what others know is ever compared with it.
        let before = known.filter(|_| self.share.is_some()).cloned();
        // By the clock alone: the order of reports decides which payment is the second one.
        let payment = (self.node).fact(bill, Stamp::default(), now, report.payment(mark_ends_at));
        let stamp = payment.stamp;
        let mut facts = vec![payment];
        if self.share.is_none() {
            // Nobody else can know better.
            let known = state.latest(bill);
            facts.extend(
                taken
                    .classification()
                    .map(|kind| self.node.fact(bill, known, now, kind)),
            );
        }
        let entry = Entry::of(facts)
            .with_context(report.message.context.clone())
            .with_message(bill.biller_code(), report.message.digest, body.clone());
        let commit = self.node.record(state, entry);
        Queued {
            report,
            before,
            taken,
            mark_ends_at,
            stamp,
            earlier,
            commit,
        }
    }
}

impl Queued {
    /// Whether the others know this very report, and have judged the bill or had it judged.
    pub(super) fn is_old_news(&self, held: Option<&Held>) -> bool {
        let theirs = held.and_then(|held| held.state.as_ref());
        theirs.is_some_and(|theirs| {
            let report = self.report.effect(Some(theirs), &[]);
            report == PaymentEffect::Repeated && theirs.classification().is_some()
        })
    }

    /// What this node and the others knew of the bill.
    pub(super) fn known(&self, held: Option<&Held>) -> Option<BillState> {
        let theirs = held.and_then(|held| held.state.clone());
        match (&self.before, theirs) {
            (Some(ours), Some(mut both)) => {
                both.merge(ours);
                Some(both)
            }
            (ours, theirs) => theirs.or_else(|| ours.clone()),
        }
    }
}
