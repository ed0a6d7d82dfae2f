//! [`Presence`] finds out whether this node's number is its own: two processes with one number are a journal and its
//! copy.
//!
//! Each node holds a key in Redis with its journal's identity and a number of its process, renewed every five seconds
//! and gone after fifteen. A start that finds the key held with another journal is refused. One that finds it only later,
//! because Redis was out of reach, turns readiness off until the other process has ended.

mod holder;
mod registry;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Seal, Share};
use crate::journal::JournalError;
use crate::node::Node;
use crate::redis::{CommonKey, Key, OutOfReach, SharedStore, Swap};
use crate::{RegisteredNode, Timestamp};
use holder::{Holder, Judgement};

/// A number that is not renewed is held for this time.
const HELD_FOR: Duration = Duration::from_secs(15);

/// It is renewed so often.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// A start waits so long at most to learn whether its number is its own; it goes on without where Redis is out of
/// reach.
const LEARN_WITHIN: Duration = Duration::from_secs(1);

/// It is logged so often that the number is taken.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// A claim is tried so often because the key changed meanwhile.
const ROUNDS: usize = 4;

/// A `Presence` holds the node's number, and gives it up when dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
    is_taken: Arc<AtomicBool>,
}

impl Presence {
    /// Takes the number of this journal's node, or goes on trying where Redis is out of reach.
    ///
    /// # Errors
    /// When another process has it, or there is no thread to hold it.
    fn start(
        node: &Arc<Node>,
        (store, seal): (SharedStore, Seal),
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let journal = node.journal();
        let io_error = |error| JournalError::Io(journal.path().to_path_buf(), error);
        let (learned, first) = channel();
        let is_taken = Arc::new(AtomicBool::new(false));
        let claimant = Claimant {
            node: Arc::clone(node),
            number: journal.node(),
            own: Holder::new(
                journal.identity().clone(),
                RandomState::new().hash_one(std::process::id()),
                now,
            ),
            name: journal.node().to_string(),
            store,
            seal,
            had: false,
            logged: None,
            is_taken: Arc::clone(&is_taken),
        };
        let presence = Self::spawn(claimant, learned, is_taken).map_err(io_error)?;
        // No answer in time, or no thread any more: as where Redis is out of reach.
        match first.recv_timeout(LEARN_WITHIN).ok() {
            Some(Claim::Taken(by)) => Err(JournalError::Refused(
                journal.path().to_path_buf(),
                taken_message(journal.node(), by.as_ref()),
            )),
            Some(Claim::Held | Claim::Unknown) | None => Ok(presence),
        }
    }

    /// Whether another process runs with this node's number.
    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Acquire)
    }

    fn spawn(
        claimant: Claimant,
        learned: Sender<Claim>,
        is_taken: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let thread = thread::Builder::new()
            .name("presence".into())
            .spawn(move || runtime.block_on(claimant.run(learned, stopped)))?;
        Ok(Self {
            stop,
            thread: Some(thread),
            is_taken,
        })
    }
}

impl Share {
    /// Takes this node's number.
    ///
    /// # Errors
    /// When another process has it.
    pub(crate) fn claim_number(&self, now: Timestamp) -> Result<Presence, JournalError> {
        let reached_by = (self.store.clone(), self.seal.clone());
        Presence::start(&self.node, reached_by, now)
    }

    /// Returns the nodes that share the Redis, by their numbers.
    pub(crate) async fn registered_nodes(&self) -> Result<Vec<RegisteredNode>, OutOfReach> {
        registry::read(&self.store, &self.seal).await
    }

    /// Strikes a node off the list.
    pub(crate) async fn unregister_node(&self, number: u32) -> Result<(), OutOfReach> {
        registry::remove(&self.store, &self.seal, number).await
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // Nobody listening means that it has ended.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A `Claim` is the outcome of a claim to the number.
#[derive(Debug)]
enum Claim {
    Held,
    /// By whom, where the value says so.
    Taken(Option<Holder>),
    /// Redis did not say.
    Unknown,
}

/// A `Claimant` claims the number again and again, on its thread.
struct Claimant {
    node: Arc<Node>,
    number: u32,
    own: Holder,
    /// The number as text, which its checksum is over.
    name: String,
    store: SharedStore,
    seal: Seal,
    /// Whether this process has held the number.
    had: bool,
    /// When it was logged that the number is taken.
    logged: Option<Instant>,
    is_taken: Arc<AtomicBool>,
}

impl Claimant {
    async fn run(mut self, learned: Sender<Claim>, mut stopped: watch::Receiver<()>) {
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
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                changed = present.changed(), if has_supervisor => has_supervisor = changed.is_ok(),
                () = tokio::time::sleep(RENEW_EVERY) => {}
            }
            let claim = self.claim().await;
            self.publish(&claim);
            if matches!(claim, Claim::Held) {
                self.register(false).await;
            }
        }
        self.give_up().await;
    }

    async fn claim(&mut self) -> Claim {
        self.try_to_claim().await.unwrap_or(Claim::Unknown)
    }

    async fn try_to_claim(&mut self) -> Result<Claim, OutOfReach> {
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
                    return Ok(Claim::Taken(holder));
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
                    return Ok(Claim::Held);
                }
                Swap::Conflict(mut values) => held = values.pop().flatten(),
            }
        }
        Err(OutOfReach::Busy)
    }

    /// Publishes and logs a change. Where Redis does not answer, nothing changes.
    fn publish(&mut self, claim: &Claim) {
        match claim {
            Claim::Unknown => {}
            Claim::Held => {
                self.logged = None;
                if self.is_taken.swap(false, Ordering::AcqRel) {
                    tracing::warn!(node = self.number, "this node's number is its own again");
                }
            }
            Claim::Taken(by) => {
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
        };
        let _ = registry::put(&self.store, &self.seal, said).await;
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
fn taken_message(number: u32, by: Option<&Holder>) -> String {
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
