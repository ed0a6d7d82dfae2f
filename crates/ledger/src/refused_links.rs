//! Bills of which nothing is known but link creations that Kakao Pay refused. Such facts settle to nothing, so they
//! are forgotten soon: a biller that asks for links all day costs memory and disk for minutes, not for the retention.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::Bill;

use crate::facade::Node;
use crate::journal::Reader;
use crate::{Fact, FactKind, JournalError, Stamp, Timestamp};

/// How long memory and journal keep such facts. Redis may lose its last writes in a failover; the resync, which begins
/// within seconds, writes them again from here.
pub(crate) const KEPT_FOR: Duration = Duration::from_mins(5);

/// How long Redis keeps a value that says nothing else: longer than the journals, so that it lacks nothing of theirs.
pub(crate) const KEPT_IN_REDIS_FOR: Duration = Duration::from_mins(15);

/// Candidates at most. What comes beyond it is deleted with the retention.
const CANDIDATES_MAX: usize = 1_000_000;

/// Bills that are forgotten in one commit; it bounds the time that calls wait behind it.
const BATCH: usize = 500;

/// The bills with refused link creations, in the order of the refusals. Some have become more since.
#[derive(Debug, Default)]
pub(crate) struct RefusedLinks(Mutex<VecDeque<(i64, Bill)>>);

impl RefusedLinks {
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

    /// Takes out the first candidates from before a stamp's time, at most a batch of them.
    fn take(&self, before: i64) -> Vec<(i64, Bill)> {
        let mut candidates = self.lock();
        let due = candidates.iter().take(BATCH);
        let due = due.take_while(|(time, _)| *time < before).count();
        candidates.drain(..due).collect()
    }

    /// Puts candidates back in front.
    fn put_back(&self, waiting: Vec<(i64, Bill)>) {
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
pub(crate) fn forget_refused_links(
    node: &Node,
    before: Timestamp,
    is_shared: bool,
) -> Result<usize, JournalError> {
    let before = Stamp::time_of(before);
    let reader = node.journal().reader();
    let (mut forgotten, mut waiting) = (0, Vec::new());
    loop {
        let mut due = node.refused_links().take(before);
        if due.is_empty() {
            break;
        }
        if is_shared {
            let (shared, unshared) = split_by_shared(node, &reader, due)?;
            due = shared;
            waiting.extend(unshared);
        }
        let bills = due.into_iter().map(|(_, bill)| bill);
        let bills: Vec<Bill> = bills
            .filter(|bill| node.forget_in_memory(bill, before))
            .collect();
        forgotten += bills.len();
        if !bills.is_empty() {
            node.forget_in_journal(bills, before).blocking_committed()?;
        }
    }
    node.refused_links().put_back(waiting);
    Ok(forgotten)
}

type Candidates = Vec<(i64, Bill)>;

/// The candidates whose facts are all in Redis, and the others.
fn split_by_shared(
    node: &Node,
    reader: &Reader,
    candidates: Candidates,
) -> Result<(Candidates, Candidates), JournalError> {
    let (mut shared, mut unshared) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let rows = reader.rows_of(&candidate.1)?;
        if rows.into_iter().all(|row| node.marks().is_shared(row)) {
            shared.push(candidate);
        } else {
            unshared.push(candidate);
        }
    }
    Ok((shared, unshared))
}
