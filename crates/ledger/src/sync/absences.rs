//! Since when authors of facts have not been running.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::Author;

/// The authors that do not run, as this process has seen it: clocks of other machines do not count.
#[derive(Debug, Default)]
pub(super) struct Absences(BTreeMap<Author, Instant>);

impl Absences {
    /// Of the authors that are known, these run at this moment.
    pub(super) fn note(&mut self, known: &BTreeSet<Author>, running: &BTreeSet<Author>) {
        let now = Instant::now();
        self.0.retain(|author, _| !running.contains(author));
        for author in known.difference(running) {
            self.0.entry(*author).or_insert(now);
        }
    }

    /// Returns whether an author has not been running for so long.
    pub(super) fn is_away(&self, author: Author, at_least: Duration) -> bool {
        let since = self.0.get(&author);
        since.is_some_and(|since| since.elapsed() >= at_least)
    }

    /// Returns the authors that have not been running for so long.
    pub(super) fn away(&self, at_least: Duration) -> Vec<Author> {
        let authors = self.0.keys().copied();
        authors
            .filter(|author| self.is_away(*author, at_least))
            .collect()
    }
}
