//! What the shared state missed, lost or forgot, each node writes to it again from its journal.
//!
//! A thread of its own, so that catching up never takes a worker's time. It goes through the
//! journal from the cursor on, in order and in batches, and writes what this node knows of every
//! bill that it meets there. A server that is another than before, or was wiped, rewinds the
//! cursor to the beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use protocol::{Bill, BillerCode};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Held, Prepared, Share, Subject, keys};
use crate::book::Book;
use crate::facade::Node;
use crate::journal::{Cursor, Entry, JournalError, Rows};
use crate::shared::{BillerChanges, Key, OutOfReach, Swap};
use crate::{Fact, FactKind, KeptAnswer, MessageDigest, Timestamp};

/// How often the journal is looked through for facts that are not shared.
const EVERY: Duration = Duration::from_millis(500);

/// Facts in one batch; with their bills' values, well below what a server takes in one go.
const BATCH: usize = 512;

/// A call shares its own facts within this time; only then is it the catch-up's turn.
const CALLS_FIRST: Duration = Duration::from_secs(1);

/// The running thread; ends when dropped.
#[derive(Debug)]
pub(crate) struct CatchUp {
    stop: watch::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl CatchUp {
    /// Starts catching up for a node.
    pub(crate) fn start(node: Arc<Node>, share: Share) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let thread = thread::Builder::new().name("share".into()).spawn(move || {
            runtime.block_on(Worker { node, share }.run(stopped));
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for CatchUp {
    fn drop(&mut self) {
        // The wait below would be for ever without this; nobody listening means it has ended.
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    node: Arc<Node>,
    share: Share,
}

/// Why a round ended early.
#[derive(Debug)]
enum Halt {
    OutOfReach(OutOfReach),
    Journal(JournalError),
}

impl From<OutOfReach> for Halt {
    fn from(out: OutOfReach) -> Self {
        Self::OutOfReach(out)
    }
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl Worker {
    async fn run(&self, mut stopped: watch::Receiver<()>) {
        let mut identity = self.share.store().identity();
        let mut written = Cursor {
            shared_up_to: 0,
            shared_with: String::new(),
        };
        match self.node.journal().reader().cursor() {
            Ok(cursor) => written = cursor,
            Err(error) => tracing::error!(%error, "the cursor of the shared state cannot be read"),
        }
        let mut shared_with = written.shared_with.clone();
        while timeout(EVERY, stopped.changed()).await.is_err() {
            let now = identity
                .borrow_and_update()
                .as_ref()
                .map(ToString::to_string);
            let Some(now) = now else {
                continue;
            };
            if now != shared_with {
                tracing::warn!(
                    "the shared state is another, or was wiped: writing it from the journal"
                );
                self.node.marks().rewind();
                shared_with.clone_from(&now);
            }
            match self.round(&stopped).await {
                Ok(()) => {}
                Err(Halt::OutOfReach(out)) => tracing::warn!(%out, "catching up stopped for now"),
                Err(Halt::Journal(error)) => tracing::error!(%error, "catching up: journal"),
            }
            let cursor = Cursor {
                shared_up_to: self.node.marks().up_to(),
                shared_with: shared_with.clone(),
            };
            if cursor != written {
                // Written when it can be; a cursor that lags makes work twice, never wrong.
                drop(self.node.journal().append(Entry::shared(cursor.clone())));
                written = cursor;
            }
        }
    }

    /// Shares every fact that no call has shared and that is old enough.
    async fn round(&self, stopped: &watch::Receiver<()>) -> Result<(), Halt> {
        let reader = self.node.journal().reader();
        let mut after = self.node.marks().up_to();
        loop {
            let facts = reader.facts_after(after, BATCH)?;
            let Some((last, _)) = facts.last() else {
                return Ok(());
            };
            self.pass_over_gaps(after, &facts);
            after = *last;
            let old_enough = Timestamp::now().minus(CALLS_FIRST);
            let due: Vec<(i64, Fact)> = facts
                .into_iter()
                .filter(|(row, fact)| {
                    fact.stamp.timestamp() <= old_enough && !self.node.marks().is_shared(*row)
                })
                .collect();
            self.share_all(&due).await?;
            if stopped.has_changed().unwrap_or(true) {
                return Ok(());
            }
        }
    }

    /// Rows that are gone were forgotten with their bills: there is nothing to share of them.
    fn pass_over_gaps(&self, after: i64, facts: &[(i64, Fact)]) {
        let mut next = after + 1;
        for (row, _) in facts {
            if *row > next {
                let epoch = self.node.marks().epoch();
                self.node.marks().shared(
                    epoch,
                    Rows {
                        first: next,
                        last: *row - 1,
                    },
                );
            }
            next = *row + 1;
        }
    }

    async fn share_all(&self, facts: &[(i64, Fact)]) -> Result<(), Halt> {
        let mut billers: BTreeMap<BillerCode, Vec<&(i64, Fact)>> = BTreeMap::new();
        for fact in facts {
            billers
                .entry(fact.1.bill.biller_code())
                .or_default()
                .push(fact);
        }
        for (biller, facts) in billers {
            let epoch = self.node.marks().epoch();
            self.share_biller(biller, &facts).await?;
            for (row, _) in facts {
                self.node.marks().shared(
                    epoch,
                    Rows {
                        first: *row,
                        last: *row,
                    },
                );
            }
        }
        Ok(())
    }

    async fn share_biller(&self, biller: BillerCode, facts: &[&(i64, Fact)]) -> Result<(), Halt> {
        let book = self.node.book(biller);
        let bills: BTreeSet<&Bill> = facts.iter().map(|(_, fact)| &fact.bill).collect();
        let messages: BTreeMap<&MessageDigest, &Bill> = facts
            .iter()
            .filter_map(|(_, fact)| match &fact.kind {
                FactKind::Delivery { message, .. } => Some((message, &fact.bill)),
                _ => None,
            })
            .collect();
        let mut answers: Vec<(&Bill, &MessageDigest, KeptAnswer)> = Vec::new();
        for (message, bill) in messages {
            if let Some(answer) = self.node.journal().reader().answer(biller, message)? {
                answers.push((bill, message, answer));
            }
        }
        let mut subjects: Vec<Subject<'_>> = answers
            .iter()
            .map(|(bill, message, answer)| Subject {
                bill,
                accepted: Some((message, answer)),
            })
            .collect();
        let accepted: BTreeSet<&Bill> = answers.iter().map(|(bill, ..)| *bill).collect();
        subjects.extend(bills.difference(&accepted).map(|bill| Subject::of(bill)));
        self.write_all(biller, &book, subjects).await
    }

    /// Many bills of one biller: one read, one write, and again those that met another node.
    async fn write_all(
        &self,
        biller: BillerCode,
        book: &Book,
        subjects: Vec<Subject<'_>>,
    ) -> Result<(), Halt> {
        let keys_of = |subject: &Subject<'_>| subject.accepted.map(|(message, _)| *message);
        let messages: Vec<Option<MessageDigest>> = subjects.iter().map(keys_of).collect();
        let keys: Vec<Vec<Key<'_>>> = subjects
            .iter()
            .zip(&messages)
            .map(|(subject, message)| keys(subject.bill, message.as_ref()))
            .collect();
        let all: Vec<Key<'_>> = keys.iter().flatten().copied().collect();
        let mut values = self
            .share
            .store()
            .get(biller.as_str(), &all)
            .await?
            .into_iter();
        let mut helds = Vec::with_capacity(subjects.len());
        for (subject, keys) in subjects.iter().zip(&keys) {
            let raw = values.by_ref().take(keys.len()).collect();
            let held = Held::read(subject.bill, subject.accepted.is_some(), raw);
            helds.push(held.map_err(|_| super::unreadable(subject.bill))?);
        }
        let joined: Vec<Held> = subjects
            .iter()
            .zip(&helds)
            .map(|(subject, held)| self.share.join(book, subject.bill, held))
            .collect();
        let prepared: Vec<Prepared<'_>> = subjects
            .iter()
            .zip(helds.iter().zip(&joined))
            .map(|(subject, (held, joined))| Prepared::new(*subject, held, joined))
            .collect();
        let changes: Vec<_> = prepared
            .iter()
            .map(|one| one.changes(self.share.keep()))
            .collect();
        let due: Vec<usize> = (0..changes.len())
            .filter(|at| !changes[*at].is_empty())
            .collect();
        let swaps: Vec<BillerChanges<'_>> = due
            .iter()
            .map(|at| BillerChanges {
                biller: biller.as_str(),
                changes: &changes[*at],
            })
            .collect();
        let outcomes = self.share.store().swap_many(&swaps).await;
        for (at, outcome) in due.iter().zip(outcomes) {
            if let Swap::Conflict(_) = outcome? {
                let subject = subjects[*at];
                let message = subject.accepted.map(|(message, _)| message);
                let held = self.share.read(subject.bill, message).await?;
                self.share.write(book, subject, held, |_| {}).await?;
            }
        }
        Ok(())
    }
}
