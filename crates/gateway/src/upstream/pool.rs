//! A pool of idle connections from one worker to one origin, for one party or for all parties of the origin.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::Instant;

use super::connection::{IdleState, UpstreamConnection};
use super::dial::Dialer;
use super::idle_times::KnownIdleTimes;
use super::{Origin, Repeat};

/// A connection pool. It holds at most as many connections as calls were in flight at once, which the limits of
/// calls in flight bound, and one more that only shows how long the origin lets it be idle.
///
/// A task watches the idle connections and closes at once what the origin closes.
pub(super) struct Pool {
    /// The party or origin that the pool belongs to.
    owner: Weak<dyn Any + Send + Sync>,
    dialer: Dialer,
    /// The connection that was used last is at the end and is taken first, so that surplus ones expire.
    idle: RefCell<Vec<UpstreamConnection>>,
    /// Wakes the task that watches `idle`; `None` until it has run.
    watcher: RefCell<Option<Waker>>,
}

impl Pool {
    /// Returns an empty pool, and watches what will be in it for as long as it exists.
    pub(super) fn new(owner: Weak<dyn Any + Send + Sync>, origin: &Origin) -> Rc<Self> {
        let pool = Rc::new(Self {
            owner,
            dialer: Dialer::new(Arc::clone(&origin.target)),
            idle: RefCell::default(),
            watcher: RefCell::default(),
        });
        let watched = Rc::downgrade(&pool);
        // Every connection is looked at, however many there are, or the rest would not be watched.
        drop(tokio::task::spawn_local(unconstrained(poll_fn(
            move |cx| match watched.upgrade() {
                Some(pool) => {
                    pool.close_ended(cx);
                    Poll::Pending
                }
                None => Poll::Ready(()),
            },
        ))));
        pool
    }

    /// The dialer for new connections.
    pub(super) const fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// Takes a connection that may carry the call, if there is one, and closes the unhealthy ones that it finds first.
    pub(super) async fn take(&self, repeat: Repeat, now: Instant) -> Option<UpstreamConnection> {
        // The future is ready at once; it only provides the context.
        poll_fn(|cx| {
            Poll::Ready(match repeat {
                Repeat::Safe => self.pop_healthy(now, cx),
                Repeat::Never => self.pop_certain(now, cx),
            })
        })
        .await
    }

    fn pop_healthy(&self, now: Instant, cx: &mut Context<'_>) -> Option<UpstreamConnection> {
        let mut idle = self.idle.borrow_mut();
        while let Some(mut connection) = idle.pop() {
            if connection.is_expired(now) {
                continue;
            }
            if connection.is_healthy(cx) {
                return Some(connection);
            }
            self.learn_closed(connection.idle_time(now), now);
        }
        None
    }

    /// Takes a connection that its origin does not close before a request has arrived. A connection that is idle for too
    /// long for that serves no call of this pool any more; only the oldest is left, to learn from.
    fn pop_certain(&self, now: Instant, cx: &mut Context<'_>) -> Option<UpstreamConnection> {
        let mut idle = self.idle.borrow_mut();
        let proven = self.proven_by_oldest(&mut idle, now);
        while let Some(mut connection) = idle.pop_if(|last| last.is_certain(proven, now)) {
            match connection.idle_state(cx) {
                IdleState::Open => return Some(connection),
                IdleState::Unknown => {}
                IdleState::Ended => self.learn_closed(connection.idle_time(now), now),
            }
        }
        idle.truncate(1);
        idle.retain(|oldest| !oldest.is_expired(now));
        None
    }

    /// Returns the idle time that is proven, also by the connection that has been idle for longest.
    fn proven_by_oldest(&self, idle: &mut [UpstreamConnection], now: Instant) -> Duration {
        let times = &self.dialer.target().idle_times;
        let KnownIdleTimes { proven, outlived } = times.known(now);
        let Some(oldest) = idle.first_mut() else {
            return proven;
        };
        let age = oldest.idle_time(now);
        if age <= outlived {
            return proven;
        }
        let watcher = self.watcher.borrow();
        let waker = watcher.as_ref().unwrap_or(Waker::noop());
        match oldest.idle_state(&mut Context::from_waker(waker)) {
            IdleState::Open => times.outlived(age),
            IdleState::Unknown => return proven,
            IdleState::Ended => times.closed(age, now),
        }
        times.known(now).proven
    }

    /// Records that the origin has closed a connection after this idle time.
    pub(super) fn learn_closed(&self, idle: Duration, now: Instant) {
        self.dialer.target().idle_times.closed(idle, now);
    }

    /// Adds a connection that is ready for its next call.
    pub(super) fn put(&self, mut connection: UpstreamConnection) {
        if let Some(watcher) = &*self.watcher.borrow()
            && !connection.is_healthy(&mut Context::from_waker(watcher))
        {
            self.learn_closed(Duration::ZERO, Instant::now());
            return;
        }
        self.idle.borrow_mut().push(connection);
    }

    /// Closes the idle connections that the origin has closed or sent bytes on, and has the task of `cx` woken for the
    /// next ones.
    fn close_ended(&self, cx: &mut Context<'_>) {
        *self.watcher.borrow_mut() = Some(cx.waker().clone());
        self.idle.borrow_mut().retain_mut(|connection| {
            let is_healthy = connection.is_healthy(cx);
            if !is_healthy {
                let now = Instant::now();
                self.learn_closed(connection.idle_time(now), now);
            }
            is_healthy
        });
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

/// Ends the task that watched the pool.
impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.wake();
        }
    }
}
