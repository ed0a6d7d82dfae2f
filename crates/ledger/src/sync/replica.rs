//! What this node has of the facts of all nodes, and what the others have: known to those who publish, follow and register.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::absences::{self, Absences};
use crate::{Author, RegisteredNode, Replica, Timestamp};

/// How far this journal's own facts are published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Published {
    /// All own facts up to this row of the journal are in the stream.
    pub(crate) row: i64,
    /// Whether Redis took the last entry, as far as is known.
    pub(crate) is_reachable: bool,
}

/// The rounds in which the streams of the other nodes are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rounds {
    /// So many were begun.
    begun: u64,
    /// The last of them that came to the end of all streams that can be read.
    ended: u64,
}

/// A call waits so long at most for the streams to be read.
const FOLLOWED_WITHIN: Duration = Duration::from_millis(200);

/// The state of replication on this node.
#[derive(Debug)]
pub(crate) struct ReplicaState {
    author: Author,
    state: Mutex<State>,
    published: watch::Sender<Published>,
    nodes: watch::Sender<Vec<RegisteredNode>>,
    since: Instant,
    /// Of a node that had made no fact at the start: what others had before that.
    awaited: Mutex<Awaited>,
    rounds: watch::Sender<Rounds>,
    round_is_wanted: Notify,
}

/// What a node must have before it is ready.
#[derive(Debug)]
enum Awaited {
    /// It has made no fact yet, and who else there is is not known.
    Unknown,
    /// These authors' facts up to these numbers.
    Facts(Vec<(Author, i64)>),
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
        let others: BTreeMap<Author, i64> = others.collect();
        // One that was stopped while it got the facts of others has none of its own yet.
        let awaited = if last == 0 {
            Awaited::Unknown
        } else {
            Awaited::Facts(Vec::new())
        };
        Self {
            author,
            state: Mutex::new(State {
                last,
                known_to: others,
                absences: Absences::new(gone_after),
                ..State::default()
            }),
            published: watch::Sender::default(),
            nodes: watch::Sender::default(),
            since: Instant::now(),
            awaited: Mutex::new(awaited),
            rounds: watch::Sender::default(),
            round_is_wanted: Notify::new(),
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

    /// Ends when the streams of the other nodes were read to their ends, in a round that begins after this; within 200 ms.
    /// At once where there is no other node.
    pub(crate) async fn follow_now(&self) {
        let has_others = {
            let nodes = self.nodes.borrow();
            nodes
                .iter()
                .any(|known| known.node != self.author.node && known.replica.is_some())
        };
        if !has_others {
            return;
        }
        let mut rounds = self.rounds.subscribe();
        let next = rounds.borrow_and_update().begun + 1;
        self.round_is_wanted.notify_one();
        // What is not read in time, nobody waits for.
        let _ = timeout(FOLLOWED_WITHIN, rounds.wait_for(|now| now.ended >= next)).await;
    }

    /// Ends when a round is wanted.
    pub(crate) async fn round_wanted(&self) {
        self.round_is_wanted.notified().await;
    }

    /// A round begins; returns its number.
    pub(crate) fn begin_round(&self) -> u64 {
        let mut number = 0;
        self.rounds.send_modify(|rounds| {
            rounds.begun += 1;
            number = rounds.begun;
        });
        number
    }

    /// A round came to the end of all streams that can be read.
    pub(crate) fn end_round(&self, number: u64) {
        self.rounds.send_modify(|rounds| rounds.ended = number);
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
        self.await_others(&nodes);
        {
            let mut state = self.lock();
            let known = state.known_to.keys().copied().collect();
            state.absences.note(known, (&nodes, now));
        }
        self.nodes.send_replace(nodes);
    }

    /// Returns whether it falls to this node to act for an author, `None`: itself. While the author runs, nobody else
    /// does; once it is gone, the running node with the lowest number does.
    pub(crate) fn acts_for(&self, author: Option<Author>, now: Timestamp) -> bool {
        let Some(author) = author.filter(|author| *author != self.author) else {
            return true;
        };
        self.lock().absences.is_gone(author) && self.is_first_running(now)
    }

    /// Returns the authors that are gone, where it falls to this node to act for them.
    pub(crate) fn authors_to_act_for(&self, now: Timestamp) -> Vec<Author> {
        if self.is_first_running(now) {
            self.lock().absences.gone()
        } else {
            Vec::new()
        }
    }

    /// Returns whether an author has been away for so long that it is taken to be gone.
    pub(crate) fn is_gone(&self, author: Author) -> bool {
        self.lock().absences.is_gone(author)
    }

    /// Returns whether an author is a running node.
    pub(crate) fn runs(&self, author: Author, now: Timestamp) -> bool {
        absences::runs(&self.nodes.borrow(), author, now)
    }

    fn is_first_running(&self, now: Timestamp) -> bool {
        absences::is_first_running(&self.nodes.borrow(), self.author.node, now)
    }

    /// A new node is to have what the others had when it first heard of them.
    fn await_others(&self, nodes: &[RegisteredNode]) {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*awaited, Awaited::Unknown) {
            return;
        }
        let mut facts: BTreeMap<Author, i64> = BTreeMap::new();
        let others = nodes.iter().filter(|known| known.node != self.author.node);
        for replica in others.filter_map(|known| known.replica.as_ref()) {
            let of_others = replica.known_to.iter().copied();
            for (author, number) in of_others.chain([(replica.author, replica.last)]) {
                let known = facts.entry(author).or_default();
                *known = number.max(*known);
            }
        }
        if facts.values().any(|number| *number > 0) {
            tracing::info!(
                facts = facts.values().copied().fold(0, i64::saturating_add),
                authors = facts.len(),
                "this node is new: it is ready once it has what the other nodes have"
            );
        }
        *awaited = Awaited::Facts(facts.into_iter().collect());
    }

    /// An author's stream was read to its end, and no running node has more: nothing more of it is awaited.
    pub(crate) fn got_all_there_is(&self, of: Author) {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if let Awaited::Facts(facts) = &mut *awaited {
            facts.retain(|(author, _)| *author != of);
        }
    }

    /// Returns whether this node is new and lacks facts that the others had when it first heard of them, or has not heard
    /// of them yet although it may (`may_hear`).
    pub(crate) fn is_catching_up(&self, may_hear: bool) -> bool {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *awaited {
            Awaited::Unknown => may_hear,
            Awaited::Facts(facts) => {
                facts.retain(|(author, number)| {
                    *author != self.author && self.known_to(*author) < *number
                });
                !facts.is_empty()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
