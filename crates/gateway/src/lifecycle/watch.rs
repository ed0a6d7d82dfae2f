//! Detects changes of the configuration's files.
//!
//! Polls their identity, size and times once a second. Unlike file events, that works on network file systems and
//! where an orchestrator replaces a symbolic link to a directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use tokio::time::sleep;

use crate::config::list_biller_files;

/// Interval between two polls. A change counts once it is an interval old: a certificate and its key are two files
/// and are not written at the same moment.
const EVERY: Duration = Duration::from_secs(1);

/// Device, inode, size, and times of modification and status change; `None` for a missing file.
type FileIdentity = Option<(u64, u64, u64, i64, i64, i64, i64)>;

/// Most files that are polled per second.
const FILES_PER_SECOND: u32 = 2_000;

/// The watched files and their identities when they were last read.
#[derive(Debug)]
pub struct FileWatch {
    names: WatchedFiles,
    known: FileIdentities,
}

/// The files to watch.
#[derive(Clone, Debug)]
pub struct WatchedFiles {
    /// The main file and the files that the configuration names.
    pub named: Vec<PathBuf>,
    /// The billers' directory, which is listed again at every poll.
    pub billers: PathBuf,
}

type FileIdentities = BTreeMap<PathBuf, FileIdentity>;

impl FileWatch {
    /// Watches these files from their present state.
    pub async fn of(names: WatchedFiles) -> Self {
        let known = look(&names).await.unwrap_or_default();
        Self { names, known }
    }

    /// Waits until the files differ from the known state and have not changed for one interval. That state is then
    /// the known one.
    pub async fn changed(&mut self) {
        let mut before = None;
        loop {
            sleep(self.pause()).await;
            // A failed poll is repeated.
            let Some(now) = look(&self.names).await else {
                continue;
            };
            if now != self.known && before.as_ref() == Some(&now) {
                self.known = now;
                return;
            }
            before = Some(now);
        }
    }

    /// Makes the present state the known one; call it before the files are read.
    pub async fn acknowledge(&mut self) {
        if let Some(now) = look(&self.names).await {
            self.known = now;
        }
    }

    /// Watches these files from now on. A file that was not watched before counts as unchanged.
    pub async fn follow(&mut self, names: WatchedFiles) {
        self.names = names;
        if let Some(now) = look(&self.names).await {
            let known = std::mem::take(&mut self.known);
            let kept = now.into_iter().map(|(file, mark)| {
                let before = known.get(&file).copied();
                (file, before.unwrap_or(mark))
            });
            self.known = kept.collect();
        }
    }

    fn pause(&self) -> Duration {
        let files = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        EVERY * (files / FILES_PER_SECOND).max(1)
    }
}

async fn look(names: &WatchedFiles) -> Option<FileIdentities> {
    let names = names.clone();
    let look = spawn_blocking(move || {
        let files = names
            .named
            .into_iter()
            .chain(list_biller_files(&names.billers));
        files.map(|file| (file.clone(), mark(&file))).collect()
    });
    look.await.ok()
}

fn mark(file: &Path) -> FileIdentity {
    let metadata = fs::metadata(file).ok()?;
    Some((
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ))
}
