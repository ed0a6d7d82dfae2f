//! What all workers share, and what each has for itself.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use ledger::Ledger;
use metrics::Metrics;

use tokio_util::task::TaskTracker;

use crate::config::Sha256;
use crate::registry::{KakaoParty, Registry};
use crate::server::ConnectionCounts;
use crate::traces::SpanQueue;
use crate::upstream::Clients;

/// What all workers of one gateway share.
#[derive(Debug)]
pub struct GatewayState {
    /// How long a call may take, from its head to its answer.
    pub budget: Duration,
    /// The largest request body.
    pub request_body_bytes: usize,
    /// The ledger.
    pub ledger: Ledger,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The digest of the admin API's token; `None`: that API is off.
    pub admin_token_sha256: Option<Sha256>,
    /// Pay-results that are being delivered again; a stop waits for them.
    pub redeliveries: TaskTracker,
    /// The public listener's connections, once it serves.
    pub connections: OnceLock<ConnectionCounts>,
    /// Where finished calls are left to be exported; unset where nobody wants traces.
    pub traces: OnceLock<SpanQueue>,
    parties: RwLock<Arc<Parties>>,
    draining: AtomicBool,
}

/// Who may call and who is called: what a reload replaces, all at once.
#[derive(Debug)]
pub struct Parties {
    /// Kakao Pay.
    pub kakao: Arc<KakaoParty>,
    /// The billers.
    pub registry: Arc<Registry>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl GatewayState {
    /// A gateway over this ledger and these parties.
    pub fn new(
        settings: &crate::config::Config,
        parties: Parties,
        ledger: Ledger,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            budget: settings.budget.total,
            request_body_bytes: settings.limits.request_body_bytes,
            ledger,
            metrics,
            admin_token_sha256: settings.ops.admin_token_sha256,
            redeliveries: TaskTracker::new(),
            connections: OnceLock::new(),
            traces: OnceLock::new(),
            parties: RwLock::new(Arc::new(parties)),
            draining: AtomicBool::new(false),
        }
    }

    /// The parties as they are at this moment.
    pub fn parties(&self) -> Arc<Parties> {
        Arc::clone(&self.parties.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The billers as they are registered at this moment.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.parties().registry)
    }

    /// Puts other parties in their place, and answers the former ones; calls in flight keep those that
    /// they began with.
    pub fn replace_parties(&self, parties: Parties) -> Arc<Parties> {
        let mut current = self.parties.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, Arc::new(parties))
    }

    /// Readiness goes off: no new connections are wanted.
    pub fn begin_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the gateway is about to end.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Why the gateway wants no traffic; `None` while it does.
    pub fn unready(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("draining")
        } else if self.ledger.is_journal_writable() {
            None
        } else {
            Some("the journal cannot be written")
        }
    }
}

/// One worker: the shared state, and connections to upstreams of its own.
pub struct Worker {
    shared: Arc<GatewayState>,
    clients: Clients,
}

impl Worker {
    /// A worker of this gateway.
    pub fn new(shared: Arc<GatewayState>, clients: Clients) -> Self {
        Self { shared, clients }
    }

    /// What it shares with the others.
    pub fn shared(&self) -> &GatewayState {
        &self.shared
    }

    /// Its connections to upstreams.
    pub const fn clients(&self) -> &Clients {
        &self.clients
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
