//! Bills of which nothing is known but link creations that Kakao Pay refused. Such facts settle to nothing, so they
//! are forgotten soon: a biller that asks for links all day costs memory and disk for minutes, not for the retention.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::Bill;

use super::Node;
use crate::journal::{Entry, Forgotten, ForgottenFacts, Reader};
use crate::{Fact, FactKind, JournalError, Stamp, Timestamp};

/// Bills of one commit. It bounds the time that calls wait behind it.
const BATCH: usize = 256;

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

/// Forgets the bills of which nothing but refused link creations from before `before` is known. Returns their number.
/// With Redis, only bills whose facts it has are forgotten: a reservation of which it lacks the end would stay unknown
/// there.
///
/// # Errors
/// When the journal cannot be read or written.
pub(crate) fn forget(
    node: &Node,
    before: Timestamp,
    is_shared: bool,
) -> Result<usize, JournalError> {
    let before = Stamp::time_of(before);
    let reader = node.journal().reader();
    if is_shared && node.refused_links().has_some(before) {
        // What is decided and not yet written has no row that could be looked up.
        node.wait_for_queue()?;
    }
    let (mut forgotten, mut waiting) = (0, Vec::new());
    let mut outcome = Ok(());
    while outcome.is_ok() {
        let due = node.refused_links().take(before, BATCH);
        if due.is_empty() {
            break;
        }
        // A bill is there once for each refused creation.
        let due: BTreeMap<Bill, i64> = due.into_iter().map(|(time, bill)| (bill, time)).collect();
        let mut bills = Vec::with_capacity(due.len());
        for (bill, time) in due {
            let is_ready = outcome.is_ok() && (!is_shared || is_in_redis(node, &reader, &bill));
            let leaves = is_ready.then(|| leaves(node, &reader, &bill, before));
            match leaves {
                Some(Ok(Some(true))) => bills.push(bill),
                Some(Ok(Some(false))) => {}
                None | Some(Ok(None)) => waiting.push((time, bill)),
                Some(Err(error)) => {
                    waiting.push((time, bill));
                    outcome = Err(error);
                }
            }
        }
        forgotten += bills.len();
        if !bills.is_empty() {
            let entry = Entry::forgotten(Forgotten {
                bills,
                before,
                what: ForgottenFacts::RefusedLinks,
            });
            let committed = node.journal().append(entry).blocking_committed();
            outcome = outcome.and(committed.map(|_| ()));
        }
    }
    node.refused_links().put_back(waiting);
    outcome.map(|()| forgotten)
}

/// Takes a bill out of memory of which nothing is known but refused link creations. Returns whether it was one; `None`
/// where a call needs it.
fn leaves(
    node: &Node,
    reader: &Reader,
    bill: &Bill,
    before: i64,
) -> Result<Option<bool>, JournalError> {
    let book = node.book_of(bill);
    if !book.lock().begin_to_leave(bill) {
        return Ok(None);
    }
    let state = node.state_blocking(reader, bill);
    let mut locked = book.lock();
    match state {
        Ok(state) if state.is_settled_to_nothing() && state.latest().time < before => {
            Ok(Some(locked.leave(bill)))
        }
        other => {
            locked.stay(bill);
            other.map(|_| Some(false))
        }
    }
}

/// Whether Redis has all facts of a bill; also `false` where the journal cannot be read now.
fn is_in_redis(node: &Node, reader: &Reader, bill: &Bill) -> bool {
    let rows = reader.rows_of(bill);
    rows.is_ok_and(|rows| rows.into_iter().all(|row| node.marks().is_shared(row)))
}
