//! The state of a running gateway: shared by all workers, and per worker.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use ledger::Ledger;
use metrics::{CertificateUse, Metrics};

use tokio_util::task::TaskTracker;

use crate::config::Sha256;
use crate::logging::LineRate;
use crate::registry::{KakaoParty, Registry};
use crate::server::ConnectionCounts;
use crate::tls::ServerTls;
use crate::traces::SpanQueue;
use crate::upstream::Clients;

/// The state that all workers of one gateway share.
#[derive(Debug)]
pub struct GatewayState {
    /// `budget.total`: the longest time from a request's head to its answer.
    pub budget: Duration,
    /// `limits.request_body`.
    pub request_body_bytes: usize,
    /// The ledger.
    pub ledger: Ledger,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Digest of the admin token; `None` turns the admin API off.
    pub admin_token_sha256: Option<Sha256>,
    /// Redeliveries under way; a shutdown waits for them.
    pub redeliveries: TaskTracker,
    /// Connection counts of the public listener; unset until it serves.
    pub connections: OnceLock<ConnectionCounts>,
    /// The queue to the trace exporter; unset without `tracing.otlp_endpoint`.
    pub traces: OnceLock<SpanQueue>,
    /// The TLS of the public listener; unset for plain HTTP.
    pub tls: OnceLock<Arc<ServerTls>>,
    /// The ends of the certificates of `[ledger.redis]`, in seconds since 1970; unset without TLS to Redis.
    pub redis_certificates: OnceLock<Vec<(CertificateUse, i64)>>,
    /// The rate of log lines about pay-results from foreign addresses.
    pub foreign_pay_results: LineRate,
    parties: RwLock<Arc<Parties>>,
    draining: AtomicBool,
}

/// Kakao Pay and the billers. A reload replaces all of them at once.
#[derive(Debug)]
pub struct Parties {
    /// Kakao Pay.
    pub kakao: Arc<KakaoParty>,
    /// The billers.
    pub registry: Arc<Registry>,
    /// Addresses whose `X-Forwarded-For` is read: `listen.trusted_proxies`, or none with `listen.proxy_protocol`.
    pub forwarded_for_from: Vec<IpNet>,
}

impl GatewayState {
    /// Returns the state of a gateway with this ledger and these parties.
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
            tls: OnceLock::new(),
            redis_certificates: OnceLock::new(),
            foreign_pay_results: LineRate::default(),
            parties: RwLock::new(Arc::new(parties)),
            draining: AtomicBool::new(false),
        }
    }

    /// Returns the current parties.
    pub fn parties(&self) -> Arc<Parties> {
        Arc::clone(&self.parties.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the current registry of billers.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.parties().registry)
    }

    /// Replaces the parties and returns the previous ones. Calls in flight keep the ones they started with.
    pub fn replace_parties(&self, parties: Parties) -> Arc<Parties> {
        let mut current = self.parties.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, Arc::new(parties))
    }

    /// Turns readiness off.
    pub fn begin_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Returns whether the gateway is shutting down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Returns why readiness is off; `None` while it is on.
    pub fn unready(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("draining")
        } else if !self.ledger.is_journal_writable() {
            Some("the journal cannot be written")
        } else if self.ledger.is_node_number_taken() {
            Some("another process runs with this node's number")
        } else if self.ledger.is_catching_up() {
            Some("this node is new and does not have the facts of the other nodes yet")
        } else {
            None
        }
    }
}

/// One worker: the shared state and the worker's own upstream connections.
pub struct Worker {
    shared: Arc<GatewayState>,
    clients: Clients,
}

impl Worker {
    /// Returns a worker.
    pub fn new(shared: Arc<GatewayState>, clients: Clients) -> Self {
        Self { shared, clients }
    }

    /// Returns the shared state.
    pub fn shared(&self) -> &GatewayState {
        &self.shared
    }

    /// Returns the worker's upstream connections.
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
