//! What the writer does for its file beside writing it: gives disk back that nobody uses any more,
//! and looks whether there is enough left.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::file::FileWatch;
use super::{JournalError, Space};

/// Pages that are given back in one step, one transaction: a call that comes meanwhile waits for
/// one step at most.
const STEP_PAGES: u32 = 256;

/// The same while calls come without a pause.
const STEP_PAGES_UNDER_LOAD: u32 = 32;

/// How often a step is made while calls come without a pause.
const GIVE_BACK_UNDER_LOAD_EVERY: Duration = Duration::from_millis(500);

/// Free pages that stay, for what comes next.
const KEPT_PAGES: i64 = 1_024;

/// `PRAGMA auto_vacuum` of a file that can give pages back.
const INCREMENTAL: i64 = 2;

/// How often the file system is asked what is left.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often a disk that is nearly full is told again.
const TELL_EVERY: Duration = Duration::from_mins(10);

/// After a step that failed, the next one waits this long.
const GIVE_BACK_AGAIN_AFTER: Duration = Duration::from_mins(10);

/// The writer's housekeeping.
#[derive(Debug)]
pub(super) struct Upkeep {
    file: PathBuf,
    low_disk_bytes: u64,
    looked: Option<Instant>,
    told: Option<Instant>,
    failed: Option<Instant>,
    gave_back: Option<Instant>,
}

impl Upkeep {
    /// For the journal in `file`, on a disk that is nearly full below `low_disk_bytes`.
    pub(super) const fn new(file: PathBuf, low_disk_bytes: u64) -> Self {
        Self {
            file,
            low_disk_bytes,
            looked: None,
            told: None,
            failed: None,
            gave_back: None,
        }
    }

    /// Tells it loudly when the disk is nearly full, and when it is not any more.
    pub(super) fn look_at_space(&mut self, now: Instant) {
        if is_within(self.looked, LOOK_EVERY, now) {
            return;
        }
        self.looked = Some(now);
        // A file that is gone is found out and told elsewhere.
        let Ok(space) = Space::of(&self.file) else {
            return;
        };
        let Space {
            journal_bytes,
            free_bytes,
        } = space;
        if free_bytes >= self.low_disk_bytes {
            if self.told.take().is_some() {
                tracing::warn!(free_bytes, "the journal's disk has room again");
            }
        } else if !is_within(self.told, TELL_EVERY, now) {
            self.told = Some(now);
            tracing::error!(
                free_bytes,
                journal_bytes,
                low_disk_bytes = self.low_disk_bytes,
                "the journal's disk is nearly full: once it is full, payments are NOT durable"
            );
        }
    }

    /// Gives a few pages back to the file system that nothing is in any more; answers whether there
    /// are more of them. A file that was made before this could be done keeps them for what comes.
    pub(super) fn give_back(
        &mut self,
        connection: &Connection,
        file: &mut FileWatch,
        now: Instant,
    ) -> bool {
        if is_within(self.failed, GIVE_BACK_AGAIN_AFTER, now) {
            return false;
        }
        self.gave_back = Some(now);
        give_back(connection, file, STEP_PAGES).unwrap_or_else(|error| self.cannot(now, &error))
    }

    /// The same between two commits, once in a while: a journal that is never idle has a bound too.
    pub(super) fn give_back_under_load(
        &mut self,
        connection: &Connection,
        file: &mut FileWatch,
        now: Instant,
    ) {
        if is_within(self.failed, GIVE_BACK_AGAIN_AFTER, now)
            || is_within(self.gave_back, GIVE_BACK_UNDER_LOAD_EVERY, now)
        {
            return;
        }
        self.gave_back = Some(now);
        give_back(connection, file, STEP_PAGES_UNDER_LOAD)
            .unwrap_or_else(|error| self.cannot(now, &error));
    }

    fn cannot(&mut self, now: Instant, error: &JournalError) -> bool {
        self.failed = Some(now);
        tracing::warn!(%error, "free pages of the journal cannot be given back now");
        false
    }
}

fn give_back(
    connection: &Connection,
    file: &mut FileWatch,
    step_pages: u32,
) -> Result<bool, JournalError> {
    let number = |pragma: &str| -> Result<i64, JournalError> {
        Ok(connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?)
    };
    let free = number("freelist_count")?;
    if free <= KEPT_PAGES || number("auto_vacuum")? != INCREMENTAL {
        return Ok(false);
    }
    let step = i64::from(step_pages).min(free - KEPT_PAGES);
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({step})"))?;
    let mut rows = statement.query([])?;
    // It works for as long as its rows are asked for.
    while rows.next()?.is_some() {}
    drop(rows);
    let bytes = number("page_count")? * number("page_size")?;
    file.may_shrink_to(u64::try_from(bytes).unwrap_or_default());
    let more = free - step > KEPT_PAGES;
    if !more {
        // Brings what was given back from the log to the file; a reader in its way is not waited for.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok(more)
}

fn is_within(moment: Option<Instant>, time: Duration, now: Instant) -> bool {
    moment.is_some_and(|moment| now.saturating_duration_since(moment) < time)
}
