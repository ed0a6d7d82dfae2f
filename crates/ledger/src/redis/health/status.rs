//! The [`Status`] is what the supervisor publishes to the workers.

use std::sync::Arc;

use tokio::sync::watch;

use super::identity::Identity;
use super::warning::Warning;
use crate::redis::topology::routes::Routes;

/// `Status` is what the supervisor publishes to the workers.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) routes: watch::Sender<Arc<Routes>>,
    pub(crate) identity: watch::Sender<Option<Identity>>,
    /// The servers in reach, while others may not be.
    pub(crate) present: watch::Sender<Option<Identity>>,
    pub(crate) warnings: watch::Sender<Vec<Warning>>,
    /// Whether every server was tried once, with or without success.
    pub(crate) tried: watch::Sender<bool>,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            routes: watch::Sender::new(Arc::default()),
            identity: watch::Sender::new(None),
            present: watch::Sender::new(None),
            warnings: watch::Sender::new(Vec::new()),
            tried: watch::Sender::new(false),
        }
    }
}
