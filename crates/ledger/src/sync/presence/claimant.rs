//! The [`Claimant`] claims a node's number again and again, on its thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::LEARN_WITHIN;
use super::holder::{Holder, Judgement};
use super::registry;
use crate::RegisteredNode;
use crate::node::Node;
use crate::redis::{CommonKey, Key, OutOfReach, SharedStore, Swap};
use crate::sync::{ReplicaState, Seal};

/// A number that is not renewed is held for this time.
const HELD_FOR: Duration = Duration::from_secs(15);

/// It is renewed so often.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// The other nodes hear so often how this one is.
const REGISTER_EVERY: Duration = Duration::from_secs(1);

/// It is logged so often that the number is taken.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// A claim is tried so often because the key changed meanwhile.
const ROUNDS: usize = 4;

/// A `NumberClaim` is the outcome of a claim to the number.
#[derive(Debug)]
pub(super) enum NumberClaim {
    Held,
    /// By whom, where the value says so.
    Taken(Option<Holder>),
    /// Redis did not say.
    Unknown,
}

/// A `Claimant` claims the number again and again, on its thread.
pub(super) struct Claimant {
    pub(super) node: Arc<Node>,
    pub(super) number: u32,
    pub(super) own: Holder,
    /// The number as text, which its checksum is over.
    pub(super) name: String,
    pub(super) store: SharedStore,
    pub(super) seal: Seal,
    pub(super) replica: Arc<ReplicaState>,
    /// Whether this process has held the number.
    pub(super) had: bool,
    /// When it was logged that the number is taken.
    pub(super) logged: Option<Instant>,
    pub(super) is_taken: Arc<AtomicBool>,
}

impl Claimant {
    pub(super) async fn run(
        mut self,
        learned: Sender<NumberClaim>,
        mut stopped: watch::Receiver<()>,
    ) {
        let mut present = self.store.present();
        let tried = async {
            let _ = timeout(LEARN_WITHIN, self.store.tried()).await;
        };
        tokio::select! {
            () = tried => {}
            _ = stopped.changed() => return,
        }
        let first = self.claim().await;
        self.publish(&first);
        // Nothing receives this where the start has gone on.
        let _ = learned.send(first);
        if self.had {
            self.register(false).await;
        }
        let mut has_supervisor = true;
        let mut renewed = Instant::now();
        let mut is_held = self.had;
        loop {
            let mut is_due = false;
            tokio::select! {
                _ = stopped.changed() => break,
                changed = present.changed(), if has_supervisor => {
                    has_supervisor = changed.is_ok();
                    is_due = true;
                }
                () = tokio::time::sleep(REGISTER_EVERY) => {}
            }
            if is_due || renewed.elapsed() >= RENEW_EVERY {
                renewed = Instant::now();
                let claim = self.claim().await;
                self.publish(&claim);
                is_held = matches!(claim, NumberClaim::Held);
            }
            if is_held {
                self.register(false).await;
            }
        }
        self.give_up().await;
    }

    async fn claim(&mut self) -> NumberClaim {
        self.try_to_claim().await.unwrap_or(NumberClaim::Unknown)
    }

    async fn try_to_claim(&mut self) -> Result<NumberClaim, OutOfReach> {
        let mut held = self.store.read_common(self.common()).await?;
        let own = self.sealed();
        for _ in 0..ROUNDS {
            if let Some(value) = held.as_ref().and_then(|value| self.open(value)) {
                let holder = Holder::parse(&value);
                let judged = holder
                    .as_ref()
                    .map(|holder| self.own.judge(holder, self.had));
                // A value of a later version belongs to another process.
                if judged != Some(Judgement::Own) {
                    return Ok(NumberClaim::Taken(holder));
                }
                let other = holder.filter(|holder| self.had && *holder != self.own);
                if let Some(copy) = other {
                    tracing::error!(
                        node = self.number, %copy,
                        "a process that started later took this node's number, on a copy of this journal or on its \
                         original: it is taken back; stop that one"
                    );
                }
            }
            let swapped =
                self.store
                    .swap_common(self.common(), held.as_deref(), &own, Some(HELD_FOR));
            match swapped.await? {
                Swap::Done => {
                    self.had = true;
                    return Ok(NumberClaim::Held);
                }
                Swap::Conflict(mut values) => held = values.pop().flatten(),
            }
        }
        Err(OutOfReach::Busy)
    }

    /// Publishes and logs a change. Where Redis does not answer, nothing changes.
    fn publish(&mut self, claim: &NumberClaim) {
        match claim {
            NumberClaim::Unknown => {}
            NumberClaim::Held => {
                self.logged = None;
                if self.is_taken.swap(false, Ordering::AcqRel) {
                    tracing::warn!(node = self.number, "this node's number is its own again");
                }
            }
            NumberClaim::Taken(by) => {
                self.is_taken.store(true, Ordering::Release);
                let is_due = self
                    .logged
                    .is_none_or(|logged| logged.elapsed() >= LOG_EVERY);
                if is_due {
                    self.logged = Some(Instant::now());
                    tracing::error!(
                        "NOT ready, calls that come are served all the same: {}",
                        taken_message(self.number, by.as_ref())
                    );
                }
            }
        }
    }

    /// Gives the number up, so that the next start finds it free.
    async fn give_up(&self) {
        if self.had {
            let own = self.sealed();
            let gone_after = Duration::from_millis(1);
            // Without Redis it is free after fifteen seconds.
            let _ = self
                .store
                .swap_common(self.common(), Some(&own), &own, Some(gone_after))
                .await;
            self.register(true).await;
        }
    }

    /// Says to the other nodes how this one is. What does not get there now, the next renewal brings.
    async fn register(&self, has_ended: bool) {
        let said = RegisteredNode {
            node: self.number,
            format: registry::FORMAT,
            process: self.own.process(),
            machine: self.own.machine().to_owned(),
            since: self.own.since(),
            seen: self.node.now(),
            has_ended,
            unshared: self.node.marks().unshared(),
            replica: Some(self.replica.said()),
        };
        if let Ok(nodes) = registry::put(&self.store, &self.seal, said).await {
            self.replica.set_nodes(nodes, self.node.now());
        }
    }

    const fn common(&self) -> CommonKey {
        CommonKey::Node(self.number)
    }

    fn sealed(&self) -> Vec<u8> {
        self.seal
            .close("", self.key(), self.own.value().into_bytes())
    }

    /// Returns the content of a value; `None` where no node with this key wrote it.
    fn open(&self, value: &Bytes) -> Option<Bytes> {
        let opened = self.seal.open("", self.key(), value);
        opened.is_valid.then_some(opened.content)
    }

    fn key(&self) -> Key<'_> {
        Key {
            kind: "node",
            name: self.name.as_bytes(),
        }
    }
}

/// Returns the message that the number is taken, and what to do.
pub(super) fn taken_message(number: u32, by: Option<&Holder>) -> String {
    let by = by.map_or_else(
        || "a later version of the gateway".to_owned(),
        Holder::to_string,
    );
    format!(
        "node {number} is running already ({by}), with another journal or in another place: this journal is a copy of \
         that one's, or its original. Stop one of the two. To run both, make this one from a backup with `gateway ledger \
         restore`, which gives it a number of its own. After a gateway was killed and its journal moved, start again in \
         {} s",
        HELD_FOR.as_secs()
    )
}
