//! The threads that read the journal for calls, each on a connection of its own.
//!
//! A read never blocks a worker. Billers take turns, and none takes all threads: one whose bills are all cold, on a slow
//! disk, slows down nobody else.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use protocol::BillerCode;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{JournalError, Reader};

/// Threads of a pool.
const THREADS: usize = 3;

/// Threads that one biller takes at once.
const THREADS_PER_BILLER: usize = THREADS - 1;

/// Reads of one biller that may wait. More calls of one biller than that are never in flight.
const WAITING_PER_BILLER: usize = 4_096;

/// How long a call waits for a read: a third of the usual budget.
pub(crate) const READ_PATIENCE: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce(&Reader) + Send>;

/// The pool. Its drop ends the threads.
pub(crate) struct Readers {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the file cannot be opened, or the system cannot start a thread.
    pub(super) fn start(reader: &Reader) -> Result<Self, JournalError> {
        let queue = Arc::new(Queue::default());
        let mut readers = Self {
            queue: Arc::clone(&queue),
            threads: Vec::with_capacity(THREADS),
        };
        for _ in 0..THREADS {
            let (queue, reader) = (Arc::clone(&queue), reader.another()?);
            let thread = thread::Builder::new()
                .name("ledger-read".into())
                .spawn(move || queue.serve(&reader));
            let thread = thread.map_err(|error| JournalError::Sqlite(error.to_string()))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Reads for a call of this biller.
    ///
    /// # Errors
    /// When the journal cannot be read, not in time, or too many reads of the biller wait.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        biller: BillerCode,
        read: impl FnOnce(&Reader) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (done, wait) = oneshot::channel();
        let job: Job = Box::new(move |reader| {
            // A call that has given up needs no read.
            if !done.is_closed() {
                let _ = done.send(read(reader));
            }
        });
        self.queue.push(biller, job)?;
        match timeout(READ_PATIENCE, wait).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(JournalError::Overloaded),
            Err(_) => Err(JournalError::Stalled),
        }
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    came: Condvar,
}

#[derive(Default)]
struct State {
    billers: HashMap<BillerCode, OfBiller>,
    /// The billers that have a read waiting and a thread to spare for it, in turn.
    turns: VecDeque<BillerCode>,
    is_closed: bool,
}

#[derive(Default)]
struct OfBiller {
    waiting: VecDeque<Job>,
    being_served: usize,
}

impl OfBiller {
    fn is_due(&self) -> bool {
        !self.waiting.is_empty() && self.being_served < THREADS_PER_BILLER
    }
}

impl Queue {
    fn push(&self, biller: BillerCode, job: Job) -> Result<(), JournalError> {
        let mut state = self.lock();
        let of_biller = state.billers.entry(biller).or_default();
        if of_biller.waiting.len() >= WAITING_PER_BILLER {
            return Err(JournalError::Overloaded);
        }
        let was_due = of_biller.is_due();
        of_biller.waiting.push_back(job);
        if !was_due && of_biller.is_due() {
            state.turns.push_back(biller);
        }
        drop(state);
        self.came.notify_one();
        Ok(())
    }

    fn serve(&self, reader: &Reader) {
        while let Some((biller, job)) = self.pop() {
            job(reader);
            self.served(biller);
        }
    }

    /// Takes the next read; `None` when the pool ends.
    fn pop(&self) -> Option<(BillerCode, Job)> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(biller) = state.turns.pop_front() {
                let of_biller = state.billers.get_mut(&biller)?;
                let job = of_biller.waiting.pop_front()?;
                of_biller.being_served += 1;
                if of_biller.is_due() {
                    state.turns.push_back(biller);
                }
                return Some((biller, job));
            }
            state = self
                .came
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn served(&self, biller: BillerCode) {
        let mut state = self.lock();
        let Some(of_biller) = state.billers.get_mut(&biller) else {
            return;
        };
        let was_due = of_biller.is_due();
        of_biller.being_served -= 1;
        if !was_due && of_biller.is_due() {
            state.turns.push_back(biller);
        } else if of_biller.being_served == 0 && of_biller.waiting.is_empty() {
            state.billers.remove(&biller);
        }
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.came.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
