//! The one thread that writes: gathers, commits once, wakes everybody who waited.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::backup::Serving;
use super::file::FileWatch;
use super::insert::Inserter;
use super::job::Job;
use super::owed::Owed;
use super::pace::{self, Pace};
use super::queue::{Nothing, Queue};
use super::tally::Tally;
use super::upkeep::Upkeep;
use super::{Entry, JournalError, OnCommit, Rows};

/// Entries in one transaction at most.
const GROUP_BOUND: usize = 2_048;

/// How often an idle writer looks whether all is well; a journal that failed is tried again then.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often a flush tries again to write what is owed.
const FLUSH_RETRY_EVERY: Duration = Duration::from_millis(100);

/// An entry of a group, and who waits for it.
pub(super) type Waiting = (Entry, oneshot::Sender<Result<Rows, Arc<JournalError>>>);

/// What the writer shares with those who ask it.
pub(super) struct Told {
    pub(super) queue: Arc<Queue>,
    pub(super) writable: Arc<AtomicBool>,
    pub(super) tally: Arc<Tally>,
    pub(super) on_commit: OnCommit,
}

pub(super) fn spawn(
    (connection, inserter): (Connection, Inserter),
    file: FileWatch,
    upkeep: Upkeep,
    told: Told,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new()
        .name("journal".into())
        .spawn(move || {
            let mut writer = Writer {
                connection: Rc::new(connection),
                inserter,
                file,
                upkeep,
                told,
                owed: Owed::default(),
                aside: Owed::default(),
                pace: Pace::new(Instant::now()),
                looked: Instant::now(),
            };
            writer.run();
        })
}

pub(super) struct Writer {
    connection: Rc<Connection>,
    inserter: Inserter,
    pub(super) file: FileWatch,
    upkeep: Upkeep,
    pub(super) told: Told,
    pub(super) owed: Owed,
    /// See [`set_aside`](super::set_aside).
    pub(super) aside: Owed,
    pace: Pace,
    looked: Instant,
}

impl Writer {
    fn run(&mut self) {
        while self.serve(LOOK_EVERY) != Serving::No {}
        self.pay_debts();
        self.write_aside();
        let entries = self.unwritten();
        if entries > 0 {
            tracing::error!(entries, "closed with entries that were never written");
        }
    }

    /// Does the next job, or, where none comes within that time, what is to be done once in a while.
    fn serve(&mut self, within: Duration) -> Serving {
        match self.told.queue.pop(within) {
            Ok(Job::Write { entry, done }) => {
                self.gather((entry, done));
                let (now, file) = (Instant::now(), &mut self.file);
                self.upkeep
                    .give_back_under_load(&self.connection, file, now);
            }
            Ok(other) => self.do_other(other),
            Err(Nothing::Yet) => {
                if self.looked.elapsed() >= LOOK_EVERY {
                    self.looked = Instant::now();
                    self.look_after();
                }
                return Serving::Idle;
            }
            Err(Nothing::Ever) => return Serving::No,
        }
        Serving::Busy
    }

    fn do_other(&mut self, job: Job) {
        match job {
            Job::Write { entry, done } => self.commit(vec![(entry, done)]),
            Job::Flush {
                until,
                done,
                copied,
            } => {
                self.flush(until, done);
                let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
                let _ = self.connection.query_row(checkpoint, [], |_| Ok(()));
                // Nobody waits any more where that took too long.
                let _ = copied.send(());
            }
            Job::Copy(copy) => {
                let connection = Rc::clone(&self.connection);
                copy.run(&connection, |within| self.serve(within));
            }
        }
    }

    /// Takes what comes until it is time to commit; another job among it is done behind the commit.
    fn gather(&mut self, first: Waiting) {
        let mut group = vec![first];
        let mut other = None;
        let within = self.pace.wait_before_commit(Instant::now());
        for job in self
            .told
            .queue
            .pop_group(within, pace::ENOUGH, GROUP_BOUND - 1)
        {
            match job {
                Job::Write { entry, done } => group.push((entry, done)),
                job => other = Some(job),
            }
        }
        self.commit(group);
        if let Some(job) = other {
            self.do_other(job);
        }
    }

    fn commit(&mut self, group: Vec<Waiting>) {
        self.told.tally.is_late_with(self.told.queue.late());
        self.upkeep.look_at_space(Instant::now());
        self.pay_debts();
        // A journal with debts takes nothing new: the order of facts is the order of rows.
        let outcome = if self.owed.is_empty() {
            self.write(group.iter().map(|(entry, _)| entry))
        } else {
            Err(JournalError::earlier_entries_owed())
        };
        match outcome {
            Ok(rows) => {
                self.set_writable(None);
                for ((entry, done), rows) in group.into_iter().zip(rows) {
                    (self.told.on_commit)(&entry);
                    // Nobody waiting any more is no fault: the entry is written.
                    let _ = done.send(Ok(rows));
                }
            }
            Err(error) if error.is_damage() => self.commit_each(group),
            Err(error) => {
                let error = Arc::new(error);
                self.set_writable(Some(&error));
                for (entry, done) in group {
                    self.owed.push(entry);
                    let _ = done.send(Err(Arc::clone(&error)));
                }
                self.count_unwritten();
            }
        }
    }

    fn flush(&mut self, until: Instant, done: oneshot::Sender<usize>) {
        self.pay_debts();
        while !self.owed.is_empty() && Instant::now() < until {
            thread::sleep(FLUSH_RETRY_EVERY);
            self.pay_debts();
        }
        // Nobody listening: the process has given up on us.
        let _ = done.send(self.unwritten());
    }

    /// Once in a while: is the file still ours, and can what is owed be written now? Where all is
    /// well and nobody comes, disk that is not used any more is given back.
    fn look_after(&mut self) {
        let now = Instant::now();
        self.upkeep.look_at_space(now);
        if !self.owed.is_empty() {
            self.pay_debts();
            return;
        }
        if let Err(error) = self.file.look() {
            self.set_writable(Some(&error));
            return;
        }
        self.write_aside();
        let mut more = true;
        while more && self.told.queue.len() == 0 {
            more = self.upkeep.give_back(&self.connection, &mut self.file, now);
        }
    }

    fn pay_debts(&mut self) {
        while !self.owed.is_empty() {
            let group = self.owed.len().min(GROUP_BOUND);
            let written = self.file.look().and_then(|()| {
                let oldest = self.owed.oldest(group);
                let inserter = &mut self.inserter;
                write((&mut self.connection, inserter), &self.told.tally, oldest)
            });
            let paid = match written {
                Ok(_) => {
                    self.owed.oldest(group).for_each(&self.told.on_commit);
                    self.owed.paid(group);
                    self.count_unwritten();
                    Ok(())
                }
                Err(error) if error.is_damage() => self.pay_each(group),
                Err(error) => Err(error),
            };
            if let Err(error) = paid {
                self.set_writable(Some(&error));
                return;
            }
            self.set_writable(None);
        }
    }

    pub(super) fn write<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a Entry>,
    ) -> Result<Vec<Rows>, JournalError> {
        self.file.look()?;
        let connection = (&*self.connection, &mut self.inserter);
        write(connection, &self.told.tally, entries)
    }

    /// Publishes whether the journal can be written.
    pub(super) fn set_writable(&self, fault: Option<&JournalError>) {
        // One commit is no recovery while entries wait that their calls have given up.
        if fault.is_none() && self.told.queue.late() > 0 {
            return;
        }
        if fault.is_none() && !self.aside.is_empty() {
            // Those who look after the gateway must look after its disk.
            self.told.writable.store(false, Ordering::Release);
            return;
        }
        let was = self.told.writable.swap(fault.is_none(), Ordering::AcqRel);
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
    (connection, inserter): (&Connection, &mut Inserter),
    tally: &Tally,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<Vec<Rows>, JournalError> {
    let began = Instant::now();
    // It reads before it writes: the lock is taken first, so that nobody writes in between. Unchecked: a backup under
    // way holds the connection too, and has nothing in a transaction here.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let rows = inserter
        .insert_all(&transaction, entries)
        .and_then(|rows| Ok(transaction.commit().map(|()| rows)?));
    let rows = rows.inspect_err(|_| inserter.reset())?;
    tally.add_undelivered(inserter.undelivered());
    tally.wrote(rows.last().map_or(0, |rows| rows.last));
    tally.committed(began.elapsed());
    Ok(rows)
}
