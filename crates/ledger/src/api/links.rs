//! Links: reserve, settle, share (contract section 4, "Links").

use std::sync::Arc;

use protocol::{Bill, KoreanTime};

use super::Ledger;
use crate::journal::{Commit, Entry};
use crate::node::{Epoch, Resident};
use crate::redis::OutOfReach;
use crate::sync::{Held, Part, Share, Subject};
use crate::{Fact, FactContext, FactKind, JournalError, LinkRefusal, LinkState, Stamp, Timestamp};

/// How often a reservation is tried again because another node was faster with this bill.
const ROUNDS: usize = 16;

/// The lease on a bill for one `link_create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    bill: Bill,
    attempt: Stamp,
    after_unknown: bool,
    context: FactContext,
}

/// The outcome of a relayed `link_create`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkOutcome {
    /// Kakao Pay answered 2xx with `OK`.
    Linked {
        /// The end of the link, from the request.
        expire_at: KoreanTime,
    },
    /// Kakao Pay answered another `res_code`, or was not reached.
    Released,
    /// The outcome is not known: a time-out, or a lost or unreadable answer.
    Unknown,
}

/// What is to be reserved, and until when.
struct Lease<'a> {
    bill: &'a Bill,
    context: FactContext,
    now: Timestamp,
    until: Timestamp,
}

impl Ledger {
    /// Reserves a bill for a `link_create` whose budget ends at `until`. With Redis, a
    /// compare-and-swap there decides between nodes.
    ///
    /// # Errors
    /// The refusal of the contract; [`LinkRefusal::Unavailable`] when the journal cannot be written
    /// or Redis cannot be reached.
    pub async fn reserve(
        &self,
        bill: &Bill,
        context: FactContext,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Reservation, LinkRefusal> {
        self.require_writable(bill)?;
        let lease = Lease {
            bill,
            context,
            now,
            until,
        };
        let resident = self
            .node
            .resident(bill)
            .await
            .map_err(|error| unreadable(&error))?;
        let (reservation, commit) = match &self.share {
            None => self.reserve_here(&resident, lease).await?,
            Some(share) => self.reserve_everywhere(share, &resident, lease).await?,
        };
        if self.node.committed(commit).await.is_err() {
            drop(self.record_settlement(&reservation, &LinkOutcome::Released, now));
            self.share_bill(bill, Part::Links).await;
            return Err(LinkRefusal::Unavailable);
        }
        Ok(reservation)
    }

    async fn reserve_here(
        &self,
        resident: &Resident,
        lease: Lease<'_>,
    ) -> Result<(Reservation, Commit), LinkRefusal> {
        let decided = self.node.decide(resident, |state, local| {
            let known = Held::default().join(lease.bill, local);
            let known = known.decision_input(lease.bill);
            let before = known.may_create(lease.bill, lease.now)?;
            let known = state.latest(lease.bill);
            let (reservation, fact) = self.reservation(&lease, known, before);
            let entry = Entry::of(vec![fact]).with_context(lease.context.clone());
            Ok((reservation, self.node.record(state, entry)))
        });
        let decided = decided.await.map_err(|error| unreadable(&error))?;
        decided.unwrap_or(Err(LinkRefusal::Unavailable))
    }

    /// The swap is what reserves: of two nodes only one can have it. It is a lease, so that it ends
    /// by itself where the node dies before its journal has it.
    async fn reserve_everywhere(
        &self,
        share: &Share,
        resident: &Resident,
        lease: Lease<'_>,
    ) -> Result<(Reservation, Commit), LinkRefusal> {
        let bill = lease.bill;
        let mut held = share
            .read_part(bill, Part::Links)
            .await
            .map_err(|_| LinkRefusal::Unavailable)?;
        let lease = Lease {
            now: share.by_shared_clock(bill, lease.now),
            until: share.by_shared_clock(bill, lease.until),
            ..lease
        };
        for _ in 0..ROUNDS {
            let others = self
                .node
                .others(resident)
                .await
                .map_err(|error| unreadable(&error))?;
            let Some(mut joined) = share.join_with_others(resident, &others, &held) else {
                continue;
            };
            let before = joined.decision_input(bill).may_create(bill, lease.now)?;
            let known = joined.latest();
            let (reservation, fact) = self.reservation(&lease, known, before);
            joined.fold(&fact);
            let swapped = share.swap(Subject::of(bill), &held, &joined).await;
            let swapped = swapped.map_err(|out| {
                if matches!(out, OutOfReach::TooSlow | OutOfReach::Lost) {
                    // Redis may have the reservation: its attempt reached nobody, and would block others for good.
                    let released = LinkOutcome::Released;
                    drop(self.record_settlement(&reservation, &released, lease.now));
                }
                LinkRefusal::Unavailable
            });
            match swapped? {
                None => {
                    let entry = Entry::of(vec![fact]).with_context(lease.context);
                    let commit = self.node.record(&mut resident.book().lock(), entry);
                    return Ok((reservation, commit));
                }
                Some(meanwhile) => held = meanwhile,
            }
        }
        Err(LinkRefusal::Unavailable)
    }

    fn reservation(
        &self,
        lease: &Lease<'_>,
        known: Stamp,
        before: LinkState,
    ) -> (Reservation, Fact) {
        let after_unknown = before == LinkState::Unknown;
        let kind = FactKind::Reserved {
            until: lease.until,
            after_unknown,
        };
        let fact = self.node.fact(lease.bill, known, lease.now, kind);
        let reservation = Reservation {
            bill: lease.bill.clone(),
            attempt: fact.stamp,
            after_unknown,
            context: lease.context.clone(),
        };
        (reservation, fact)
    }

    /// Settles a reservation. The future ends when the fact is on durable storage and, where Redis
    /// can be reached, in Redis.
    ///
    /// # Errors
    /// When the fact could not be journalled. The state in memory has it.
    pub async fn settle(
        &self,
        reservation: &Reservation,
        outcome: &LinkOutcome,
        now: Timestamp,
    ) -> Result<(), Arc<JournalError>> {
        // What it makes of the bill is known where its state is; where it cannot be read, the outcome counts all the same.
        let _resident = self.node.resident(&reservation.bill).await;
        let commit = self.record_settlement(reservation, outcome, now);
        self.commit_and_share(&reservation.bill, Part::Links, commit)
            .await
    }

    /// Tells one fact of a bill that comes after all that Redis holds of it, and shares it. Where Redis is out of
    /// reach, the fact comes after all that this node knows.
    pub(super) async fn record_and_share(
        &self,
        bill: &Bill,
        now: Timestamp,
        kind: FactKind,
        context: FactContext,
    ) -> Result<(), Arc<JournalError>> {
        let part = Part::of(&kind);
        let held = match &self.share {
            Some(share) => (share.read_part(bill, part).await.ok()).map(|held| (share, held)),
            None => None,
        };
        let known = held.as_ref().map(|(_, held)| held.latest());
        let known = known.unwrap_or_default();
        // Without it the fact is told on what is known: no read stands between an operator's word and the journal.
        let _resident = self.node.resident(bill).await;
        let commit = self.node.record_after(bill, known, now, (kind, context));
        let rows = self.node.committed(commit).await?;
        if let Some((share, held)) = held {
            let written = share.write(Subject::of(bill), held, |_| {}).await;
            if let Ok(epoch) = written {
                self.node.marks().shared(epoch, rows);
            }
        }
        Ok(())
    }

    /// Waits for a commit, then writes what is known of the bill to the shared state. What does
    /// not get there now, the catch-up brings.
    pub(super) async fn commit_and_share(
        &self,
        bill: &Bill,
        part: Part,
        commit: Commit,
    ) -> Result<(), Arc<JournalError>> {
        let rows = self.node.committed(commit).await?;
        if let Some(epoch) = self.share_bill(bill, part).await {
            self.node.marks().shared(epoch, rows);
        }
        Ok(())
    }

    /// Writes all that this node knows of the bill to the shared state; answers with what that is
    /// marked, or `None` where it did not get there.
    async fn share_bill(&self, bill: &Bill, part: Part) -> Option<Epoch> {
        let share = self.share.as_ref()?;
        let written = async {
            let held = share.read_part(bill, part).await?;
            share.write(Subject::of(bill), held, |_| {}).await
        };
        written.await.ok()
    }

    /// The link APIs are refused where the journal, or the shared state, takes nothing.
    pub(super) fn require_writable(&self, bill: &Bill) -> Result<(), LinkRefusal> {
        let refuses = |share: &Share| share.refuses_writes(bill);
        if self.is_journal_writable() && !self.share.as_ref().is_some_and(refuses) {
            Ok(())
        } else {
            Err(LinkRefusal::Unavailable)
        }
    }

    fn record_settlement(
        &self,
        reservation: &Reservation,
        outcome: &LinkOutcome,
        now: Timestamp,
    ) -> Commit {
        let attempt = reservation.attempt;
        let kind = match outcome {
            LinkOutcome::Linked { expire_at } => FactKind::Linked {
                attempt,
                expire_at: *expire_at,
            },
            LinkOutcome::Released => FactKind::Released {
                attempt,
                after_unknown: reservation.after_unknown,
            },
            LinkOutcome::Unknown => FactKind::Uncertain { attempt },
        };
        let context = reservation.context.clone();
        self.node
            .record_of_request(&reservation.bill, now, kind, context)
    }
}

pub(super) fn unreadable(error: &JournalError) -> LinkRefusal {
    tracing::error!(%error, "the ledger cannot be read: links are refused");
    LinkRefusal::Unavailable
}
