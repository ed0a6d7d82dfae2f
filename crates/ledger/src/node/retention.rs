//! Retention: bills whose last fact is too old are deleted from memory and journal, so that both
//! have a bound. A bill is deleted as a whole, with its pay-results.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use protocol::Bill;

use crate::journal::{Entry, Reader, RefusedChange};
use crate::node::Node;
use crate::{JournalError, Stamp, Timestamp};

/// The pause between two runs with the retention.
const EVERY: Duration = Duration::from_hours(1);

/// How long memory and journal keep link creations that Kakao Pay refused. Redis may lose its last writes in a failover;
/// the resync, which begins within seconds, writes them again from here.
const REFUSED_LINKS_KEPT: Duration = Duration::from_mins(5);

/// The pause between two runs that forget refused link creations.
const REFUSED_LINKS_EVERY: Duration = Duration::from_mins(1);

/// The number of bills deleted in one commit. It bounds the time that calls wait behind it.
const BATCH: usize = 500;

/// The retention thread. Its drop ends the thread.
#[derive(Debug)]
pub(crate) struct RetentionThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RetentionThread {
    /// Starts the thread. Once an hour it deletes bills that are older than `retention`; every minute it forgets link
    /// creations that Kakao Pay refused.
    ///
    /// # Errors
    /// When the system cannot start a thread.
    pub(crate) fn start(node: Arc<Node>, retention: Duration, is_shared: bool) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = thread::Builder::new()
            .name("retention".into())
            .spawn(move || {
                let mut ran = Instant::now();
                while stopped.recv_timeout(REFUSED_LINKS_EVERY) == Err(RecvTimeoutError::Timeout) {
                    let before = Timestamp::now().minus(REFUSED_LINKS_KEPT);
                    if let Err(error) = forget_refused_links(&node, before, is_shared) {
                        tracing::error!(%error, "refused link creations could not be forgotten");
                    }
                    if ran.elapsed() >= EVERY {
                        ran = Instant::now();
                        delete_with_retention(&node, retention);
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for RetentionThread {
    fn drop(&mut self) {
        // The closed channel ends the wait of the thread.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn delete_with_retention(node: &Node, retention: Duration) {
    match delete_bills_before(node, Timestamp::now().minus(retention)) {
        Ok(0) => {}
        Ok(bills) => tracing::info!(bills, "bills older than the retention were deleted"),
        Err(error) => {
            tracing::error!(%error, "bills older than the retention could not be deleted");
        }
    }
}

/// Deletes every bill whose last fact is older than `before`. Returns their number.
///
/// # Errors
/// When the journal cannot be read or written.
pub(crate) fn delete_bills_before(node: &Node, before: Timestamp) -> Result<usize, JournalError> {
    let reader = node.journal().reader().another()?;
    let leaving = node.refused().forget_closed_before(before);
    if !leaving.is_empty() {
        let entry = Entry::of(Vec::new()).with_refused(Some(RefusedChange::Leave(leaving)));
        node.journal().append(entry).blocking_committed()?;
    }
    let before = Stamp::time_of(before);
    let mut deleted = 0;
    loop {
        let bills = reader.stale_bills(before, BATCH)?;
        if bills.is_empty() {
            return Ok(deleted);
        }
        node.forget(bills.clone(), before).blocking_committed()?;
        deleted += bills.len();
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
    if is_shared && node.refused_links().has_some(before) {
        // What is decided and not yet written has no row that could be looked up.
        node.wait_for_queue()?;
    }
    let (mut forgotten, mut waiting) = (0, Vec::new());
    let mut committed = Ok(());
    while committed.is_ok() {
        let mut due = node.refused_links().take(before, BATCH);
        if due.is_empty() {
            break;
        }
        if is_shared {
            let is_ready = |candidate: &(i64, Bill)| is_in_redis(node, &reader, &candidate.1);
            let (ready, other): (Vec<_>, Vec<_>) = due.into_iter().partition(is_ready);
            due = ready;
            waiting.extend(other);
        }
        // A bill is there once for each refused creation.
        let due: BTreeSet<Bill> = due.into_iter().map(|(_, bill)| bill).collect();
        let mut bills = Vec::with_capacity(due.len());
        for bill in due {
            if node.forget_refused_links_of(&reader, &bill, before)? {
                bills.push(bill);
            }
        }
        forgotten += bills.len();
        if !bills.is_empty() {
            let commit = node.forget_in_journal(bills, before);
            committed = commit.blocking_committed().map(|_| ());
        }
    }
    node.refused_links().put_back(waiting);
    committed.map(|()| forgotten)
}

/// Whether Redis has all facts of a bill; also `false` where the journal cannot be read now.
fn is_in_redis(node: &Node, reader: &Reader, bill: &Bill) -> bool {
    let rows = reader.rows_of(bill);
    rows.is_ok_and(|rows| rows.into_iter().all(|row| node.marks().is_shared(row)))
}
