//! This node's durable journal: every fact, in the order this node learned it.
//!
//! `SQLite` in WAL mode with `synchronous=FULL`. One writer thread commits what has gathered as one
//! transaction; a call waits for its own commit. Operators can read the file with `sqlite3`.

mod access;
mod audit;
mod author;
mod backup;
mod bulk_load;
mod check;
mod column;
mod commit;
mod connection;
mod effect;
mod end_open;
mod entry;
mod error;
mod fact_row;
mod file;
mod finding;
mod first_request;
mod foreign;
mod forget;
mod hash;
mod identity;
mod identity_reader;
mod indexes;
mod insert;
mod insert_fact;
mod insert_foreign;
mod intern;
mod job;
mod load;
mod look_up;
mod mend;
mod migration;
mod open_events;
mod optional;
mod owed;
mod pace;
mod packed;
mod pay_result;
mod place;
mod queue;
mod reader;
mod readers;
mod recent;
mod recompute;
mod records;
mod refused;
mod refused_reader;
mod restore;
mod rolled_back;
mod row;
mod schema;
mod set_aside;
mod space;
mod stored;
mod tally;
#[cfg(test)]
mod tests;
mod upkeep;
mod version_3;
mod views;
mod walk;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

pub(crate) use audit::Auditor;
pub use audit::{Audit, AuditProgress};
use backup::Backups;
pub use backup::{Backup, BackupProgress, BackupReport};
pub use bulk_load::BulkLoad;
pub use commit::{Commit, Rows};
pub use effect::Effect;
pub use entry::{Cursor, Entry, Forgotten, ForgottenFacts, RetentionClass, Snapshot, Walked};
pub use error::JournalError;
use file::HeldFile;
pub use finding::{Finding, Findings};
pub use foreign::ForeignFacts;
pub use identity::IdentityInForce;
use insert::Inserter;
pub use load::Loaded;
pub use look_up::{BillFacts, NumberedFact};
pub(crate) use place::JournalIdentity;
use queue::{Bounds, Place, Queue};
pub use reader::Reader;
pub(crate) use readers::{READ_PATIENCE, Readers};
pub use records::Records;
pub(crate) use refused::{CameRefused, RefusedChange};
pub use refused_reader::RefusedFilter;
pub use restore::{Restored, restore};
pub(crate) use rolled_back::renew_identity;
pub use space::Space;
pub use stored::StoredMessage;
use tally::Tally;
use upkeep::Upkeep;
pub(crate) use walk::{Due, Verdict};

use crate::{Author, Observer};

/// How much longer than asked a flush may take to say how it went.
const FLUSH_GRACE: Duration = Duration::from_millis(500);

/// Name of the journal in the ledger's folder.
const FILE_NAME: &str = "journal.sqlite3";

/// Hears of every entry that was committed, on the thread of the writer.
pub(crate) type OnCommit = Box<dyn Fn(&Entry) + Send>;

/// How a journal is kept.
#[derive(Clone)]
pub(crate) struct JournalSettings {
    /// Below this the disk counts as nearly full.
    pub(crate) low_disk_bytes: u64,
    /// How much may wait for the writer.
    bounds: Bounds,
    /// Hears how far an upgrade is.
    observer: Option<Arc<dyn Observer>>,
}

impl JournalSettings {
    /// The usual ones, but for when a disk is nearly full.
    pub(crate) const fn warning_below(low_disk_bytes: u64) -> Self {
        Self {
            low_disk_bytes,
            bounds: Bounds::USUAL,
            observer: None,
        }
    }

    /// The same with an observer.
    pub(crate) fn observed_by(self, observer: Option<Arc<dyn Observer>>) -> Self {
        Self { observer, ..self }
    }
}

/// The open journal. Dropping it commits what is queued and closes the file.
#[derive(Debug)]
pub struct Journal {
    /// The first member to go: a backup that is under way ends first.
    backups: Backups,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
    reader: Arc<Reader>,
    readers: Readers,
    writable: Arc<AtomicBool>,
    tally: Arc<Tally>,
    node: u32,
    identity: JournalIdentity,
    low_disk_bytes: u64,
    /// Held as long as the journal is open: one process, one journal. The last member to go.
    file: HeldFile,
}

impl Journal {
    /// Opens, or makes, the journal in the folder `directory`.
    ///
    /// # Errors
    /// When the folder cannot be made, another process holds it, or `SQLite` cannot open the file.
    pub(crate) fn open(
        directory: &Path,
        settings: &JournalSettings,
        on_commit: OnCommit,
    ) -> Result<Self, JournalError> {
        let path = directory.join(FILE_NAME);
        access::prepare_folder(directory)?;
        access::prepare_files(&path)?;
        restore::refuse_where_interrupted(&path)?;
        let file = HeldFile::open(&path)?;
        let named = |error: JournalError| error.of(&path);
        if !file.is_new() {
            schema::refuse_unfit(&path).map_err(named)?;
        }
        let mut connection = connection::connect(&path).map_err(named)?;
        schema::prepare(&mut connection, &path).map_err(named)?;
        version_3::upgrade(&mut connection, &path).map_err(named)?;
        migration::run(&mut connection, &path, settings.observer.as_deref()).map_err(named)?;
        indexes::drop_former(&connection).map_err(named)?;
        indexes::make_missing(&connection, &path).map_err(named)?;
        let node = schema::node(&connection).map_err(named)?;
        let author = schema::author(&connection).map_err(named)?;
        let place = file
            .place()
            .map_err(|error| JournalError::Io(path.clone(), error))?;
        let identity = place::settle(&connection, &path, place).map_err(named)?;
        if file.is_new() {
            tracing::warn!(journal = %path.display(), "a new journal: nothing is known of any bill");
        }
        let io_error = |error| JournalError::Io(path.clone(), error);
        let reader = Arc::new(Reader::open(&path).map_err(named)?);
        let readers = Readers::start(&reader)?;
        let writable = Arc::new(AtomicBool::new(true));
        let queue = Arc::new(Queue::new(settings.bounds));
        let upkeep = Upkeep::new(path.clone(), settings.low_disk_bytes);
        let watch = file.watch().map_err(io_error)?;
        let tally = Arc::new(Tally::default());
        let undelivered = reader.count_open().map_err(named)?;
        let undelivered: u64 = undelivered.iter().map(|(_, events)| events).sum();
        tally.add_undelivered(i64::try_from(undelivered).unwrap_or(i64::MAX));
        let told = writer::Told {
            queue: Arc::clone(&queue),
            writable: Arc::clone(&writable),
            tally: Arc::clone(&tally),
            on_commit,
        };
        let writer = writer::spawn((connection, Inserter::new(author)), watch, upkeep, told)
            .map_err(io_error)?;
        Ok(Self {
            backups: Backups::default(),
            queue,
            writer: Some(writer),
            reader,
            readers,
            writable,
            tally,
            node,
            identity,
            low_disk_bytes: settings.low_disk_bytes,
            file,
        })
    }

    /// This node's number: drawn when the journal was made, kept in it.
    pub const fn node(&self) -> u32 {
        self.node
    }

    /// The author of this journal's own facts.
    pub(crate) fn author(&self) -> Author {
        Author {
            node: self.node,
            journal: self.identity.identity,
        }
    }

    /// Who the journal is, and where it lies.
    pub(crate) const fn identity(&self) -> &JournalIdentity {
        &self.identity
    }

    /// Starts a backup to the file `target`; the writer makes it beside its work.
    ///
    /// # Errors
    /// When one is running. What else is wrong comes through the wait.
    pub(crate) fn back_up(&self, target: &Path) -> Result<Backup, JournalError> {
        let queue = Arc::clone(&self.queue);
        let origin = backup::Origin {
            path: self.path().to_path_buf(),
            queue: Box::new(move |job| {
                // One backup at a time always finds a place.
                let _ = queue.push(job::Job::Copy(Box::new(job)));
            }),
            reader: self.reader(),
            low_disk_bytes: self.low_disk_bytes,
        };
        self.backups.start(origin, target)
    }

    /// How far the running backup is; `None` where none runs.
    pub(crate) fn backup_progress(&self) -> Option<BackupProgress> {
        self.backups.progress()
    }

    /// Returns the path of its file.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whether the last attempt to write succeeded.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// Gives every stamp beyond `believed` a credible time. Returns how many facts that were. To be called
    /// before anything is written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn mend_stamps(&self, believed: i64) -> Result<usize, JournalError> {
        mend::mend(&mut connection::connect(self.file.path())?, believed)
    }

    /// What the writer counts.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What it takes on its file system, and what is left there.
    ///
    /// # Errors
    /// When the file system does not say.
    pub fn space(&self) -> io::Result<Space> {
        Space::of(self.file.path())
    }

    /// For reading what was journalled.
    pub fn reader(&self) -> Arc<Reader> {
        Arc::clone(&self.reader)
    }

    /// Returns the threads that read it for calls.
    pub(crate) const fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Queues an entry and answers a wait for its commit. The entry is never lost by dropping the
    /// wait. An entry that cannot be committed now is owed: it is written as soon as the journal
    /// can be written again.
    ///
    /// # Errors
    /// Through the wait: when the commit failed, took too long, or too many wait before it.
    pub fn append(&self, entry: Entry) -> Commit {
        let (done, wait) = oneshot::channel();
        match self.queue.push(job::Job::Write { entry, done }) {
            Place::InTime => {}
            Place::Late => {
                self.tally.is_late_with(self.queue.late());
                if self.writable.swap(false, Ordering::AcqRel) {
                    tracing::error!(
                        "the journal's writer is behind: payments are NOT durable until it has caught up"
                    );
                }
            }
            Place::Refused => {
                self.writable.store(false, Ordering::Release);
                tracing::error!("the journal's queue is full: facts stay in memory only");
            }
        }
        Commit::new(wait, Arc::clone(&self.writable))
    }

    /// Waits until everything that was queued is on durable storage, debts included, but not
    /// longer than `within`.
    ///
    /// # Errors
    /// When something could not be written in that time.
    pub async fn flush(&self, within: Duration) -> Result<(), JournalError> {
        let ((done, wait), (copied, is_copied)) = (oneshot::channel(), oneshot::channel());
        self.queue.push(job::Job::Flush {
            until: Instant::now() + within,
            done,
            copied,
        });
        match timeout(within + FLUSH_GRACE, wait).await {
            Ok(Ok(0)) => {
                // A file that somebody copies alone then has everything, too; what is not copied stays in the log.
                let _ = timeout(FLUSH_GRACE, is_copied).await;
                Ok(())
            }
            Ok(Ok(owed)) => Err(JournalError::Owed(owed)),
            Ok(Err(_)) | Err(_) => Err(JournalError::Stalled),
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Closing the queue lets the writer commit what is left and end, and ends a backup.
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so; there is nothing more to save here.
            let _ = writer.join();
        }
    }
}
