//! A running gateway: start, reload and drain of everything that a configuration describes.

mod descriptors;
mod identity;
mod ledger_settings;
mod left_behind;
mod listeners;
mod origins;
mod parties;
mod reload;
mod watch;

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use ledger::{JournalError, Ledger, Timestamp};
use metrics::Metrics;

use self::identity::Judged;
use self::ledger_settings::{ledger_options, redis_certificates};
pub use self::listeners::Inherited;
use self::listeners::{BoundSockets, Listeners};
use self::parties::parties;
pub use self::watch::FileWatch;
use crate::config::{Biller, ClientAuth, Config, Loaded, Places};
use crate::expiry;
use crate::handler::handle;
use crate::ops;
use crate::redelivery;
use crate::refused;
use crate::server::{self, PublicServer};
use crate::state::{GatewayState, Worker};
use crate::tls::{self, LoadedServerTls, ServerFiles, ServerTls};
use crate::traces::Exporter;
use crate::upstream::Clients;

/// Time for the journal's last commit if calls have used up the drain time.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Time for exporting the traces of the last calls.
const LAST_EXPORT: Duration = Duration::from_secs(1);

/// A gateway that serves.
#[derive(Debug)]
pub struct Gateway {
    settings: Config,
    shared: Arc<GatewayState>,
    tls: Option<Arc<ServerTls>>,
    public: PublicServer,
    ops: ServerHandle,
    ops_address: SocketAddr,
    exporter: Option<Exporter>,
}

impl Gateway {
    /// Starts serving on the calling thread's runtime. Inherited sockets are used for their addresses.
    ///
    /// # Errors
    /// If a certificate is unusable, the ledger cannot be opened, or an address cannot be bound.
    pub fn start(loaded: Loaded, inherited: Inherited) -> Result<Self, Box<dyn Error>> {
        let (settings, places) = (loaded.config, loaded.places);
        // The settings keep what is configured: a reload compares them with the files.
        let connections = descriptors::connections_within_limit(settings.limits.connections)?;
        // Bound first: a second gateway on the same machine must not touch the journal or Redis.
        let bound = BoundSockets::bind(&settings.listen, inherited, &places)?;
        let metrics = Metrics::new(settings.budget.total);
        let tls = server_tls(&settings)?;
        let tls = tls.map(|tls| Arc::new(ServerTls::counting(tls, metrics.inbound_handshakes())));
        let redis_certificates = redis_certificates(&settings)?;
        let ledger = open_ledger(&settings, &places, &metrics)?;
        let mut billers = loaded.billers;
        judge_identities(&ledger, &mut billers)?;
        let parties = parties(&settings, billers, &metrics, None)?;
        refused::mark_bills_again(&ledger, &parties.registry);
        // Listening last: callers must not queue while the journal is still being read.
        let Listeners { public, ops } = bound.listen(&settings.listen, &places)?;
        let shared = Arc::new(GatewayState::new(&settings, parties, ledger, metrics));
        // Set only here, so these cannot fail.
        let _ = shared.redis_certificates.set(redis_certificates);
        if let Some(tls) = &tls {
            let _ = shared.tls.set(Arc::clone(tls));
        }
        let exporter = exporter(&settings, &shared)?;

        let ops_address = ops.local_addr()?;
        let ops = ops::serve(ops, settings.ops.hosts.clone(), Arc::clone(&shared))?;
        let ops_handle = ops.handle();
        actix_web::rt::spawn(ops);
        redelivery::start(Rc::new(Worker::new(Arc::clone(&shared), Clients::new())));
        let options = server::ServerOptions {
            connections: usize::try_from(connections).unwrap_or(usize::MAX),
            ..public_options(&settings, public, tls.clone())
        };
        let public = PublicServer::start(options, {
            let shared = Arc::clone(&shared);
            move || {
                shared.ledger.use_thread_connections();
                let worker = Rc::new(Worker::new(Arc::clone(&shared), Clients::new()));
                move |incoming| handle(Rc::clone(&worker), incoming)
            }
        })?;
        // Set only here, so this cannot fail.
        let _ = shared.connections.set(public.connections());
        expiry::start(Arc::clone(&shared));
        left_behind::warn_of(&shared, left_behind::unregistered(&shared));
        Ok(Self {
            settings,
            shared,
            tls,
            public,
            ops: ops_handle,
            ops_address,
            exporter,
        })
    }

    /// Reads every certificate and key that the configuration names, without starting anything.
    ///
    /// # Errors
    /// If one of them is unusable.
    pub fn check_tls(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
        server_tls(&loaded.config)?;
        let metrics = Metrics::new(loaded.config.budget.total);
        parties(&loaded.config, loaded.billers.clone(), &metrics, None)?;
        Ok(())
    }

    /// Returns the address of the public listener.
    pub fn public(&self) -> SocketAddr {
        self.public.address()
    }

    /// Returns the address of the ops listener.
    pub const fn ops(&self) -> SocketAddr {
        self.ops_address
    }

    /// Waits until the public listener fails.
    pub async fn ended(&mut self) -> std::io::Error {
        match self.public.ended().await {
            Ok(()) => std::io::Error::other("the public listener ended"),
            Err(error) => error,
        }
    }

    /// Drains: turns readiness off, accepts no new connections, waits up to `limits.drain` for the calls in
    /// flight, and commits the journal.
    ///
    /// # Errors
    /// If the journal could not be written; the unwritten facts are lost with the process.
    pub async fn stop(self) -> Result<(), JournalError> {
        self.shared.begin_draining();
        let began = Instant::now();
        let within = self.settings.limits.drain;
        let drained = self.public.drain(within).await;
        if drained.cut_off > 0 {
            tracing::error!(
                connections = drained.cut_off,
                "calls were cut off at the end of the drain time"
            );
        }
        let redeliveries = &self.shared.redeliveries;
        redeliveries.close();
        // A redelivery ends within one budget.
        let _over = tokio::time::timeout(self.shared.budget, redeliveries.wait()).await;
        let left = within.saturating_sub(began.elapsed()).max(LAST_FLUSH);
        let flushed = self.shared.ledger.flush(left).await;
        if let Err(error) = &flushed {
            tracing::error!(%error, "stopping with facts that are in no journal");
        }
        self.shared.ledger.leave().await;
        if let Some(exporter) = self.exporter {
            exporter.finish(LAST_EXPORT).await;
        }
        self.ops.stop(false).await;
        flushed
    }
}

/// Opens the ledger. A Redis that is out of reach does not matter; one that refuses user or password is a fault of the
/// configuration.
fn open_ledger(
    settings: &Config,
    places: &Places,
    metrics: &Arc<Metrics>,
) -> Result<Ledger, Box<dyn Error>> {
    let options = ledger_options(settings, metrics)?;
    let inquiries = options.redis.as_ref().map(ledger::redis::inquire);
    for inquiry in inquiries.unwrap_or_default() {
        if inquiry.is_refused {
            let message = format!(
                "{inquiry}: check `username`, the password (in `url`, `password_file` or `password_env`) and what the \
                 user may do (deploy/redis/users.acl)"
            );
            return Err(places.fault("ledger.redis.url", message).into());
        }
    }
    Ledger::open(&options, Timestamp::now())
        .map_err(|error| places.fault("ledger.path", error.to_string()).into())
}

/// Gives each biller the identity parameters that are in force, for a start must not fail for one biller's file.
fn judge_identities(ledger: &Ledger, billers: &mut [Biller]) -> Result<(), JournalError> {
    let judged = Judged::of(ledger, billers, Timestamp::now())?;
    for refused in &judged.refused {
        tracing::error!(%refused, "the former identity parameters stay in force");
    }
    judged.keep(ledger);
    Ok(())
}

/// Starts the trace exporter if `tracing.otlp_endpoint` is set.
fn exporter(settings: &Config, shared: &GatewayState) -> Result<Option<Exporter>, Box<dyn Error>> {
    let Some(endpoint) = &settings.tracing.otlp_endpoint else {
        return Ok(None);
    };
    let (queue, exporter) =
        Exporter::start(endpoint).map_err(|fault| format!("tracing.otlp_endpoint: {fault}"))?;
    // Set only here, so this cannot fail.
    let _ = shared.traces.set(queue);
    Ok(Some(exporter))
}

fn public_options(
    settings: &Config,
    listener: TcpListener,
    tls: Option<Arc<ServerTls>>,
) -> server::ServerOptions {
    let limits = &settings.limits;
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    server::ServerOptions {
        listener,
        workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        tls,
        trusted_proxies: trusted_proxies(settings),
        head_timeout: limits.head_timeout,
        idle_timeout: limits.idle_timeout,
        connections: count(limits.connections),
        connections_per_address: count(limits.connections_per_address),
    }
}

fn trusted_proxies(settings: &Config) -> server::TrustedProxies {
    server::TrustedProxies {
        networks: settings.listen.trusted_proxies.clone(),
        proxy_protocol: settings.listen.proxy_protocol,
    }
}

/// Loads the listener's TLS files; `None` for plain HTTP.
fn server_tls(settings: &Config) -> Result<Option<LoadedServerTls>, Box<dyn Error>> {
    let Some(tls) = &settings.listen.tls else {
        return Ok(None);
    };
    let client_ca = tls.client_ca.clone().unwrap_or_default();
    let files = ServerFiles {
        certificate: tls.certificate.clone(),
        private_key: tls.private_key.clone(),
        client_auth: match tls.client_auth {
            ClientAuth::Off => tls::ClientVerification::Off,
            ClientAuth::Optional => tls::ClientVerification::Optional(client_ca),
            ClientAuth::Required => tls::ClientVerification::Required(client_ca),
        },
    };
    let loaded = LoadedServerTls::load(&files).map_err(|fault| format!("listen.tls: {fault}"))?;
    Ok(Some(loaded))
}
