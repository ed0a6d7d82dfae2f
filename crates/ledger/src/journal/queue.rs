//! What waits for the writer, in the order in which it came.
//!
//! An entry is not turned away because many wait before it: behind the first bound it is kept all
//! the same, but its call is told at once that it is not durable yet. Only behind the second bound
//! it is not taken.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::job::Job;

/// How many jobs may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// In time: more calls than that are never in flight.
    pub(super) in_time: usize,
    /// At all.
    pub(super) in_all: usize,
}

impl Bounds {
    pub(super) const USUAL: Self = Self {
        in_time: 65_536,
        in_all: 165_536,
    };
}

/// Where a job is in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Among those that the writer will soon come to.
    InTime,
    /// Behind them; nobody waits for it.
    Late,
    /// Nowhere: it was one too many.
    Refused,
}

/// Why there is no job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// None came in time.
    Yet,
    /// None will come any more.
    Ever,
}

/// The queue of one writer.
#[derive(Debug)]
pub(super) struct Queue {
    bounds: Bounds,
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Debug)]
struct State {
    jobs: VecDeque<Job>,
    is_closed: bool,
    /// How many jobs wake the writer. While it gathers, one more entry need not.
    wake_at: usize,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                is_closed: false,
                wake_at: 1,
            }),
            came: Condvar::new(),
        }
    }

    /// Puts a job behind the others.
    pub(super) fn push(&self, job: Job) -> Place {
        let mut state = self.lock();
        let place = match (state.jobs.len(), &job) {
            // There are as many flushes as processes end, and one backup at a time.
            (_, Job::Flush { .. } | Job::Copy(_)) => Place::InTime,
            (waiting, _) if waiting < self.bounds.in_time => Place::InTime,
            (waiting, _) if waiting < self.bounds.in_all => Place::Late,
            _ => return Place::Refused,
        };
        let is_write = matches!(job, Job::Write { .. });
        state.jobs.push_back(match place {
            Place::Late => unawaited(job),
            Place::InTime | Place::Refused => job,
        });
        let wakes = !is_write || state.jobs.len() == state.wake_at;
        drop(state);
        if wakes {
            self.came.notify_one();
        }
        place
    }

    /// Takes at most `most` entries: those that are there when `within` is over, or as soon as they are `enough`; and the
    /// job of another kind that comes first, at which it ends too. The writer is not woken for each entry.
    pub(super) fn pop_group(&self, within: Duration, enough: usize, most: usize) -> VecDeque<Job> {
        let mut state = self.lock();
        if !within.is_zero() {
            state.wake_at = enough;
            let goes_on = |state: &mut State| {
                let is_other = |job: &Job| !matches!(job, Job::Write { .. });
                state.jobs.len() < enough && !state.is_closed && !state.jobs.iter().any(is_other)
            };
            (state, _) = self
                .came
                .wait_timeout_while(state, within, goes_on)
                .unwrap_or_else(PoisonError::into_inner);
            state.wake_at = 1;
        }
        let other = (state.jobs.iter()).position(|job| !matches!(job, Job::Write { .. }));
        let taken = other.map_or(state.jobs.len(), |place| place + 1).min(most);
        state.jobs.drain(..taken).collect()
    }

    /// Takes the first job; waits for one, but not longer than `within`.
    pub(super) fn pop(&self, within: Duration) -> Result<Job, Nothing> {
        let state = self.lock();
        let nothing = |state: &mut State| state.jobs.is_empty() && !state.is_closed;
        let (mut state, _) = self
            .came
            .wait_timeout_while(state, within, nothing)
            .unwrap_or_else(PoisonError::into_inner);
        let none = if state.is_closed {
            Nothing::Ever
        } else {
            Nothing::Yet
        };
        state.jobs.pop_front().ok_or(none)
    }

    /// No job comes any more; what waits is still taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.came.notify_one();
    }

    /// How many jobs wait that are not in time.
    pub(super) fn late(&self) -> usize {
        self.len().saturating_sub(self.bounds.in_time)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same job, of which nobody hears when it is done; who waited hears of that now.
fn unawaited(job: Job) -> Job {
    match job {
        Job::Write { entry, .. } => Job::Write {
            entry,
            done: oneshot::channel().0,
        },
        other @ (Job::Flush { .. } | Job::Copy(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    use protocol::{Bill, BillerCode};
    use tempfile::TempDir;

    use super::*;
    use crate::journal::{Entry, Journal, JournalError, JournalSettings};
    use crate::redis::OutOfReach;
    use crate::{Fact, FactKind, Observer, Stamp};

    /// Holds the writer up behind every commit until the test lets it go on.
    struct Gate(Mutex<Receiver<()>>);

    impl Observer for Gate {
        fn redis_operation(&self, _: Duration, _: Result<(), OutOfReach>) {}

        fn journal_committed(&self, _: Duration) {
            // An error: the gate is open for good.
            let _ = self.0.lock().unwrap().recv();
        }
    }

    fn entry(time: i64) -> Entry {
        let biller = BillerCode::parse("B0001").unwrap();
        Entry::of(vec![Fact {
            stamp: Stamp { time, node: 1 },
            bill: Bill::from_parts(biller, "u", "", "", "", &[]),
            kind: FactKind::Cleared {
                reason: String::new(),
                operator: String::new(),
            },
        }])
    }

    fn until(mut holds: impl FnMut() -> bool) {
        while !holds() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_entry_behind_the_bound_is_told_to_be_late_and_written_all_the_same() {
        let directory = TempDir::new().unwrap();
        let settings = JournalSettings {
            observer: None,
            bounds: Bounds {
                in_time: 2,
                in_all: 5,
            },
            low_disk_bytes: 0,
        };
        let journal = Journal::open(directory.path(), &settings, Box::new(|_| {})).unwrap();
        let (open, gate) = channel();
        journal.tally().tell(Arc::new(Gate(Mutex::new(gate))));
        let first = journal.append(entry(0));
        until(|| journal.tally().commits() == 1);
        let mut commits: Vec<_> = (1..=6).map(|time| journal.append(entry(time))).collect();

        // Nobody waits for those that are late, or that found no place at all.
        for late in commits.split_off(2) {
            assert!(matches!(
                late.blocking_committed(),
                Err(JournalError::Overloaded)
            ));
        }
        assert!(!journal.is_writable());
        assert_eq!(journal.tally().owed_facts(), 3);

        drop(open);
        for commit in [first].into_iter().chain(commits) {
            commit.blocking_committed().unwrap();
        }
        until(|| journal.is_writable());
        assert_eq!(journal.tally().owed_facts(), 0);
        let facts = journal.reader().facts_after(0, 100).unwrap();
        let times: Vec<i64> = facts.iter().map(|(_, fact)| fact.stamp.time).collect();
        assert_eq!(times, [0, 1, 2, 3, 4, 5]);
    }
}
