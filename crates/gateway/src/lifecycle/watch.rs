//! Looks whether the files that the configuration is made of have changed.
//!
//! Their identity, size and times are asked for once a second: that works where file events do not, on
//! network file systems and where an orchestrator swaps a link to a whole directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use tokio::time::sleep;

use crate::config::listed_billers;

/// How often the files are looked at. A change must have rested for as long: a certificate and its key are
/// two files, and are not written in one go.
const EVERY: Duration = Duration::from_secs(1);

/// A file as it is told from its former self.
type FileIdentity = Option<(u64, u64, u64, i64, i64, i64, i64)>;

/// So many files are looked at in a second at most: looking must cost next to nothing.
const FILES_PER_SECOND: u32 = 2_000;

/// What the files were like when they were read last.
#[derive(Debug)]
pub struct FileWatch {
    names: WatchedFiles,
    known: FileIdentities,
}

/// Which files there are to look at.
#[derive(Clone, Debug)]
pub struct WatchedFiles {
    /// Files that the configuration names, and its own.
    pub named: Vec<PathBuf>,
    /// The billers' files are listed anew at every look.
    pub billers: PathBuf,
}

type FileIdentities = BTreeMap<PathBuf, FileIdentity>;

impl FileWatch {
    /// Of these files, as they are now.
    pub async fn of(names: WatchedFiles) -> Self {
        let known = look(&names).await.unwrap_or_default();
        Self { names, known }
    }

    /// Waits until the files are others than they were, and have rested; they are the known ones then,
    /// whatever becomes of them.
    pub async fn changed(&mut self) {
        let mut before = None;
        loop {
            sleep(self.pause()).await;
            // A look that failed saw nothing; the next one will.
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

    /// The files as they are now are about to be read, and known from then on.
    pub async fn take_note(&mut self) {
        if let Some(now) = look(&self.names).await {
            self.known = now;
        }
    }

    /// Looks at these files from now on. What was not looked at before counts as known.
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
            .chain(listed_billers(&names.billers));
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
