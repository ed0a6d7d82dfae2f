//! The writer's part of a backup: a few pages at a time, behind what waits for the writer.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::backup::{Backup, Progress, StepResult};

use super::{Control, Copied};
use crate::journal::{JournalError, check};

/// Pages of one step. A call that comes meanwhile waits for one step at most: some 0.1 ms where the page cache has them.
const STEP_PAGES: c_int = 16;

/// What is copied in a second at most, so that neither processor nor disk is taken from calls.
const BYTES_PER_SECOND: u64 = 32 << 20;

/// What the disk of the copy may be behind. Beyond it the writer copies nothing, so that the kernel never has it wait
/// until a slow disk has taken what is too much.
const UNSYNCED_BYTES: u64 = 16 << 20;

/// A step is put off while calls come, but not longer than this: a copy comes to its end under any load, at 3 MiB a second
/// at least.
const STEP_WITHIN: Duration = Duration::from_millis(20);

/// How often a writer that waits for that disk looks again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// So many times the size of the journal are copied at most. Only another process that writes the file has the copy
/// begin anew.
const ROUNDS: u64 = 3;

/// A copy to be made by the writer.
pub(in crate::journal) struct CopyJob {
    /// An empty file.
    pub(super) to: Connection,
    pub(super) control: Arc<Control>,
    pub(super) done: Sender<Copied>,
}

/// What a writer has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::journal) enum Serving {
    /// Nothing came.
    Idle,
    /// A job.
    Busy,
    /// Nothing: its journal is closed.
    No,
}

impl CopyJob {
    /// Copies the whole journal from the writer's connection. `serve` does what waits for the writer, or waits for so
    /// long that something comes; it is called before every step.
    pub(in crate::journal) fn run(
        mut self,
        source: &Connection,
        serve: impl FnMut(Duration) -> Serving,
    ) {
        let copied = copy(source, &mut self.to, &self.control, serve);
        // Nothing is committed between the last step and this.
        let outcome = copied.and_then(|()| check::last_row(source));
        // A thread that has ended needs no answer.
        let _ = self.done.send(Copied {
            to: self.to,
            outcome,
        });
    }
}

fn copy(
    source: &Connection,
    to: &mut Connection,
    control: &Control,
    mut serve: impl FnMut(Duration) -> Serving,
) -> Result<(), JournalError> {
    let page_bytes: u32 = source.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let page_bytes = u64::from(page_bytes);
    let step_bytes = page_bytes * u64::from(STEP_PAGES.unsigned_abs());
    let between_steps = Duration::from_nanos(step_bytes * 1_000_000_000 / BYTES_PER_SECOND);
    let backup = Backup::new(source, to)?;
    let (mut due, mut latest) = (Instant::now(), Instant::now());
    loop {
        let wait = if control.unsynced() > UNSYNCED_BYTES {
            LOOK_AGAIN_AFTER
        } else {
            due.saturating_duration_since(Instant::now())
        };
        let served = serve(wait);
        if served == Serving::No || control.is_cancelled() {
            return Err(JournalError::BackupCancelled);
        }
        let now = Instant::now();
        if served == Serving::Busy {
            // Calls come one after the other: the next one finds the writer free.
            due = latest.min(now + between_steps);
        }
        if now < due || control.unsynced() > UNSYNCED_BYTES {
            continue;
        }
        // What was not copied while calls came is not made up for afterwards.
        (due, latest) = (now + between_steps, now + STEP_WITHIN);
        if backup.step(STEP_PAGES)? == StepResult::Done {
            return Ok(());
        }
        control.add_copied(step_bytes);
        let Progress { pagecount, .. } = backup.progress();
        let journal_bytes = page_bytes * u64::from(pagecount.unsigned_abs());
        control.measured(journal_bytes);
        if control.copied() > ROUNDS * (journal_bytes + step_bytes) {
            return Err(JournalError::Sqlite(
                "another process writes to the journal, so that no copy of it comes to an end: stop that one".into(),
            ));
        }
    }
}

impl std::fmt::Debug for CopyJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyJob").finish_non_exhaustive()
    }
}
