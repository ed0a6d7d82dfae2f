//! What the supervisor tells the workers.

use std::sync::Arc;

use tokio::sync::watch;

use super::routes::Routes;
use super::{Identity, Warning};

/// What the supervisor tells the workers.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) routes: watch::Sender<Arc<Routes>>,
    pub(super) identity: watch::Sender<Option<Identity>>,
    /// Those in reach, while others may not be.
    pub(super) present: watch::Sender<Option<Identity>>,
    pub(super) warnings: watch::Sender<Vec<Warning>>,
    /// Whether every server was tried once, in vain or not.
    pub(super) tried: watch::Sender<bool>,
}

impl Default for Published {
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
