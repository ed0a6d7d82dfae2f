//! Writes to Redis by compare-and-swap.

use super::{Held, Prepared, Share, Subject, answer, unreadable};
use crate::node::Epoch;
use crate::redis::{OutOfReach, Swap};
use crate::state::codec::Unreadable;

/// A swap is tried so often because another node was faster. Nodes compete for one bill only when two of its calls
/// do, so more than a few rounds mean that something is wrong.
const ROUNDS: usize = 16;

impl Share {
    /// Writes what this node and Redis know of a bill together, beginning with what `held` was. Before each further
    /// round `on_conflict` is called with what other nodes wrote meanwhile. Returns the epoch with which the facts
    /// that were written are marked.
    pub(crate) async fn write(
        &self,
        subject: Subject<'_>,
        mut held: Held,
        mut on_conflict: impl FnMut(&Held),
    ) -> Result<Epoch, OutOfReach> {
        // What cannot be read now, the resync writes later.
        let resident = self.node.resident(subject.bill).await;
        let resident = resident.map_err(|_| OutOfReach::Busy)?;
        let (subject, failure) = self.with_answer(subject, &held).await;
        for _ in 0..ROUNDS {
            let joined = self.join(&resident, &held);
            match self.swap(subject, &held, &joined).await? {
                None => return failure.map_or(Ok(held.epoch), Err),
                Some(meanwhile) => held = meanwhile,
            }
            on_conflict(&held);
        }
        Err(OutOfReach::Busy)
    }

    /// Stores a large answer before the swap that refers to it. Where that fails, the rest is swapped all the same,
    /// and the resync writes the answer.
    async fn with_answer<'a>(
        &self,
        subject: Subject<'a>,
        held: &Held,
    ) -> (Subject<'a>, Option<OutOfReach>) {
        let large = (subject.accepted).filter(|(_, answer)| answer::is_large(answer));
        let is_kept = held.is_separate || held.accepted.is_some();
        let Some((message, answer)) = large.filter(|_| !is_kept) else {
            return (subject, None);
        };
        match self
            .put_separate(subject.bill, &message.bytes, answer)
            .await
        {
            Ok(()) => (subject, None),
            Err(out) => (Subject::of(subject.bill), Some(out)),
        }
    }

    /// Makes one compare-and-swap from `held` to `joined`; returns `None` when done, else what is held instead.
    pub(crate) async fn swap(
        &self,
        subject: Subject<'_>,
        held: &Held,
        joined: &Held,
    ) -> Result<Option<Held>, OutOfReach> {
        let prepared = Prepared::new(subject, held, joined, (&self.seal, self.keep));
        let changes = prepared.changes();
        if changes.is_empty() {
            return Ok(None);
        }
        let biller = subject.bill.biller_code();
        match self
            .watched(self.store.swap(biller.as_str(), &changes))
            .await?
        {
            Swap::Done => Ok(None),
            Swap::Conflict(values) => self
                .decode(
                    subject.bill,
                    subject.accepted.map(|(message, _)| message),
                    (held.key_set, values),
                    held.epoch,
                )
                .map(Some)
                .map_err(|Unreadable| unreadable(subject.bill)),
        }
    }
}
