//! Bills of which nothing is known but link creations that Kakao Pay refused. Such facts settle to nothing, so they
//! are forgotten soon: a biller that asks for links all day costs memory and disk for minutes, not for the retention.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::Bill;

use crate::{Fact, FactKind, Stamp, Timestamp};

/// Candidates at most. What comes beyond it is deleted with the retention.
const CANDIDATES_MAX: usize = 1_000_000;

/// The bills with refused link creations, in the order of the refusals. Some have become more since.
#[derive(Debug, Default)]
pub(crate) struct RefusedLinks(Mutex<VecDeque<(i64, Bill)>>);

impl RefusedLinks {
    /// Candidates at most.
    pub(super) const MOST: usize = CANDIDATES_MAX;

    /// Takes over the bills that the journal has with refused creations, as if those were refused at the start.
    pub(super) fn load(&self, bills: Vec<Bill>, now: Timestamp) {
        let mut candidates = self.lock();
        let time = Stamp::time_of(now);
        candidates.extend(bills.into_iter().map(|bill| (time, bill)));
    }

    /// Notes the bill of a refused creation; other facts are passed over.
    pub(crate) fn note(&self, fact: &Fact) {
        if !matches!(fact.kind, FactKind::Released { .. }) {
            return;
        }
        let mut candidates = self.lock();
        if candidates.len() < CANDIDATES_MAX {
            candidates.push_back((fact.stamp.time, fact.bill.clone()));
        }
    }

    /// Whether there are candidates from before a stamp's time.
    pub(crate) fn has_some(&self, before: i64) -> bool {
        let candidates = self.lock();
        candidates.front().is_some_and(|(time, _)| *time < before)
    }

    /// Takes out the first candidates from before a stamp's time, at most `most` of them.
    pub(crate) fn take(&self, before: i64, most: usize) -> Vec<(i64, Bill)> {
        let mut candidates = self.lock();
        let due = candidates.iter().take(most);
        let due = due.take_while(|(time, _)| *time < before).count();
        candidates.drain(..due).collect()
    }

    /// Puts candidates back in front.
    pub(crate) fn put_back(&self, waiting: Vec<(i64, Bill)>) {
        let mut candidates = self.lock();
        for candidate in waiting.into_iter().rev() {
            candidates.push_front(candidate);
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(i64, Bill)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
