//! The connections of one worker to one origin that wait for their next call: a party's own, or the origin's.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::Origin;
use super::connection::UpstreamConnection;
use super::dial::Dial;

/// Never more connections than calls were in flight at once, which the bulkheads bound.
pub(super) struct Pool {
    owner: Weak<dyn Any + Send + Sync>,
    dial: Dial,
    /// The one that was used last is at the end and is taken first, so that those which are not
    /// needed any more grow old.
    idle: RefCell<Vec<UpstreamConnection>>,
}

impl Pool {
    pub(super) fn new(owner: Weak<dyn Any + Send + Sync>, origin: &Origin) -> Self {
        Self {
            owner,
            dial: Dial::new(Arc::clone(&origin.target)),
            idle: RefCell::default(),
        }
    }

    /// Makes a connection.
    pub(super) const fn dial(&self) -> &Dial {
        &self.dial
    }

    /// A connection that is fit for a call, if there is one; those that are not are closed by the way.
    pub(super) async fn take(&self, now: Instant) -> Option<UpstreamConnection> {
        // Ready at once: the context is all that is wanted.
        poll_fn(|cx| Poll::Ready(self.take_quiet(now, cx))).await
    }

    fn take_quiet(&self, now: Instant, cx: &mut Context<'_>) -> Option<UpstreamConnection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(mut connection) = idle.pop() {
            if !connection.is_over(now) && connection.is_quiet(cx) {
                return Some(connection);
            }
        }
        None
    }

    /// Has a connection wait for its next call.
    pub(super) fn put(&self, connection: UpstreamConnection) {
        self.idle.borrow_mut().push(connection);
    }

    /// Closes those that have waited too long.
    pub(super) fn close_idle(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|connection| !connection.is_over(now));
        if idle.is_empty() {
            // A party that is called now and then holds no memory meanwhile.
            idle.shrink_to_fit();
        }
    }

    /// Whether its owner is gone.
    pub(super) fn is_orphaned(&self) -> bool {
        self.owner.strong_count() == 0
    }
}
