//! Copies the journal of a running gateway into one file.
//!
//! `SQLite`'s backup runs on the writer's own connection, a few pages between commits (see [`copy`]): what the writer
//! commits meanwhile goes into the copy too, where a backup on another connection begins anew at every commit. All that
//! may wait long for the disk of the copy (making, syncing, verifying and renaming the file) is done on a thread of its
//! own, so that a target that hangs holds up the backup and not the writer.

mod control;
mod copy;
mod partial;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use control::BackupProgress;
pub(super) use control::Control;
pub(super) use copy::{CopyJob, Serving};
use partial::Partial;

use super::{JournalError, Reader, access, check};

/// How often what was copied is synced: in small pieces, or a sync of the journal on the same disk waits behind a large one.
const SYNC_EVERY: Duration = Duration::from_millis(50);

/// How long a closing journal waits for a backup to clean up behind itself.
const END_WITHIN: Duration = Duration::from_secs(5);

/// A low priority of a thread: verifying a copy takes a processor for minutes, and calls go first. Not the lowest: a backup
/// has to come to its end on a busy machine, too.
const NICE: i32 = 10;

/// What a backup wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Size of the file.
    pub bytes: u64,
    /// Facts in it.
    pub facts: u64,
    /// From the request to the file under its name.
    pub took: Duration,
}

/// The backups of one journal, of which one runs at a time.
#[derive(Debug, Default)]
pub(super) struct Backups {
    running: Mutex<Option<Arc<Control>>>,
}

/// What a backup needs of its journal.
pub(super) struct Origin {
    pub(super) path: PathBuf,
    /// Queues the copying for the writer.
    pub(super) queue: Box<dyn Fn(CopyJob) + Send>,
    pub(super) reader: Arc<Reader>,
    /// Where the copy is on the journal's disk, so much stays free there.
    pub(super) low_disk_bytes: u64,
}

/// The wait for a backup. Dropping it cancels the backup.
#[derive(Debug)]
pub struct Backup {
    control: Arc<Control>,
    wait: oneshot::Receiver<Result<BackupReport, JournalError>>,
}

impl Future for Backup {
    type Output = Result<BackupReport, JournalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.wait).poll(context);
        ended.map(|outcome| outcome.unwrap_or(Err(JournalError::BackupCancelled)))
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        self.control.cancel();
    }
}

impl Backups {
    /// Starts a backup to the file `target`.
    ///
    /// # Errors
    /// When one is running, or there is no thread for it.
    pub(super) fn start(&self, origin: Origin, target: &Path) -> Result<Backup, JournalError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|control| !control.has_ended()) {
            return Err(JournalError::BackupRunning);
        }
        let control = Arc::new(Control::default());
        let (done, wait) = oneshot::channel();
        let task = Task {
            origin,
            target: target.to_path_buf(),
            control: Arc::clone(&control),
        };
        thread::Builder::new()
            .name("backup".into())
            .spawn(move || {
                // Without the lower priority it is a backup all the same.
                let _ = rustix::process::setpriority_process(None, NICE);
                let outcome = task.run();
                match &outcome {
                    Ok(report) => tracing::info!(
                        file = %task.target.display(), bytes = report.bytes, facts = report.facts,
                        seconds = report.took.as_secs(), "the journal was backed up"
                    ),
                    Err(error) => tracing::error!(%error, "the journal was NOT backed up"),
                }
                let ended = Arc::clone(&task.control);
                // Its connection to the journal is closed before the journal is.
                drop(task);
                ended.end();
                // Nobody waits any more: the outcome is in the log.
                let _ = done.send(outcome);
            })
            .map_err(|error| JournalError::Io(target.to_path_buf(), error))?;
        *running = Some(Arc::clone(&control));
        Ok(Backup { control, wait })
    }
}

impl Backups {
    /// How far the running backup is; `None` where none runs.
    pub(super) fn progress(&self) -> Option<BackupProgress> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = running.as_ref().filter(|control| !control.has_ended());
        running.map(|control| control.progress())
    }
}

impl Drop for Backups {
    fn drop(&mut self) {
        let running = self
            .running
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(control) = running.take() {
            control.cancel();
            control.wait_for_end(END_WITHIN);
        }
    }
}

/// One backup, on its thread.
struct Task {
    origin: Origin,
    target: PathBuf,
    control: Arc<Control>,
}

impl Task {
    fn run(&self) -> Result<BackupReport, JournalError> {
        let began = Instant::now();
        let partial = Partial::create(&self.target)?;
        let journal_bytes = self.size_of_journal()?;
        self.check_room(journal_bytes)?;
        partial.reserve(journal_bytes);
        let last_row = self.copy(&partial)?;
        self.control.has_copied();
        partial.sync()?;
        let facts = self.verify(&partial, last_row)?;
        let bytes = partial.bytes()?;
        partial.rename_to(&self.target)?;
        Ok(BackupReport {
            bytes,
            facts,
            took: began.elapsed(),
        })
    }

    /// Has the writer copy the journal; returns the number of the last fact in the copy.
    fn copy(&self, partial: &Partial) -> Result<i64, JournalError> {
        let (done, copied) = mpsc::channel();
        (self.origin.queue)(CopyJob {
            to: partial.connect()?,
            control: Arc::clone(&self.control),
            done,
        });
        let mut fault = None;
        loop {
            match copied.recv_timeout(SYNC_EVERY) {
                // Its connection is closed here: a disk that hangs keeps no writer waiting.
                Ok(copy) => {
                    return fault
                        .map_or(copy.outcome, Err)
                        .map_err(|error| partial.explained(error));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(JournalError::BackupCancelled);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            let copied = self.control.copied();
            if let Err(error) = partial.sync_data().and_then(|()| self.check_room(0)) {
                self.control.cancel();
                fault.get_or_insert(error);
            }
            self.control.synced(copied);
        }
    }

    /// Whether the copy is whole, and has all facts of the journal up to its last one. Returns their number.
    fn verify(&self, partial: &Partial, last_row: i64) -> Result<u64, JournalError> {
        let connection = partial.connect_to_read()?;
        self.control.may_interrupt(&connection);
        let checked = check::pages(&connection).and_then(|()| check::facts(&connection));
        if self.control.is_cancelled() {
            return Err(JournalError::BackupCancelled);
        }
        let faulty = |what: String| {
            access::refused(
                &self.target,
                format_args!(
                    "the copy is not whole ({what}): it was removed; `gateway ledger verify` says whether the journal is \
                     damaged; where it is not, make another one, on another disk"
                ),
            )
        };
        let copied = checked.map_err(|error| faulty(error.to_string()))?;
        // What was forgotten meanwhile is in the copy alone.
        let there = self.origin.reader.another()?.number_of_facts(last_row)?;
        if copied.last_row != last_row || copied.number < there {
            return Err(faulty(format!(
                "{} facts up to number {}, of {there} up to {last_row}",
                copied.number, copied.last_row
            )));
        }
        Ok(copied.number)
    }

    fn size_of_journal(&self) -> Result<u64, JournalError> {
        let space = super::Space::of(&self.origin.path);
        let space = space.map_err(|error| JournalError::Io(self.origin.path.clone(), error))?;
        Ok(space.journal_bytes)
    }

    /// Refuses a disk on which there is no room for so many bytes, beside what the journal itself may need.
    fn check_room(&self, needed: u64) -> Result<(), JournalError> {
        let folder = partial::folder_of(&self.target);
        let unknown =
            |error| access::explained(&self.target, "the backup cannot be written", error);
        let system = rustix::fs::statvfs(folder).map_err(|error| unknown(error.into()))?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        let device = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.dev());
        let is_same_disk =
            device(folder).map_err(unknown)? == device(&self.origin.path).map_err(unknown)?;
        let spare = if is_same_disk {
            self.origin.low_disk_bytes
        } else {
            0
        };
        if free >= needed.saturating_add(spare) {
            return Ok(());
        }
        let beside = if is_same_disk {
            format!(" and {spare} must stay free for the journal")
        } else {
            String::new()
        };
        Err(access::refused(
            &self.target,
            format_args!(
                "its file system has {free} bytes free, where {needed} more are needed{beside}: make room, or name a \
                 file on another disk"
            ),
        ))
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

/// What a copy came to, and its connection.
pub(super) struct Copied {
    /// Closed by whoever gets it.
    #[expect(
        dead_code,
        reason = "it is here to be dropped on another thread than the writer's"
    )]
    pub(super) to: Connection,
    /// The number of the last fact in the copy.
    pub(super) outcome: Result<i64, JournalError>,
}
