//! The resync writes to Redis, from the journal, what Redis missed or lost.
//!
//! It runs on a thread of its own, so that it never takes a worker's time. It goes through the journal from the
//! cursor on, in order and in batches, and writes what this node knows of every bill that it finds there. A server
//! that is another than before, or was wiped, rewinds the cursor to the beginning. Facts that cannot be written now
//! are deferred and tried again.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use protocol::{Bill, BillerCode};
use tokio::sync::watch;
use tokio::time::timeout;

use super::Share;
use super::batch::write_bills;
use super::progress::Progress;
use crate::journal::{Cursor, Entry};
use crate::node::Node;
use crate::redis::Identity;

/// The journal is searched so often for facts that are not shared.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// Bills of one biller that are put back at once.
const BILLS_AT_ONCE: usize = 64;

/// A call writes its own facts within this time; later it is the resync's turn.
const OWN_CALL_WITHIN: Duration = Duration::from_secs(1);

/// `Resync` is the running thread, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Resync {
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Resync {
    /// Starts the resync of a node.
    pub(crate) fn start(node: Arc<Node>, share: Share) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let thread = thread::Builder::new().name("share".into()).spawn(move || {
            runtime.block_on(Worker::new(node, share.for_background()).run(stopped));
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Resync {
    fn drop(&mut self) {
        // Without this the wait below would be for ever; an error says that the thread has ended.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    node: Arc<Node>,
    share: Share,
    /// The cursor as it was journalled last.
    written: Cursor,
    /// The servers that have what is marked as shared, those included that are out of reach now.
    shared_with: Option<Identity>,
    /// The servers that were in reach at the last check.
    present: Option<Identity>,
    overdue: Overdue,
    progress: Progress,
}

impl Worker {
    fn new(node: Arc<Node>, share: Share) -> Self {
        let reader = node.journal().reader();
        let written = reader.cursor().unwrap_or_else(|error| {
            tracing::error!(%error, "the sync cursor cannot be read");
            Cursor {
                shared_up_to: 0,
                shared_with: String::new(),
            }
        });
        Self {
            shared_with: Identity::parse(&written.shared_with),
            written,
            present: None,
            // No call of this process is about to share what a former process journalled.
            overdue: Overdue::new(reader.last_row().unwrap_or_default()),
            progress: Progress::new(node.marks().epoch()),
            node,
            share,
        }
    }

    async fn run(mut self, mut stopped: watch::Receiver<()>) {
        let present = self.share.store().present();
        while timeout(CHECK_EVERY, stopped.changed()).await.is_err() {
            match self.node.journal().reader().last_row() {
                Ok(last) => self.overdue.note(last, Instant::now()),
                Err(error) => tracing::error!(%error, "resync: the journal cannot be read"),
            }
            let now = present.borrow().clone();
            self.update_present(now);
            if self.present.is_none() {
                continue;
            }
            let overdue = self.overdue.up_to;
            let round = self
                .progress
                .advance(&self.node, &self.share, overdue, &stopped);
            if let Err(error) = round.await {
                tracing::error!(%error, "resync: the journal cannot be read");
            }
            self.put_back().await;
            self.write_cursor();
        }
    }

    /// Writes what this node knows of the bills that Redis had nothing of.
    async fn put_back(&self) {
        let mut billers: BTreeMap<BillerCode, Vec<Bill>> = BTreeMap::new();
        for bill in self.share.missed.take() {
            billers.entry(bill.biller_code()).or_default().push(bill);
        }
        for (biller, bills) in billers {
            for bills in bills.chunks(BILLS_AT_ONCE) {
                // What cannot be written now is put back when it is missed again.
                let _ = write_bills((&self.node, &self.share), biller, bills).await;
            }
        }
    }

    /// Takes in which servers are in reach. A server that comes into reach is resynced at once; one that is another
    /// than before has nothing of what was shared.
    fn update_present(&mut self, present: Option<Identity>) {
        if self.present != present {
            self.progress.restart(self.node.marks().epoch());
            self.present = present;
        }
        let Some(present) = &self.present else {
            return;
        };
        let updated = self
            .shared_with
            .as_ref()
            .map(|known| known.updated_by(present));
        let updated = updated.unwrap_or_else(|| present.clone());
        if self.shared_with.as_ref() != Some(&updated) {
            tracing::warn!(
                "Redis, or a part of it, is another, or was wiped: writing it from the \
                 journal"
            );
            self.node.marks().rewind();
            self.shared_with = Some(updated);
        }
    }

    fn write_cursor(&mut self) {
        let shared_with = self.shared_with.as_ref();
        let cursor = Cursor {
            shared_up_to: self.node.marks().up_to(),
            shared_with: shared_with.map(ToString::to_string).unwrap_or_default(),
        };
        if cursor != self.written {
            // Written when the journal can take it: with an old cursor facts are written twice, which changes nothing.
            drop(self.node.journal().append(Entry::shared(cursor.clone())));
            self.written = cursor;
        }
    }
}

/// `Overdue` says which rows are old enough to be written by the resync, by a monotonic clock.
struct Overdue {
    up_to: i64,
    /// The last row of the journal at a few moments since then.
    seen: VecDeque<(Instant, i64)>,
}

impl Overdue {
    const fn new(up_to: i64) -> Self {
        Self {
            up_to,
            seen: VecDeque::new(),
        }
    }

    fn note(&mut self, last: i64, now: Instant) {
        while let Some((at, row)) = self.seen.front().copied()
            && now.duration_since(at) >= OWN_CALL_WITHIN
        {
            self.up_to = row;
            self.seen.pop_front();
        }
        self.seen.push_back((now, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_ripe_a_second_after_it_was_seen() {
        let start = Instant::now();
        let mut overdue = Overdue::new(3);
        for (after, last, expected) in [(0, 5, 3), (500, 8, 3), (1_000, 9, 5), (1_600, 9, 8)] {
            overdue.note(last, start + Duration::from_millis(after));
            assert_eq!(overdue.up_to, expected, "{after}");
        }
    }
}
