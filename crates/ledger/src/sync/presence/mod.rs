//! [`Presence`] finds out whether this node's number is its own: two processes with one number are a journal and its
//! copy.
//!
//! Each node holds a key in Redis with its journal's identity and a number of its process, renewed every five seconds
//! and gone after fifteen. A start that finds the key held with another journal is refused. One that finds it only later,
//! because Redis was out of reach, turns readiness off until the other process has ended.

mod claimant;
mod holder;
mod registry;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use super::{ReplicaState, Seal, Share};
use crate::journal::JournalError;
use crate::node::Node;
use crate::redis::{OutOfReach, SharedStore, StreamKey};
use crate::{RegisteredNode, Timestamp};
use claimant::{Claimant, NumberClaim, taken_message};
use holder::Holder;

/// A start waits so long at most to learn whether its number is its own; it goes on without where Redis is out of
/// reach.
const LEARN_WITHIN: Duration = Duration::from_secs(1);

/// The stream of a node that was struck off leaves after this time.
const STREAM_KEPT_FOR: Duration = Duration::from_hours(24);

/// A `Presence` holds the node's number, and gives it up at its end or when dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    stop: watch::Sender<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
        replica: &Arc<ReplicaState>,
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
            replica: Arc::clone(replica),
            had: false,
            logged: None,
            is_taken: Arc::clone(&is_taken),
        };
        let presence = Self::spawn(claimant, learned, is_taken).map_err(io_error)?;
        // No answer in time, or no thread any more: as where Redis is out of reach.
        match first.recv_timeout(LEARN_WITHIN).ok() {
            Some(NumberClaim::Taken(by)) => Err(JournalError::Refused(
                journal.path().to_path_buf(),
                taken_message(journal.node(), by.as_ref()),
            )),
            Some(NumberClaim::Held | NumberClaim::Unknown) | None => Ok(presence),
        }
    }

    /// Whether another process runs with this node's number.
    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Acquire)
    }

    /// Gives the number up and says to the other nodes that this one has ended; blocks for as long as Redis may take.
    pub(crate) fn end(&self) {
        // Nobody listening means that it has ended.
        let _ = self.stop.send(());
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    fn spawn(
        claimant: Claimant,
        learned: Sender<NumberClaim>,
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
            thread: Mutex::new(Some(thread)),
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
        Presence::start(&self.node, reached_by, &self.replica, now)
    }

    /// Returns the nodes that share the Redis, by their numbers.
    pub(crate) async fn registered_nodes(&self) -> Result<Vec<RegisteredNode>, OutOfReach> {
        registry::read(&self.store, &self.seal).await
    }

    /// Strikes a node off the list. Its stream stays for a day: every node has it by then.
    pub(crate) async fn unregister_node(&self, number: u32) -> Result<(), OutOfReach> {
        let nodes = self.registered_nodes().await?;
        let known = nodes.iter().find(|known| known.node == number);
        if let Some(replica) = known.and_then(|known| known.replica.as_ref()) {
            let stream = StreamKey::Facts(replica.author);
            let within = self.store.timeout();
            self.store.expire(stream, STREAM_KEPT_FOR, within).await?;
        }
        registry::remove(&self.store, &self.seal, number).await
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.end();
    }
}
