//! The wait for what was queued to be on durable storage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::time::timeout;

use super::JournalError;

/// How long a call waits for its commit while the disk is well: a third of the usual budget.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same while it is not; a disk that says no says so at once.
const NO_PATIENCE: Duration = Duration::from_millis(50);

/// How often a start looks whether its facts are committed.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The rows of one entry's facts; none where `first` is beyond `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Number of the first fact.
    pub first: i64,
    /// Number of the last fact.
    pub last: i64,
}

/// The wait for one entry's commit.
#[derive(Debug)]
pub struct Commit {
    wait: oneshot::Receiver<Result<Rows, Arc<JournalError>>>,
    writable: Arc<AtomicBool>,
}

impl Commit {
    pub(super) const fn new(
        wait: oneshot::Receiver<Result<Rows, Arc<JournalError>>>,
        writable: Arc<AtomicBool>,
    ) -> Self {
        Self { wait, writable }
    }

    /// Ends when the entry is on durable storage, with the rows of its facts; or when the disk has
    /// had its time. A disk that hangs is found out by the first call that waits for it; the
    /// others wait no longer until it has committed something again.
    ///
    /// # Errors
    /// When it could not be written, or not in time.
    pub async fn committed(self) -> Result<Rows, Arc<JournalError>> {
        let patience = if self.writable.load(Ordering::Acquire) {
            PATIENCE
        } else {
            NO_PATIENCE
        };
        match timeout(patience, self.wait).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Arc::new(JournalError::Overloaded)),
            Err(_) => {
                if self.writable.swap(false, Ordering::AcqRel) {
                    tracing::error!(
                        "the journal's disk does not answer: payments are NOT durable until it does"
                    );
                }
                Err(Arc::new(JournalError::Stalled))
            }
        }
    }

    /// The same at a start, where nothing is served yet: on whatever thread, also one that drives a runtime.
    pub(crate) fn committed_at_start(mut self) -> Result<Rows, JournalError> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.wait.try_recv() {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) => return Err(JournalError::Sqlite(error.to_string())),
                Err(TryRecvError::Closed) => return Err(JournalError::Overloaded),
                Err(TryRecvError::Empty) => thread::sleep(LOOK_EVERY),
            }
        }
        Err(JournalError::Stalled)
    }

    /// The same for a thread that may wait.
    pub(crate) fn blocking_committed(self) -> Result<Rows, JournalError> {
        match self.wait.blocking_recv() {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(JournalError::Sqlite(error.to_string())),
            Err(_) => Err(JournalError::Overloaded),
        }
    }
}
