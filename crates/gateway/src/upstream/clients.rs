//! A worker's pools of connections.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::HashMap;
use tokio::time::Instant;

use super::answer::Report;
use super::call::{Exchange, call};
use super::pool::Pool;
use super::{Origin, Party, Repeat, UpstreamRequest};

/// How often, at most, the pools are looked through for idle connections and owners gone.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// The pools of one worker, each made at the first call that needs it. What only reads goes over the
/// connections of its origin, which the parties there share; a pay-result or a link, whose answer settles
/// something, over those of its own party alone. A pool has only connections that wait, so that a party that
/// hangs holds none of another's. Bounded by the number of parties and origins alive.
pub struct Clients {
    /// By the owner's address in memory, which the `Weak` keeps from being used again.
    pools: RefCell<HashMap<*const (), Rc<Pool>>>,
    swept: Cell<Instant>,
    /// So many pools are looked through before another one is made: twice as many as were left the last
    /// time, so that making many costs each of them the same.
    sweep_at: Cell<usize>,
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}

impl Clients {
    /// No pool yet.
    pub fn new() -> Self {
        Self {
            pools: RefCell::default(),
            swept: Cell::new(Instant::now()),
            sweep_at: Cell::new(1),
        }
    }

    /// Sends `request` to `party` and reads the whole answer; ends at the `deadline` at the
    /// latest. The time counts from here on. Knows nothing of the party's circuit: ask
    /// [`Party::circuit`] before, tell it after.
    ///
    /// Dropping the future closes the call's connection.
    pub fn call(
        &self,
        party: &Arc<Party>,
        request: UpstreamRequest<'_>,
        deadline: Instant,
        repeat: Repeat,
    ) -> impl Future<Output = Report> + use<> {
        let now = Instant::now();
        let asked = Exchange {
            request: request.to_bytes(),
            answer_max_bytes: party.answer_limit_bytes(),
            repeat,
        };
        let pool = match repeat {
            Repeat::Safe => self.pool(party.origin(), party.origin(), now),
            Repeat::Never => self.pool(party, party.origin(), now),
        };
        call(pool, asked, (now, deadline))
    }

    /// Closes the pools of parties and origins that are gone, and connections that have waited too long for
    /// their next call. Calls do it by the way; a worker without calls may have it done.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.swept.set(now);
        self.pools.borrow_mut().retain(|_, pool| {
            pool.close_idle(now);
            !pool.is_orphaned()
        });
        self.sweep_at.set(2 * self.pools.borrow().len().max(1));
    }

    fn pool<O: Any + Send + Sync>(
        &self,
        owner: &Arc<O>,
        origin: &Origin,
        now: Instant,
    ) -> Rc<Pool> {
        if now.saturating_duration_since(self.swept.get()) >= SWEEP_EVERY {
            self.sweep();
        }
        let key = Arc::as_ptr(owner).cast();
        if let Some(pool) = self.pools.borrow().get(&key) {
            return Rc::clone(pool);
        }
        // An owner anew often takes the place of one that is gone.
        if self.pools.borrow().len() >= self.sweep_at.get() {
            self.sweep();
        }
        let weak: Weak<O> = Arc::downgrade(owner);
        let pool = Rc::new(Pool::new(weak, origin));
        self.pools.borrow_mut().insert(key, Rc::clone(&pool));
        pool
    }
}
