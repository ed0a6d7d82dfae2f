//! The one thread that writes: gathers, commits once, wakes everybody who waited.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::owed::Owed;
use super::pace::Pace;
use super::{Entry, JournalError, Rows, row};

/// Entries in one transaction at most.
const GROUP_BOUND: usize = 2_048;

/// How often a journal that failed is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// One entry and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) entry: Entry,
    pub(super) done: oneshot::Sender<Result<Rows, Arc<JournalError>>>,
}

pub(super) fn spawn(
    connection: Connection,
    jobs: Receiver<Job>,
    writable: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("journal".into())
        .spawn(move || {
            let mut writer = Writer {
                connection,
                jobs,
                writable,
                owed: Owed::default(),
                pace: Pace::new(Instant::now()),
            };
            writer.run();
        })
}

struct Writer {
    connection: Connection,
    jobs: Receiver<Job>,
    writable: Arc<AtomicBool>,
    owed: Owed,
    pace: Pace,
}

impl Writer {
    fn run(&mut self) {
        loop {
            let first = match self.next() {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => {
                    self.pay_debts();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let group = self.gather(first);
            self.commit(group);
        }
        self.pay_debts();
        if !self.owed.is_empty() {
            tracing::error!(
                entries = self.owed.len(),
                "closed with entries that were never written"
            );
        }
    }

    fn next(&self) -> Result<Job, RecvTimeoutError> {
        if self.writable.load(Ordering::Acquire) && self.owed.is_empty() {
            self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            self.jobs.recv_timeout(RETRY_EVERY)
        }
    }

    fn gather(&mut self, first: Job) -> Vec<Job> {
        let mut group = vec![first];
        let now = Instant::now();
        let until = now + self.pace.wait_before_commit(now);
        while group.len() < GROUP_BOUND {
            let left = until.saturating_duration_since(Instant::now());
            let more = if left.is_zero() {
                self.jobs.try_recv().ok()
            } else {
                self.jobs.recv_timeout(left).ok()
            };
            match more {
                Some(job) => group.push(job),
                None => break,
            }
        }
        group
    }

    fn commit(&mut self, group: Vec<Job>) {
        self.pay_debts();
        // A journal with debts takes nothing new: the order of facts is the order of rows.
        let outcome = if self.owed.is_empty() {
            write(&mut self.connection, group.iter().map(|job| &job.entry))
        } else {
            Err(JournalError::Sqlite(
                "earlier entries are still owed".into(),
            ))
        };
        match outcome {
            Ok(rows) => {
                self.set_writable(None);
                for (job, rows) in group.into_iter().zip(rows) {
                    // Nobody waiting any more is no fault: the entry is written.
                    let _ = job.done.send(Ok(rows));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                self.set_writable(Some(&error));
                for job in group {
                    self.owed.push(job.entry);
                    let _ = job.done.send(Err(Arc::clone(&error)));
                }
            }
        }
    }

    fn pay_debts(&mut self) {
        while !self.owed.is_empty() {
            let group = self.owed.len().min(GROUP_BOUND);
            if let Err(error) = write(&mut self.connection, self.owed.oldest(group)) {
                self.set_writable(Some(&error));
                return;
            }
            self.owed.paid(group);
            self.set_writable(None);
        }
    }

    fn set_writable(&self, fault: Option<&JournalError>) {
        let was = self.writable.swap(fault.is_none(), Ordering::AcqRel);
        match fault {
            Some(error) if was => {
                tracing::error!(%error, "the journal cannot be written: payments are NOT durable");
            }
            None if !was => {
                tracing::warn!("the journal can be written again; what was owed is in it");
            }
            _ => {}
        }
    }
}

fn write<'a>(
    connection: &mut Connection,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<Vec<Rows>, JournalError> {
    let transaction = connection.transaction()?;
    let rows = entries
        .map(|entry| row::insert(&transaction, entry))
        .collect::<Result<_, _>>()?;
    transaction.commit()?;
    Ok(rows)
}
