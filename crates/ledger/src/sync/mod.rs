//! The ledger keeps in Redis what nodes share: the state of each bill, which bills are registered under a notice key or
//! in a group, accepted pay-results.
//!
//! Redis is a cache of the nodes' journals and never the only copy. What a value holds is joined with what this node
//! knows before anything is decided or written, so a value that is missing, old or wiped can make a decision slower
//! but never wrong in what this node knows.

mod absences;
mod accepted;
mod answer;
mod batch;
mod compare;
mod resync;

mod held;
mod identities;
mod item;
mod join;
mod keys;
mod lease;
mod missed;
mod old_values;
mod prepared;
mod presence;
mod progress;
mod replica;
mod replication;
mod seal;
mod subject;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use protocol::{Bill, BillerCode};

pub(crate) use compare::Lag;
pub(crate) use held::Held;
pub(crate) use identities::PaymentsInAnyIdentity;
use keys::{KeySet, keys};
pub(crate) use lease::Lease;
use missed::Missed;
use prepared::Prepared;
pub(crate) use presence::Presence;
pub(crate) use replica::ReplicaState;
pub(crate) use replication::{Replication, ReplicationSettings};
pub(crate) use resync::Resync;
pub(crate) use seal::Seal;
pub(crate) use subject::{Keep, Part, Subject};

use crate::node::{Epoch, Node};
use crate::redis::{OutOfReach, SharedStore};
use crate::state::codec::Unreadable;
use crate::state::horizon::Horizon;
use crate::{Digests, Observer, Timestamp};

/// The resync waits so long for a large answer to be written.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(2);

/// Logged where values have stamps that are ahead.
const STAMPED_AHEAD: &str = "values in Redis have stamps more than 60 s ahead of this node's clock: another node's \
    clock is wrong, or somebody else writes to Redis; what they say is taken, and this node's clock does not follow";

/// Logged where values have no valid checksum.
const WITHOUT_CHECKSUM: &str = "values in Redis have no valid checksum: a node has no key_file or another one, or \
    somebody else writes to Redis; nothing is paid or cancelled because of them";

/// A `Share` is Redis as one node uses it.
#[derive(Clone)]
pub(crate) struct Share {
    node: Arc<Node>,
    store: SharedStore,
    watch: Option<Arc<dyn Observer>>,
    /// How long a large answer may take to be written; a call allows it no more time than other values.
    large_value_timeout: Duration,
    seal: Seal,
    keep: Keep,
    replica: Arc<ReplicaState>,
    missed: Arc<Missed>,
}

impl Share {
    pub(crate) fn new(
        node: Arc<Node>,
        (store, seal): (SharedStore, Seal),
        (keep, replica): (Keep, ReplicaState),
        watch: Option<Arc<dyn Observer>>,
    ) -> Self {
        Self {
            node,
            large_value_timeout: store.timeout(),
            store,
            watch,
            seal,
            keep,
            replica: Arc::new(replica),
            missed: Arc::default(),
        }
    }

    pub(crate) const fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Returns what this node and the others have of the facts of all nodes.
    pub(crate) fn replica(&self) -> &ReplicaState {
        &self.replica
    }

    pub(super) const fn seal(&self) -> &Seal {
        &self.seal
    }

    /// An entry of a stream is none of a node, or differs from what is known.
    pub(super) fn refused_entry(&self) {
        if let Some(watch) = &self.watch {
            watch.entry_refused();
        }
    }

    /// A payment is relayed that Redis does not have.
    pub(crate) fn payment_on_one_disk(&self) {
        if let Some(watch) = &self.watch {
            watch.payment_on_one_disk();
        }
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
        let mut held = self
            .read_without_separate(bill, message, Part::State)
            .await?;
        if let Some(message) = message.filter(|_| held.is_separate) {
            // Boxed: few answers are that large.
            held.accepted = Box::pin(self.get_separate(bill, &message.bytes)).await;
        }
        Ok(held)
    }

    /// Returns this part of what Redis holds of a bill, in one round trip.
    pub(crate) async fn read_part(&self, bill: &Bill, part: Part) -> Result<Held, OutOfReach> {
        self.read_without_separate(bill, None, part).await
    }

    /// Returns what Redis holds of a bill, without an answer that is stored separately.
    async fn read_without_separate(
        &self,
        bill: &Bill,
        message: Option<&Digests>,
        part: Part,
    ) -> Result<Held, OutOfReach> {
        let epoch = self.node.marks().epoch();
        let key_set = self.key_set(bill.biller_code(), part);
        let mut keys = keys(bill, message, key_set);
        keys.extend(message.map(lease::key));
        let biller = bill.biller_code();
        let mut values = self.watched(self.store.get(biller.as_str(), &keys)).await?;
        let leased = message.and_then(|message| {
            let value = values.pop().flatten()?;
            self.lease_holder((biller, message), &value)
        });
        let held = self.decode(bill, message, (key_set, values), epoch);
        let mut held = held.map_err(|Unreadable| unreadable(bill))?;
        held.delivered_by = leased;
        // A journal that cannot be written takes nothing from streams.
        if held.is_missing() && self.node.journal().is_writable() {
            // It may have expired, or was evicted: then the journals know, those of other nodes too.
            Box::pin(self.replica.follow_now()).await;
        }
        Ok(held)
    }

    /// Redis has nothing of a bill that this node knows: it is put back soon.
    pub(crate) fn put_back(&self, bill: &Bill) {
        self.missed.add(bill);
    }

    /// Returns which values of a biller's bills are read and written.
    fn key_set(&self, biller: BillerCode, part: Part) -> KeySet {
        KeySet {
            has_links: part == Part::Links,
            has_old: self.store.has_old_values(biller.as_str(), self.node.now()),
        }
    }

    /// Decodes values that were asked for in `epoch`. This node's stamps come after theirs, where they are not more
    /// than a minute ahead of its clock.
    pub(super) fn decode(
        &self,
        bill: &Bill,
        message: Option<&Digests>,
        values: (KeySet, Vec<Option<Bytes>>),
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
        self.node.observe(held.latest());
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

    pub(crate) const fn keep(&self) -> Keep {
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
