//! What the journal's writer is asked for.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use super::backup::CopyJob;
use super::{Entry, JournalError, Rows};

/// What the writer is asked for.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every job is a write; a box would be one more allocation for each"
)]
pub(super) enum Job {
    /// One entry, and who waits for it.
    Write {
        entry: Entry,
        done: oneshot::Sender<Result<Rows, Arc<JournalError>>>,
    },
    /// Everything so far, debts included; answers how many entries are still owed at `until`, and when the write-ahead log
    /// is copied to the file.
    Flush {
        until: Instant,
        done: oneshot::Sender<usize>,
        copied: oneshot::Sender<()>,
    },
    /// A copy of the journal, made beside all other jobs.
    Copy(Box<CopyJob>),
}
