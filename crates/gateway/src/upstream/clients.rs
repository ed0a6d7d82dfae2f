//! The connection pools of one worker.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::HashMap;
use tokio::time::Instant;

use super::answer::CallReport;
use super::call::call;
use super::pool::Pool;
use super::request::Exchange;
use super::{Origin, Party, Repeat, UpstreamRequest};

/// How often at most the pools are swept for idle connections and dropped owners.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// The connection pools of one worker.
///
/// A call that may be repeated uses the pool of its origin, which the parties of the origin share. Any other call
/// uses the pool of its own party. A pool holds idle connections only, so a party that does not answer occupies no
/// connection of another one. The parties and origins in use bound the number of pools.
pub struct Clients {
    /// The key is the owner's address in memory. The pool's `Weak` prevents its reuse.
    pools: RefCell<HashMap<*const (), Rc<Pool>>>,
    swept_at: Cell<Instant>,
    /// The number of pools at which a new one causes a sweep: twice the number that the last sweep left, so that
    /// the cost per new pool is constant.
    sweep_at_pools: Cell<usize>,
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}

impl Clients {
    /// Starts without pools.
    pub fn new() -> Self {
        Self {
            pools: RefCell::default(),
            swept_at: Cell::new(Instant::now()),
            sweep_at_pools: Cell::new(1),
        }
    }

    /// Sends `request` to `party` and reads the whole answer, until `deadline` at the latest. The measured time
    /// begins with this call, not with the first poll.
    ///
    /// Does not use the party's circuit: call [`Circuit::admit`](super::Circuit::admit) before and
    /// [`CircuitPermit::record`](super::CircuitPermit::record) after. Dropping the future closes the call's
    /// connection.
    pub fn call(
        &self,
        party: &Arc<Party>,
        request: UpstreamRequest<'_>,
        deadline: Instant,
        repeat: Repeat,
    ) -> impl Future<Output = CallReport> + use<> {
        let now = Instant::now();
        let exchange = Exchange {
            request: request.to_bytes(),
            answer_max_bytes: party.answer_limit_bytes(),
            answer_memory: Arc::clone(party.answer_memory()),
            repeat,
            deadline,
        };
        let pool = match repeat {
            Repeat::Safe => self.pool(party.origin(), party.origin(), now),
            Repeat::Never => self.pool(party, party.origin(), now),
        };
        call(pool, exchange, now)
    }

    /// Closes the pools of dropped parties and origins and the connections that have been idle for too long. Calls
    /// do this regularly; a worker without calls may call it.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.swept_at.set(now);
        self.pools.borrow_mut().retain(|_, pool| {
            pool.close_idle(now);
            !pool.is_owner_gone()
        });
        self.sweep_at_pools
            .set(2 * self.pools.borrow().len().max(1));
    }

    fn pool<O: Any + Send + Sync>(
        &self,
        owner: &Arc<O>,
        origin: &Origin,
        now: Instant,
    ) -> Rc<Pool> {
        if now.saturating_duration_since(self.swept_at.get()) >= SWEEP_EVERY {
            self.sweep();
        }
        let key = Arc::as_ptr(owner).cast();
        if let Some(pool) = self.pools.borrow().get(&key) {
            return Rc::clone(pool);
        }
        // After a reload, a new owner often replaces a dropped one.
        if self.pools.borrow().len() >= self.sweep_at_pools.get() {
            self.sweep();
        }
        let weak: Weak<O> = Arc::downgrade(owner);
        let pool = Pool::new(weak, origin);
        self.pools.borrow_mut().insert(key, Rc::clone(&pool));
        pool
    }
}
