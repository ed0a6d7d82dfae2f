//! The ledger keeps in Redis what nodes share: bill groups, notice keys, accepted pay-results.
//!
//! Redis is a cache of the nodes' journals and never the only copy. What a value holds is joined with what this node
//! knows before anything is decided or written, so a value that is missing, old or wiped can make a decision slower
//! but never wrong in what this node knows.

mod accepted;
mod answer;
mod batch;
mod compare;
mod resync;

mod held;
mod keys;
mod prepared;
mod presence;
mod progress;
mod seal;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use protocol::Bill;

pub(crate) use compare::Lag;
pub(crate) use held::Held;
use keys::keys;
use prepared::Prepared;
pub(crate) use presence::Presence;
pub(crate) use resync::Resync;
pub(crate) use seal::Seal;

use crate::journal::Entry;
use crate::node::{BookState, Epoch, Local, Node, Others, Resident};
use crate::redis::{OutOfReach, SharedStore, Swap};
use crate::state::codec::Unreadable;
use crate::state::horizon::Horizon;
use crate::{Digests, KeptAnswer, Observer, Timestamp};

/// A swap is tried so often because another node was faster. Nodes compete for one bill only when two of its calls
/// do, so more than a few rounds mean that something is wrong.
const ROUNDS: usize = 16;

/// The resync waits so long for a large answer to be written.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(2);

/// Logged where values have stamps that are ahead.
const STAMPED_AHEAD: &str = "values in Redis have stamps more than 60 s ahead of this node's clock: another node's \
    clock is wrong, or somebody else writes to Redis; what they say is taken, and this node's clock does not follow";

/// Logged where values have no valid checksum.
const WITHOUT_CHECKSUM: &str = "values in Redis have no valid checksum: a node has no key_file or another one, or \
    somebody else writes to Redis; nothing is paid or cancelled because of them";

/// A `Subject` is what one swap writes: a bill's group, its notice key's owners, an accepted pay-result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) bill: &'a Bill,
    pub(crate) accepted: Option<(&'a Digests, &'a KeptAnswer)>,
}

impl<'a> Subject<'a> {
    pub(crate) const fn of(bill: &'a Bill) -> Self {
        Self {
            bill,
            accepted: None,
        }
    }
}

/// A `Share` is Redis as one node uses it.
#[derive(Clone)]
pub(crate) struct Share {
    node: Arc<Node>,
    store: SharedStore,
    watch: Option<Arc<dyn Observer>>,
    /// How long a large answer may take to be written; a call allows it no more time than other values.
    large_value_timeout: Duration,
    seal: Seal,
    /// The time after which a key that is not written is gone: the journal's retention.
    keep: Duration,
}

impl Share {
    pub(crate) fn new(
        node: Arc<Node>,
        (store, seal): (SharedStore, Seal),
        keep: Duration,
        watch: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self {
            node,
            large_value_timeout: store.timeout(),
            store,
            watch,
            seal,
            keep,
        }
    }

    pub(crate) const fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Returns the same for work that no call waits for.
    pub(crate) fn for_background(self) -> Self {
        Self {
            large_value_timeout: BACKGROUND_TIMEOUT,
            ..self
        }
    }

    /// Returns what Redis holds of a bill, in one round trip; with `message`, also the answer with which that
    /// pay-result was accepted. A large answer takes a second one.
    pub(crate) async fn read(
        &self,
        bill: &Bill,
        message: Option<&Digests>,
    ) -> Result<Held, OutOfReach> {
        let mut held = self.read_without_separate(bill, message).await?;
        if let Some(message) = message.filter(|_| held.is_separate) {
            // Boxed: few answers are that large.
            held.accepted = Box::pin(self.get_separate(bill, &message.bytes)).await;
        }
        Ok(held)
    }

    /// Does the same without an answer that is stored separately.
    async fn read_without_separate(
        &self,
        bill: &Bill,
        message: Option<&Digests>,
    ) -> Result<Held, OutOfReach> {
        let epoch = self.node.marks().epoch();
        let keys = keys(bill, message);
        let values = self
            .watched(self.store.get(bill.biller_code().as_str(), &keys))
            .await?;
        self.decode(bill, message, values, epoch)
            .map_err(|Unreadable| unreadable(bill))
    }

    /// Decodes values that were asked for in `epoch`. This node's stamps come after theirs, where they are not more
    /// than a minute ahead of its clock.
    pub(super) fn decode(
        &self,
        bill: &Bill,
        message: Option<&Digests>,
        values: Vec<Option<Bytes>>,
        epoch: Epoch,
    ) -> Result<Held, Unreadable> {
        let now = self.node.now();
        // A clock that has lost its time must not move the stamps of all nodes.
        let horizon = Horizon::at(now.max(self.by_shared_clock(bill, now)));
        let mut held = Held::read(bill, message, values, (&horizon, &self.seal))?;
        held.epoch = epoch;
        if horizon.has_met_ahead() {
            self.node
                .ahead()
                .count(bill.biller_code(), now, STAMPED_AHEAD);
            if let Some(watch) = &self.watch {
                watch.stamps_ahead(1);
            }
        }
        if held.has_invalid {
            (self.node.without_checksum()).count(bill.biller_code(), now, WITHOUT_CHECKSUM);
            if let Some(watch) = &self.watch {
                watch.value_without_checksum();
            }
        }
        let latest = held.family.bills().map(|(_, state)| state.latest()).max();
        self.node.observe(latest.unwrap_or_default());
        Ok(held)
    }

    /// Returns whether Redis holds the bill and takes no writes: other nodes may know more.
    pub(crate) fn refuses_writes(&self, bill: &Bill) -> bool {
        self.store.refuses_writes(bill.biller_code().as_str())
    }

    /// Returns a time of this machine's clock by the clock of the server that has the bill: reservations are made and
    /// judged by that one, so that all nodes judge them alike.
    pub(crate) fn by_shared_clock(&self, bill: &Bill, time: Timestamp) -> Timestamp {
        let ahead = self.store.ahead_millis(bill.biller_code().as_str());
        Timestamp::from_millis(time.millis().saturating_add(ahead))
    }

    /// Joins what this node and Redis know. A conflict of payments that is found there becomes a fact of this node's
    /// first.
    pub(crate) fn join(&self, resident: &Resident, held: &Held) -> Held {
        let mut state = resident.book().lock();
        let local = state.local(resident.bill());
        if self.classify_conflicts(&mut state, &local, held) {
            return held.join(&state.local(resident.bill()).decision_input());
        }
        held.join(&local.decision_input())
    }

    /// Does the same with the other bills that a decision about the bill's link reads; `None` where the journal has
    /// to be asked for them again.
    pub(crate) fn join_with_others(
        &self,
        resident: &Resident,
        others: &Others,
        held: &Held,
    ) -> Option<Held> {
        let mut state = resident.book().lock();
        let local = others.join(resident.bill(), &state)?;
        if self.classify_conflicts(&mut state, &local, held) {
            let local = others.join(resident.bill(), &state)?;
            return Some(held.join(&local.decision_input()));
        }
        Some(held.join(&local.decision_input()))
    }

    /// Classifies the bills of which two nodes took payments. Returns whether there are any.
    fn classify_conflicts(&self, state: &mut BookState, local: &Local, held: &Held) -> bool {
        let group = local.decision_input().bill_group;
        let conflicts = group.map(|group| held.family.conflicts(group));
        let mut has_some = false;
        for fact in conflicts.into_iter().flatten() {
            has_some = true;
            let biller = fact.bill.biller_code();
            tracing::error!(
                biller = biller.as_str(),
                "payments of one bill met that two nodes took: it is an error bill now"
            );
            if let Some(watch) = &self.watch {
                watch.payment_conflict(biller);
            }
            // Folded at once; journalled when it can be, and shared with what follows.
            drop(self.node.record(state, Entry::of(vec![fact])));
        }
        has_some
    }

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
        let prepared = Prepared::new(subject, held, joined, &self.seal);
        let changes = prepared.changes(self.keep);
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
                    values,
                    held.epoch,
                )
                .map(Some)
                .map_err(|Unreadable| unreadable(subject.bill)),
        }
    }

    pub(crate) const fn keep(&self) -> Duration {
        self.keep
    }

    fn watched<T>(
        &self,
        operation: impl Future<Output = Result<T, OutOfReach>>,
    ) -> impl Future<Output = Result<T, OutOfReach>> {
        let began = Instant::now();
        // Looked at rather than awaited here: an `async` block would hold the operation twice.
        operation.inspect(move |outcome| {
            if let Some(watch) = &self.watch {
                let reached = outcome.as_ref().map(|_| ()).map_err(|out| *out);
                watch.redis_operation(began.elapsed(), reached);
            }
        })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

/// Logs a value that this version cannot read; it is neither believed nor overwritten.
fn unreadable(bill: &Bill) -> OutOfReach {
    tracing::error!(
        biller = bill.biller_code().as_str(),
        "a value of Redis is damaged, or was written by a later version"
    );
    OutOfReach::Refused
}
