//! How far a migration is, in the log and to the observer.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Observer, UpgradeProgress};

/// How often the log says how far it is.
const LOG_EVERY: Duration = Duration::from_secs(3);

/// Reports the steps of a migration.
pub(super) struct Reporter<'a> {
    file: &'a Path,
    observer: Option<&'a dyn Observer>,
    began: Instant,
    logged: Option<Instant>,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(file: &'a Path, observer: Option<&'a dyn Observer>) -> Self {
        Self {
            file,
            observer,
            began: Instant::now(),
            logged: None,
        }
    }

    pub(super) fn report(&mut self, progress: UpgradeProgress) {
        if let Some(observer) = self.observer {
            observer.upgrade_progress(Some(progress));
        }
        let is_recent = |logged: Instant| logged.elapsed() < LOG_EVERY;
        if !self.logged.is_some_and(is_recent) {
            self.logged = Some(Instant::now());
            let UpgradeProgress { what, done, of } = progress;
            tracing::info!(journal = %self.file.display(), what, done, of, "the journal is brought up to a new version");
        }
    }

    /// Reports that it is done, where anything was to be done.
    pub(super) fn end(self) {
        if self.logged.is_some() {
            if let Some(observer) = self.observer {
                observer.upgrade_progress(None);
            }
            let seconds = self.began.elapsed().as_secs();
            tracing::info!(journal = %self.file.display(), seconds, "the journal is up to date");
        }
    }
}
