//! What all workers share, and what each has for itself.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use ledger::Ledger;
use metrics::Metrics;

use tokio_util::task::TaskTracker;

use crate::config::Sha256;
use crate::registry::{KakaoParty, Registry};
use crate::upstream::Clients;

/// What all workers of one gateway share.
#[derive(Debug)]
pub struct Shared {
    /// How long a call may take, from its head to its answer.
    pub budget: Duration,
    /// The largest request body.
    pub request_body_bytes: usize,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The ledger.
    pub ledger: Ledger,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// The digest of the admin API's token; `None`: that API is off.
    pub admin_token_sha256: Option<Sha256>,
    /// Pay-results that are being delivered again; a stop waits for them.
    pub redeliveries: TaskTracker,
    kakao: KakaoParty,
    registry: RwLock<Arc<Registry>>,
    draining: AtomicBool,
}

/// The parts of [`Shared`] that the configuration decides.
#[derive(Debug)]
pub struct Parties {
    /// Kakao Pay.
    pub kakao: KakaoParty,
    /// The billers.
    pub registry: Registry,
}

impl Shared {
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
            trusted_proxies: settings.listen.trusted_proxies.clone(),
            ledger,
            metrics,
            admin_token_sha256: settings.ops.admin_token_sha256,
            redeliveries: TaskTracker::new(),
            kakao: parties.kakao,
            registry: RwLock::new(Arc::new(parties.registry)),
            draining: AtomicBool::new(false),
        }
    }

    /// Kakao Pay.
    pub const fn kakao(&self) -> &KakaoParty {
        &self.kakao
    }

    /// The billers as they are registered at this moment.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.registry.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Registers other billers from now on, and answers the former ones; calls in flight keep
    /// those that they began with.
    pub fn replace_registry(&self, registry: Registry) -> Arc<Registry> {
        let mut current = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, Arc::new(registry))
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
    shared: Arc<Shared>,
    clients: Clients,
}

impl Worker {
    /// A worker of this gateway.
    pub fn new(shared: Arc<Shared>, clients: Clients) -> Self {
        Self { shared, clients }
    }

    /// What it shares with the others.
    pub fn shared(&self) -> &Shared {
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
