//! A pool of idle connections from one worker to one origin, for one party or for all parties of the origin.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::Origin;
use super::connection::UpstreamConnection;
use super::dial::Dialer;

/// A connection pool. It holds at most as many connections as calls were in flight at once, which the limits of
/// calls in flight bound.
pub(super) struct Pool {
    /// The party or origin that the pool belongs to.
    owner: Weak<dyn Any + Send + Sync>,
    dialer: Dialer,
    /// The connection that was used last is at the end and is taken first, so that surplus ones expire.
    idle: RefCell<Vec<UpstreamConnection>>,
}

impl Pool {
    pub(super) fn new(owner: Weak<dyn Any + Send + Sync>, origin: &Origin) -> Self {
        Self {
            owner,
            dialer: Dialer::new(Arc::clone(&origin.target)),
            idle: RefCell::default(),
        }
    }

    /// The dialer for new connections.
    pub(super) const fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Takes a healthy connection, if there is one, and closes the unhealthy ones that it finds first.
    pub(super) async fn take(&self, now: Instant) -> Option<UpstreamConnection> {
        // The future is ready at once; it only provides the context.
        poll_fn(|cx| Poll::Ready(self.pop_healthy(now, cx))).await
    }

    fn pop_healthy(&self, now: Instant, cx: &mut Context<'_>) -> Option<UpstreamConnection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(mut connection) = idle.pop() {
            if !connection.is_expired(now) && connection.is_healthy(cx) {
                return Some(connection);
            }
        }
        None
    }

    /// Adds a connection that is ready for its next call.
    pub(super) fn put(&self, connection: UpstreamConnection) {
        self.idle.borrow_mut().push(connection);
    }

    /// Closes the connections that have been idle for too long.
    pub(super) fn close_idle(&self, now: Instant) {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|connection| !connection.is_expired(now));
        if idle.is_empty() {
            // A party that is called rarely holds no memory between calls.
            idle.shrink_to_fit();
        }
    }

    /// Whether the party or origin is dropped.
    pub(super) fn is_owner_gone(&self) -> bool {
        self.owner.strong_count() == 0
    }
}
