//! A running gateway: everything that a configuration makes, started, reloaded and drained.

mod ledger_settings;
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

use self::ledger_settings::ledger_options;
pub use self::listeners::Inherited;
use self::listeners::Listeners;
use self::parties::parties;
pub use self::watch::FileWatch;
use crate::config::{ClientAuth, Config, Loaded};
use crate::handler::handle;
use crate::ops;
use crate::redelivery;
use crate::server::{self, PublicServer};
use crate::state::{GatewayState, Worker};
use crate::tls::{self, LoadedServerTls, ServerFiles, ServerTls};
use crate::traces::Exporter;
use crate::upstream::Clients;

/// What the journal is given for its last commit where the drain has used up its time.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// What the traces of the last calls are given.
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
    /// Starts serving on the calling thread's runtime, on the sockets that are held for it where there are
    /// any.
    ///
    /// # Errors
    /// When a certificate cannot be used, the ledger cannot be opened, or an address not be bound.
    pub fn start(loaded: Loaded, inherited: Inherited) -> Result<Self, Box<dyn Error>> {
        let settings = loaded.config;
        let tls = server_tls(&settings)?.map(|loaded| Arc::new(ServerTls::new(loaded)));
        let metrics = Metrics::new(settings.budget.total);
        let parties = parties(&settings, loaded.billers, &metrics, None)?;
        let ledger = Ledger::open(&ledger_options(&settings, &metrics)?, Timestamp::now())?;
        // Last: nobody is to wait in the queue of a gateway that still reads its journal.
        let Listeners { public, ops } = Listeners::open(&settings.listen, inherited)?;
        let shared = Arc::new(GatewayState::new(&settings, parties, ledger, metrics));
        let exporter = exporter(&settings, &shared)?;

        let ops_address = ops.local_addr()?;
        let ops = ops::serve(ops, Arc::clone(&shared))?;
        let ops_handle = ops.handle();
        actix_web::rt::spawn(ops);
        redelivery::start(Rc::new(Worker::new(Arc::clone(&shared), Clients::new())));
        let public = PublicServer::start(public_options(&settings, public, tls.clone()), {
            let shared = Arc::clone(&shared);
            move || {
                shared.ledger.settle_on_this_thread();
                let worker = Rc::new(Worker::new(Arc::clone(&shared), Clients::new()));
                move |incoming| handle(Rc::clone(&worker), incoming)
            }
        })?;
        // Nobody else has set it: these are the first lines of this gateway's life.
        let _ = shared.connections.set(public.connections());
        let gateway = Self {
            settings,
            shared,
            tls,
            public,
            ops: ops_handle,
            ops_address,
            exporter,
        };
        gateway.show_certificates();
        Ok(gateway)
    }

    /// Reads every certificate and key that the configuration names, without starting anything.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn check_tls(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
        server_tls(&loaded.config)?;
        let metrics = Metrics::new(loaded.config.budget.total);
        parties(&loaded.config, loaded.billers.clone(), &metrics, None)?;
        Ok(())
    }

    /// The address of the public listener.
    pub fn public(&self) -> SocketAddr {
        self.public.address()
    }

    /// The address of the ops listener.
    pub const fn ops(&self) -> SocketAddr {
        self.ops_address
    }

    /// Waits for an end of the public listener that nobody asked for.
    pub async fn ended(&mut self) -> std::io::Error {
        match self.public.ended().await {
            Ok(()) => std::io::Error::other("the public listener ended"),
            Err(error) => error,
        }
    }

    /// Drains: readiness off, no new connections, calls in flight end within the drain time, the
    /// journal is committed.
    ///
    /// # Errors
    /// When the journal could not take everything: those facts end with the process.
    pub async fn stop(self) -> Result<(), JournalError> {
        self.shared.begin_draining();
        let began = Instant::now();
        let within = self.settings.limits.drain;
        let drained = self.public.drain(within).await;
        if drained.cut_off > 0 {
            tracing::error!(
                connections = drained.cut_off,
                "calls were cut off by the drain time"
            );
        }
        let redeliveries = &self.shared.redeliveries;
        redeliveries.close();
        // One that began before the drain ends within a budget.
        let _over = tokio::time::timeout(self.shared.budget, redeliveries.wait()).await;
        let left = within.saturating_sub(began.elapsed()).max(LAST_FLUSH);
        let flushed = self.shared.ledger.flush(left).await;
        if let Err(error) = &flushed {
            tracing::error!(%error, "stopping with facts that are in no journal");
        }
        if let Some(exporter) = self.exporter {
            exporter.finish(LAST_EXPORT).await;
        }
        self.ops.stop(false).await;
        flushed
    }
}

/// Has traces exported where the configuration says to whom.
fn exporter(settings: &Config, shared: &GatewayState) -> Result<Option<Exporter>, Box<dyn Error>> {
    let Some(endpoint) = &settings.tracing.otlp_endpoint else {
        return Ok(None);
    };
    let (queue, exporter) =
        Exporter::start(endpoint).map_err(|fault| format!("tracing.otlp_endpoint: {fault}"))?;
    // Nobody else has set it, as with the connections.
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
        trusted_proxies: settings.listen.trusted_proxies.clone(),
        head_timeout: limits.head_timeout,
        idle_timeout: limits.idle_timeout,
        connections: count(limits.connections),
        connections_per_address: count(limits.connections_per_address),
    }
}

/// The listener's TLS as its files say now; `None` for plain HTTP.
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
