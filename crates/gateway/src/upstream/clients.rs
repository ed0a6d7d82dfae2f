//! A worker's pools of connections.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use awc::{Client, Connector};
use tokio::time::Instant;

use super::answer::Report;
use super::call::call;
use super::dial::Dial;
use super::opened::Opened;
use super::{Party, Repeat, UpstreamRequest};

/// How long a connection waits in the pool for its next call. Below what servers commonly keep an
/// idle connection (60 to 75 seconds), so that it is we who let go of it, not they in the moment
/// when a payment is written. A party that announces a shorter time (`Keep-Alive: timeout=5`) is
/// taken at its word.
pub(super) const POOL_IDLE: Duration = Duration::from_secs(15);

/// How long a connection serves at most: names move, load balancers are drained.
const POOL_LIFETIME: Duration = Duration::from_mins(2);

/// The client's own bound on connecting. It is never to come before a call's deadline.
const NEVER: Duration = Duration::from_hours(24);

/// No bound of the client's on calls at once, by its own spelling: the bulkheads are elsewhere,
/// and a call must not wait here.
const NO_LIMIT: usize = 0;

/// How often, at most, the pools are looked through for idle connections and parties gone.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// The pools of one worker: one for each party, made at the party's first call, so that a party
/// that hangs holds nobody else's connections. Bounded by the number of parties alive.
pub struct Clients {
    /// By the party's address in memory, which the `Weak` keeps from being used again.
    pools: RefCell<HashMap<*const Party, Pool>>,
    swept: Cell<Instant>,
    /// So many pools are looked through before another one is made: twice as many as were left the last
    /// time, so that making many costs each of them the same.
    sweep_at: Cell<usize>,
}

struct Pool {
    party: Weak<Party>,
    client: Client,
    opened: Rc<Opened>,
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
    /// latest. Knows nothing of the party's circuit: ask [`Party::circuit`] before, tell it after.
    ///
    /// Dropping the future closes the call's connection. To be awaited on a worker's own thread
    /// (a tokio `LocalSet` or actix's system), where the HTTP client spawns.
    pub async fn call(
        &self,
        party: &Arc<Party>,
        request: UpstreamRequest,
        deadline: Instant,
        repeat: Repeat,
    ) -> Report {
        let client = self.client(party);
        call(&client, party, &request, deadline, repeat).await
    }

    /// Closes the pools of parties that are gone, and connections that have waited too long for
    /// their next call. Calls do it by the way; a worker without calls may have it done.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.swept.set(now);
        self.pools.borrow_mut().retain(|_, pool| {
            pool.opened.close_idle(now);
            pool.party.strong_count() > 0
        });
        self.sweep_at.set(2 * self.pools.borrow().len().max(1));
    }

    fn client(&self, party: &Arc<Party>) -> Client {
        if self.swept.get().elapsed() >= SWEEP_EVERY {
            self.sweep();
        }
        let key = Arc::as_ptr(party);
        if let Some(pool) = self.pools.borrow().get(&key) {
            return pool.client.clone();
        }
        // A party anew often takes the place of one that is gone.
        if self.pools.borrow().len() >= self.sweep_at.get() {
            self.sweep();
        }
        let opened = Rc::default();
        let client = build(party, Rc::clone(&opened));
        let pool = Pool {
            party: Arc::downgrade(party),
            client: client.clone(),
            opened,
        };
        self.pools.borrow_mut().insert(key, pool);
        client
    }
}

fn build(party: &Party, opened: Rc<Opened>) -> Client {
    let connector = Connector::new()
        .connector(Dial::new(Arc::clone(&party.target), opened))
        .timeout(NEVER)
        .limit(NO_LIMIT)
        .conn_keep_alive(POOL_IDLE)
        .conn_lifetime(POOL_LIFETIME);
    Client::builder()
        .connector(connector)
        .disable_redirects()
        .disable_timeout()
        .no_default_headers()
        .finish()
}
