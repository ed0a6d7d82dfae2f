//! The ends of refused pay-results: closed by an operator, delivered, or passed since.

use std::sync::Arc;

use protocol::Bill;

use super::Ledger;
use super::reported::Reported;
use crate::journal::{Commit, RefusedChange};
use crate::state::conflict::GATEWAY;
use crate::sync::Part;
use crate::{BillState, Fact, FactContext, FactKind, JournalError, MessageDigest, Timestamp};
use crate::{RefusedClosing, RefusedOutcome};

/// The end of a refused pay-result, queued for the journal.
#[derive(Debug)]
#[must_use]
pub struct RefusedEnd {
    commits: Vec<(Option<Bill>, Commit)>,
}

impl Ledger {
    /// Ends an open refused pay-result; its bills are no error bills any more, unless for another reason. Everything is
    /// queued for the journal when this function returns. `None` where it is not open.
    pub async fn end_refused(
        &self,
        message: MessageDigest,
        closing: RefusedClosing,
        now: Timestamp,
    ) -> Option<RefusedEnd> {
        // The end comes after all that is known of a bill; where one cannot be read, after what memory has of it.
        let mut residents = Vec::new();
        for bill in self.node.refused().bills(&message) {
            residents.push(self.node.resident(&bill).await);
        }
        self.queue_end(message, closing, now)
    }

    fn queue_end(
        &self,
        message: MessageDigest,
        closing: RefusedClosing,
        now: Timestamp,
    ) -> Option<RefusedEnd> {
        let bills = self.node.refused().close(&message, now)?;
        let kind = FactKind::RefusalClosed {
            message,
            reason: match closing.outcome {
                RefusedOutcome::Closed => closing.reason.clone(),
                outcome => outcome.name().to_owned(),
            },
            operator: closing.operator.clone(),
        };
        let mut change = Some(RefusedChange::Ended {
            message,
            closing,
            at: now,
        });
        let mut bills: Vec<Option<Bill>> = bills.into_iter().map(Some).collect();
        if bills.is_empty() {
            bills.push(None);
        }
        let commits = bills.into_iter().map(|bill| {
            let parts = (change.take(), FactContext::NONE);
            let commit = self.queue_change(bill.as_ref(), kind.clone(), now, parts);
            (bill, commit)
        });
        Some(RefusedEnd {
            commits: commits.collect(),
        })
    }

    /// Closes every open refused pay-result of a bill, also those that other nodes keep.
    ///
    /// # Errors
    /// When it could not be journalled. The state in memory has it.
    pub async fn close_refusals(
        &self,
        bill: &Bill,
        (reason, operator): (String, String),
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        let _resident = self.node.resident(bill).await;
        let known = self.scoped_state(bill).await.state;
        let open: Vec<MessageDigest> = known
            .iter()
            .flat_map(BillState::open_refusals)
            .map(|(message, _)| message)
            .collect();
        for message in open {
            let closing = RefusedClosing {
                outcome: RefusedOutcome::Closed,
                reason: reason.clone(),
                operator: operator.clone(),
            };
            if let Some(end) = self.end_refused(message, closing, now).await {
                self.refused_ended(end).await?;
                continue;
            }
            let kind = FactKind::RefusalClosed {
                message,
                reason: reason.clone(),
                operator: operator.clone(),
            };
            let commit = self.node.record_one(bill, now, kind);
            self.commit_and_share(bill, Part::State, commit).await?;
        }
        Ok(())
    }

    /// Waits until the end of a refused pay-result is on durable storage and, where Redis can be reached, in Redis.
    ///
    /// # Errors
    /// When it could not be journalled. The state in memory has it.
    pub async fn refused_ended(&self, end: RefusedEnd) -> Result<(), Arc<JournalError>> {
        let mut outcome = Ok(());
        for (bill, commit) in end.commits {
            let ended = self.end_of(bill.as_ref(), commit).await;
            outcome = outcome.and(ended);
        }
        outcome
    }

    /// Ends the refused pay-result with these bytes, if there is an open one, because it passed or was accepted. What
    /// does not get into Redis now, the resync brings.
    pub fn end_refused_by_itself(
        &self,
        message: MessageDigest,
        outcome: RefusedOutcome,
        now: Timestamp,
    ) {
        if self.node.refused().is_open(&message) {
            let closing = RefusedClosing {
                outcome,
                reason: String::new(),
                operator: GATEWAY.to_owned(),
            };
            // The writer commits in order; nobody has to wait for it.
            drop(self.queue_end(message, closing, now));
        }
    }

    /// The same bytes were refused by another node, which keeps them: here they passed.
    pub(super) fn end_of_refusal_elsewhere(
        &self,
        report: &Reported,
        known: Option<&BillState>,
    ) -> Option<Fact> {
        let is_open = known?
            .open_refusals()
            .any(|(open, _)| open == report.message.digest);
        if !is_open || self.node.refused().is_open(&report.message.digest) {
            return None;
        }
        let kind = FactKind::RefusalClosed {
            message: report.message.digest,
            reason: RefusedOutcome::Passed.name().to_owned(),
            operator: GATEWAY.to_owned(),
        };
        let latest = known?.latest();
        Some(self.node.fact(&report.bill, latest, report.now, kind))
    }

    /// Ends the entries of these that another node ended: the same bytes passed there.
    pub async fn learn_ends_of_refused(&self, entries: &[MessageDigest], now: Timestamp) {
        let Some(share) = &self.share else {
            return;
        };
        for message in entries {
            for bill in self.node.refused().bills(message) {
                let Ok(held) = share.read(&bill, Some(&(*message).into())).await else {
                    return;
                };
                // Its acceptance, or the end of its refusal, which the same bytes brought when they passed.
                let Ok(resident) = self.node.resident(&bill).await else {
                    return;
                };
                let joined = held.join(&bill, &resident.local());
                let mut open = joined.state.iter().flat_map(BillState::open_refusals);
                if held.accepted.is_some() || !open.any(|(open, _)| open == *message) {
                    self.end_refused_by_itself(*message, RefusedOutcome::Passed, now);
                    break;
                }
            }
        }
    }
}
