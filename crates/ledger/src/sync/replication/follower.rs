//! The [`Follower`] commits the facts of other nodes to this node's journal.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::followed_streams::FollowedStreams;
use super::refill;
use crate::journal::Reader;
use crate::node::Node;
use crate::sync::Share;
use crate::{Author, RegisteredNode};

/// The streams of running nodes are read so often.
const READ_EVERY: Duration = Duration::from_millis(50);

/// At most so often where calls ask for it.
const AT_MOST_EVERY: Duration = Duration::from_millis(5);

/// Those of others so often.
const READ_OTHERS_EVERY: Duration = Duration::from_secs(2);

/// Follows all other nodes.
pub(super) struct Follower {
    node: Arc<Node>,
    share: Share,
    streams: FollowedStreams,
    last_round: Instant,
}

/// Which streams a round reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Streams {
    /// Those of running nodes, and others now and then.
    Due,
    /// All: a call waits for what they have.
    All,
}

impl Follower {
    pub(super) fn new(node: Arc<Node>, share: Share) -> Self {
        Self {
            streams: FollowedStreams::new(Arc::clone(&node), share.clone()),
            node,
            share,
            last_round: Instant::now(),
        }
    }

    pub(super) async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let reader = match self.node.journal().reader().another() {
            Ok(reader) => reader,
            Err(error) => {
                tracing::error!(%error, "other nodes are not followed: the journal cannot be read");
                return;
            }
        };
        let mut has_more = false;
        loop {
            let share = self.share.clone();
            let which = tokio::select! {
                _ = stopped.changed() => return,
                () = share.replica().round_wanted() => {
                    // One round serves all who ask meanwhile.
                    sleep(AT_MOST_EVERY.saturating_sub(self.last_round.elapsed())).await;
                    Streams::All
                }
                () = sleep(if has_more { Duration::ZERO } else { READ_EVERY }) => Streams::Due,
            };
            self.last_round = Instant::now();
            // What cannot be written waits in its stream.
            has_more = self.node.journal().is_writable() && self.round(&reader, which).await;
            if !has_more {
                self.streams.classify().await;
            }
        }
    }

    /// Reads every stream once, and serves the nodes that ask. Returns whether there was anything to do.
    async fn round(&mut self, reader: &Reader, which: Streams) -> bool {
        let number = self.share.replica().begin_round();
        let nodes = self.share.replica().nodes().borrow().clone();
        let mut has_more = false;
        for author in self.authors(&nodes, which) {
            // Where its server is out of reach, or something else lies under its name, the other streams go on.
            let followed = self.streams.follow(author, &nodes, reader).await;
            has_more |= followed.unwrap_or_default();
        }
        if !has_more {
            self.share.replica().end_round(number);
        }
        has_more | refill::serve(&self.node, &self.share, (&nodes, reader)).await
    }

    /// Returns the authors whose streams are to be read now.
    fn authors(&self, nodes: &[RegisteredNode], which: Streams) -> BTreeSet<Author> {
        let now = self.node.now();
        let own = self.share.replica().author();
        let is_due = |author: &Author| {
            which == Streams::All || self.streams.is_due(*author, READ_OTHERS_EVERY)
        };
        let mut authors = BTreeSet::new();
        for node in nodes {
            let Some(replica) = &node.replica else {
                continue;
            };
            let known = replica.known_to.iter().map(|(author, _)| *author);
            authors.extend(known.filter(is_due));
            if node.is_running(now) || is_due(&replica.author) {
                authors.insert(replica.author);
            }
        }
        authors.remove(&own);
        authors
    }
}
