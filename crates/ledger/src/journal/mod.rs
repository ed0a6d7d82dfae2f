//! This node's durable journal: every fact, in the order this node learned it.
//!
//! `SQLite` in WAL mode with `synchronous=FULL`. One writer thread commits what has gathered as one
//! transaction; a call waits for its own commit. Operators can read the file with `sqlite3`.

mod entry;
mod owed;
mod pace;
mod reader;
mod row;
mod schema;
mod writer;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use entry::{Cursor, Entry, Forgotten};
pub use reader::{Reader, StoredMessage, UndecidedPayment};

/// Entries that may wait for the writer; more calls than that are never in flight.
const QUEUE_BOUND: usize = 65_536;

/// Name of the journal in the ledger's folder.
const FILE_NAME: &str = "journal.sqlite3";

/// Why the journal did not take, or give, what was asked.
#[derive(Debug)]
pub enum JournalError {
    /// Another process has this journal open.
    InUse(PathBuf),
    /// The folder or the lock cannot be made.
    Io(PathBuf, io::Error),
    /// `SQLite` said no: full disk, read-only file, damage.
    Sqlite(String),
    /// A row that this version cannot read.
    Row(String),
    /// The writer is behind by more than its bound, or gone.
    Overloaded,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(path) => write!(f, "{}: in use by another process", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Sqlite(what) => write!(f, "journal: {what}"),
            Self::Row(what) => write!(f, "journal: unreadable row: {what}"),
            Self::Overloaded => f.write_str("journal: the writer is behind"),
        }
    }
}

impl std::error::Error for JournalError {}

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.to_string())
    }
}

/// The open journal. Dropping it commits what is queued and closes the file.
#[derive(Debug)]
pub struct Journal {
    queue: Option<SyncSender<writer::Job>>,
    writer: Option<JoinHandle<()>>,
    reader: Arc<Reader>,
    writable: Arc<AtomicBool>,
    node: u32,
    /// Held as long as the journal is open: one process, one journal.
    _lock: File,
}

impl Journal {
    /// Opens, or makes, the journal in the folder `directory`.
    ///
    /// # Errors
    /// When the folder cannot be made, another process holds it, or `SQLite` cannot open the file.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let lock = lock(directory)?;
        let file = directory.join(FILE_NAME);
        let connection = schema::open(&file)?;
        let node = schema::node(&connection)?;
        let reader = Arc::new(Reader::open(&file)?);
        let writable = Arc::new(AtomicBool::new(true));
        let (queue, jobs) = sync_channel(QUEUE_BOUND);
        let writer = writer::spawn(connection, jobs, Arc::clone(&writable))
            .map_err(|error| JournalError::Io(file, error))?;
        Ok(Self {
            queue: Some(queue),
            writer: Some(writer),
            reader,
            writable,
            node,
            _lock: lock,
        })
    }

    /// This node's number: drawn when the journal was made, kept in it.
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// Whether the last attempt to write succeeded.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// For reading what was journalled.
    pub fn reader(&self) -> Arc<Reader> {
        Arc::clone(&self.reader)
    }

    /// Queues an entry and answers a wait for its commit. The entry is never lost by dropping the
    /// wait. An entry that cannot be committed now is owed: it is written as soon as the journal
    /// can be written again.
    ///
    /// # Errors
    /// Through the wait: when the commit failed, or the queue is full.
    pub fn append(&self, entry: Entry) -> Commit {
        let (done, wait) = oneshot::channel();
        let job = writer::Job { entry, done };
        let sent = match &self.queue {
            Some(queue) => queue.try_send(job),
            None => Err(TrySendError::Disconnected(job)),
        };
        if sent.is_err() {
            tracing::error!("the journal's queue is full: an entry is kept in memory only");
        }
        Commit(wait)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Closing the queue lets the writer commit what is left and end.
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so; there is nothing more to save here.
            let _ = writer.join();
        }
    }
}

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
pub struct Commit(oneshot::Receiver<Result<Rows, Arc<JournalError>>>);

impl Commit {
    /// Ends when the entry is on durable storage, with the rows of its facts.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn committed(self) -> Result<Rows, Arc<JournalError>> {
        match self.0.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Arc::new(JournalError::Overloaded)),
        }
    }
}

impl Commit {
    /// The same for a thread that may wait.
    pub(crate) fn blocking_committed(self) -> Result<Rows, JournalError> {
        match self.0.blocking_recv() {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(JournalError::Sqlite(error.to_string())),
            Err(_) => Err(JournalError::Overloaded),
        }
    }
}

fn lock(directory: &Path) -> Result<File, JournalError> {
    let io_error = |error| JournalError::Io(directory.to_path_buf(), error);
    schema::make_private_directory(directory).map_err(io_error)?;
    let lock = File::create(directory.join("lock")).map_err(io_error)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(JournalError::InUse(directory.to_path_buf())),
        Err(std::fs::TryLockError::Error(error)) => Err(io_error(error)),
    }
}
