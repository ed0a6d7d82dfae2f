//! What this node has of the facts of all nodes, and what the others have: known to those who publish, follow and register.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::absences::Absences;
use crate::{Author, RegisteredNode, Replica, Timestamp};

/// How far this journal's own facts are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Published {
    /// All own facts up to this row of the journal are in the stream.
    pub(crate) row: i64,
    /// Whether Redis took the last entry, as far as is known.
    pub(crate) is_reachable: bool,
}

/// The state of replication on this node.
#[derive(Debug)]
pub(crate) struct ReplicaState {
    author: Author,
    /// An author that has been away for so long is taken to be gone.
    gone_after: Duration,
    state: Mutex<State>,
    published: watch::Sender<Published>,
    nodes: watch::Sender<Vec<RegisteredNode>>,
    since: Instant,
}

#[derive(Debug, Default)]
struct State {
    last: i64,
    known_to: BTreeMap<Author, i64>,
    wanted: BTreeSet<Author>,
    /// When a stream was last read to its end.
    caught_up: BTreeMap<Author, Instant>,
    absences: Absences,
}

impl ReplicaState {
    /// Of this author, whose last fact has the number `last`, and which has the facts of others up to these numbers.
    /// A node that has been away for `gone_after` is taken to be gone.
    pub(crate) fn new(
        author: Author,
        (last, known_to): (i64, Vec<(Author, i64)>),
        gone_after: Duration,
    ) -> Self {
        let others = known_to.into_iter().filter(|(known, _)| *known != author);
        Self {
            author,
            gone_after,
            state: Mutex::new(State {
                last,
                known_to: others.collect(),
                ..State::default()
            }),
            published: watch::Sender::default(),
            nodes: watch::Sender::default(),
            since: Instant::now(),
        }
    }

    pub(crate) const fn author(&self) -> Author {
        self.author
    }

    /// Returns what this node says of itself to the others.
    pub(crate) fn said(&self) -> Replica {
        let state = self.lock();
        Replica {
            author: self.author,
            last: state.last,
            known_to: state
                .known_to
                .iter()
                .map(|(author, number)| (*author, *number))
                .collect(),
            wanted: state.wanted.iter().copied().collect(),
        }
    }

    /// Returns the number up to which this node has another author's facts.
    pub(crate) fn known_to(&self, of: Author) -> i64 {
        self.lock().known_to.get(&of).copied().unwrap_or_default()
    }

    /// This node has another author's facts up to this number.
    pub(crate) fn learn(&self, of: Author, up_to: i64) {
        let mut state = self.lock();
        let known = state.known_to.entry(of).or_default();
        *known = up_to.max(*known);
    }

    /// The own last fact has this number.
    pub(crate) fn own_last(&self, number: i64) {
        let mut state = self.lock();
        state.last = state.last.max(number);
    }

    /// Asks for an author's facts, or not any more. Returns whether that is new.
    pub(crate) fn want(&self, of: Author, is_wanted: bool) -> bool {
        let mut state = self.lock();
        if is_wanted {
            state.wanted.insert(of)
        } else {
            state.wanted.remove(&of)
        }
    }

    /// An author's facts are here as far as anybody has them.
    pub(crate) fn caught_up(&self, of: Author) {
        self.lock().caught_up.insert(of, Instant::now());
    }

    /// Returns for how long this node has not had all facts of each other node that is on the list.
    pub(crate) fn lag(&self) -> Vec<(u32, Duration)> {
        let nodes = self.nodes.borrow();
        let others = nodes.iter().filter(|known| known.node != self.author.node);
        let authors = others.filter_map(|known| Some((known.node, known.replica.as_ref()?.author)));
        let state = self.lock();
        let lag = |(node, author)| {
            let caught_up = state.caught_up.get(&author).unwrap_or(&self.since);
            (node, caught_up.elapsed())
        };
        authors.map(lag).collect()
    }

    /// Returns how far the own facts are published, and its changes.
    pub(crate) fn published(&self) -> watch::Receiver<Published> {
        self.published.subscribe()
    }

    pub(crate) fn publish(&self, change: impl FnOnce(&mut Published)) {
        self.published.send_modify(change);
    }

    /// Returns the nodes that share the Redis, as they were read last, and their changes.
    pub(crate) fn nodes(&self) -> watch::Receiver<Vec<RegisteredNode>> {
        self.nodes.subscribe()
    }

    pub(crate) fn set_nodes(&self, nodes: Vec<RegisteredNode>, now: Timestamp) {
        let authors = |which: fn(&RegisteredNode, Timestamp) -> bool| {
            let nodes = nodes.iter().filter(move |node| which(node, now));
            nodes.filter_map(|node| Some(node.replica.as_ref()?.author))
        };
        let running: BTreeSet<Author> = authors(RegisteredNode::is_running).collect();
        {
            let mut state = self.lock();
            let mut known: BTreeSet<Author> = state.known_to.keys().copied().collect();
            known.extend(authors(|_, _| true));
            state.absences.note(&known, &running);
        }
        self.nodes.send_replace(nodes);
    }

    /// Returns whether it falls to this node to act for an author, `None`: itself. While the author runs, nobody else
    /// does; once it is gone, the running node with the lowest number does.
    pub(crate) fn acts_for(&self, author: Option<Author>, now: Timestamp) -> bool {
        let Some(author) = author.filter(|author| *author != self.author) else {
            return true;
        };
        self.lock().absences.is_away(author, self.gone_after) && self.is_first_running(now)
    }

    /// Returns the authors that are gone, where it falls to this node to act for them.
    pub(crate) fn authors_to_act_for(&self, now: Timestamp) -> Vec<Author> {
        if self.is_first_running(now) {
            self.lock().absences.away(self.gone_after)
        } else {
            Vec::new()
        }
    }

    /// Returns whether no node with a lower number runs.
    fn is_first_running(&self, now: Timestamp) -> bool {
        let nodes = self.nodes.borrow();
        let mut running = nodes.iter().filter(|node| node.is_running(now));
        running.all(|node| node.node >= self.author.node)
    }

    /// Returns whether an author is a running node.
    pub(crate) fn runs(&self, author: Author, now: Timestamp) -> bool {
        let nodes = self.nodes.borrow();
        let mut running = nodes.iter().filter(|node| node.is_running(now));
        running.any(|node| {
            node.replica
                .as_ref()
                .is_some_and(|own| own.author == author)
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
