//! Replication: every node keeps every fact.
//!
//! Each node publishes its own facts, with all that its journal has beside them, to a stream of its own, and commits the
//! facts of the others' streams to its journal. What a stream does not have any more comes from whoever has it. Facts
//! merge in any order, so nothing here decides anything; an author's facts are taken in the order of their numbers, so a
//! gap is seen.

mod conflicts;
mod entry;
mod followed_streams;
mod follower;
mod own_stream;
mod published;
mod publisher;
mod refill;
mod repeated;
mod takeover;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::Share;
use crate::node::Node;
use follower::Follower;
use publisher::Publisher;
use takeover::Takeover;

/// Facts in one entry, at most.
const FACTS_AT_ONCE: usize = 256;

/// Bytes of pay-results and answers in one entry, about, at most.
const BYTES_AT_ONCE: usize = 128 * 1024;

/// An operation on a stream may take so long.
const WITHIN: Duration = Duration::from_secs(1);

/// The settings of replication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplicationSettings {
    /// The most bytes of this node's stream.
    pub(crate) stream_bytes: u64,
    /// Replicas that must have an entry.
    pub(crate) wait_replicas: u32,
}

impl Share {
    /// Returns whether Redis, or another node, has facts of this journal that it does not have: its disk was rolled back.
    /// Asked at a start; `false` where Redis cannot be reached. It blocks for a second at most.
    pub(crate) fn was_rolled_back(&self) -> bool {
        let share = self.clone();
        let asked = spawn("publish", move || async move {
            let published = timeout(WITHIN, published::published(&share)).await;
            let Ok(Ok(published)) = published else {
                return false;
            };
            let own_last = share.replica().said().last;
            let is_another = published.are_of_another(&share.node.journal().reader(), own_last);
            // What cannot be read now is judged before anything is published.
            is_another.unwrap_or_default()
        });
        asked.is_ok_and(|thread| thread.join().unwrap_or_default())
    }
}

/// The threads of replication, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct Replication {
    stop: watch::Sender<()>,
    threads: Vec<JoinHandle<()>>,
    _takeover: Takeover,
}

impl Replication {
    /// Starts to publish, to follow, and to act for nodes that are gone.
    pub(crate) fn start(
        node: &Arc<Node>,
        share: &Share,
        settings: ReplicationSettings,
    ) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let publisher = Publisher::new(Arc::clone(node), share.clone(), settings);
        let follower = Follower::new(Arc::clone(node), share.clone());
        let publish = {
            let stopped = stopped.clone();
            spawn("publish", move || publisher.run(stopped))?
        };
        let follow = spawn("follow", move || follower.run(stopped))?;
        Ok(Self {
            stop,
            threads: vec![publish, follow],
            _takeover: Takeover::start(Arc::clone(node), share.clone())?,
        })
    }
}

/// Runs a future on a thread of its own.
fn spawn<T: Send + 'static, F: Future<Output = T>>(
    name: &str,
    run: impl FnOnce() -> F + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || runtime.block_on(run()))
}

impl Drop for Replication {
    fn drop(&mut self) {
        // Nobody listening means that both have ended.
        let _ = self.stop.send(());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
