//! Which authors of facts run, and since when others have not been running.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::{Author, RegisteredNode, Timestamp};

/// The authors that do not run, as this process has seen it: clocks of other machines do not count.
#[derive(Debug, Default)]
pub(super) struct Absences {
    /// An author that has been away for so long is taken to be gone.
    gone_after: Duration,
    since: BTreeMap<Author, Instant>,
}

impl Absences {
    pub(super) const fn new(gone_after: Duration) -> Self {
        Self {
            gone_after,
            since: BTreeMap::new(),
        }
    }

    /// Takes in who of the authors that are `known`, or on the list of nodes, runs at this moment.
    pub(super) fn note(
        &mut self,
        mut known: BTreeSet<Author>,
        (nodes, now): (&[RegisteredNode], Timestamp),
    ) {
        let running: BTreeSet<Author> = running(nodes, now).filter_map(author).collect();
        known.extend(nodes.iter().filter_map(author));
        self.since.retain(|author, _| !running.contains(author));
        for author in known {
            if !running.contains(&author) {
                self.since.entry(author).or_insert_with(Instant::now);
            }
        }
    }

    /// Returns whether an author is gone.
    pub(super) fn is_gone(&self, author: Author) -> bool {
        let since = self.since.get(&author);
        since.is_some_and(|since| since.elapsed() >= self.gone_after)
    }

    /// Returns the authors that are gone.
    pub(super) fn gone(&self) -> Vec<Author> {
        let authors = self.since.keys().copied();
        authors.filter(|author| self.is_gone(*author)).collect()
    }
}

/// Returns whether no node with a lower number than this runs.
pub(super) fn is_first_running(nodes: &[RegisteredNode], node: u32, now: Timestamp) -> bool {
    running(nodes, now).all(|known| known.node >= node)
}

/// Returns whether an author is a running node.
pub(super) fn runs(nodes: &[RegisteredNode], of: Author, now: Timestamp) -> bool {
    running(nodes, now)
        .filter_map(author)
        .any(|known| known == of)
}

fn running(nodes: &[RegisteredNode], now: Timestamp) -> impl Iterator<Item = &RegisteredNode> {
    nodes.iter().filter(move |known| known.is_running(now))
}

fn author(node: &RegisteredNode) -> Option<Author> {
    node.replica.as_ref().map(|replica| replica.author)
}
