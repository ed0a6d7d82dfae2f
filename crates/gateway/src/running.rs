//! A running gateway: everything that a configuration makes, started, reloaded and drained.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use ledger::shared::{self, Node, OutOfReach, Password};
use ledger::{JournalError, Ledger, Timestamp};
use metrics::{LedgerOperation, Metrics};

use crate::config::{
    BaseUrl, Biller, ClientAuth, Config, Endpoint, Loaded, RedisSettings, Scheme, Topology,
    UpstreamTls, load_billers,
};
use crate::gateway::{Parties, Shared, Worker};
use crate::handler::handle;
use crate::ops;
use crate::redelivery;
use crate::registry::{KakaoParty, RegisteredBiller, Registry};
use crate::server::{self, PublicServer};
use crate::tls::{self, ClientFiles, ServerFiles, ServerTls};
use crate::upstream::{Circuit, Clients, Party};

/// What the journal is given for its last commit where the drain has used up its time.
const LAST_FLUSH: Duration = Duration::from_secs(1);

/// Label of Kakao Pay as an upstream.
const KAKAO: &str = "kakao";

/// A gateway that serves.
#[derive(Debug)]
pub struct Gateway {
    settings: Config,
    shared: Arc<Shared>,
    public: PublicServer,
    ops: ServerHandle,
    ops_address: SocketAddr,
}

impl Gateway {
    /// Starts serving on the calling thread's runtime.
    ///
    /// # Errors
    /// When a certificate cannot be used, the ledger cannot be opened, or an address not be bound.
    pub fn start(loaded: Loaded) -> Result<Self, Box<dyn Error>> {
        let settings = loaded.config;
        let server_tls = server_tls(&settings)?;
        let metrics = Metrics::new(settings.budget.total);
        let parties = parties(&settings, loaded.billers, &metrics)?;
        let ledger = Ledger::open(&ledger_options(&settings, &metrics)?, Timestamp::now())?;
        let shared = Arc::new(Shared::new(&settings, parties, ledger, metrics));

        let public = bind(settings.listen.public)?;
        let ops = bind(settings.listen.ops)?;
        let ops_address = ops.local_addr()?;
        let ops = ops::serve(ops, Arc::clone(&shared))?;
        let ops_handle = ops.handle();
        actix_web::rt::spawn(ops);
        redelivery::start(Rc::new(Worker::new(Arc::clone(&shared), Clients::new())));
        let public = PublicServer::start(public_options(&settings, public, server_tls), {
            let shared = Arc::clone(&shared);
            move || {
                let worker = Rc::new(Worker::new(Arc::clone(&shared), Clients::new()));
                move |arrival| handle(Rc::clone(&worker), arrival)
            }
        })?;
        Ok(Self {
            settings,
            shared,
            public,
            ops: ops_handle,
            ops_address,
        })
    }

    /// Reads every certificate and key that the configuration names, without starting anything.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn check_tls(loaded: &Loaded) -> Result<(), Box<dyn Error>> {
        server_tls(&loaded.config)?;
        let metrics = Metrics::new(loaded.config.budget.total);
        parties(&loaded.config, loaded.billers.clone(), &metrics)?;
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

    /// Reads the billers' files anew. A fault in any of them changes nothing and is told.
    pub fn reload(&self) {
        let directory = &self.settings.billers.directory;
        let loaded = load_billers(directory).map_err(|faults| faults.to_string());
        let registry = loaded.and_then(|billers| {
            let kakao = &self.shared.kakao().party;
            let old = self.shared.registry();
            registry(&self.settings, billers, kakao, &self.shared.metrics, &old)
                .map_err(|fault| fault.to_string())
        });
        match registry {
            Ok(registry) => {
                let old = self.shared.replace_registry(registry);
                let new = self.shared.registry();
                for gone in old
                    .billers()
                    .filter(|biller| new.find(biller.code().as_str()).is_none())
                {
                    self.shared.metrics.forget_biller(gone.code());
                }
                tracing::info!(billers = new.billers().count(), "billers read anew");
            }
            Err(faults) => tracing::error!(%faults, "billers NOT read anew: nothing changed"),
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
        self.ops.stop(false).await;
        flushed
    }
}

fn public_options(
    settings: &Config,
    listener: TcpListener,
    tls: Option<Arc<ServerTls>>,
) -> server::Options {
    let limits = &settings.limits;
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    server::Options {
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

fn ledger_options(
    settings: &Config,
    metrics: &Arc<Metrics>,
) -> Result<ledger::Options, Box<dyn Error>> {
    let ledger = &settings.ledger;
    Ok(ledger::Options {
        directory: ledger.path.clone(),
        retention: ledger.retention,
        shared: ledger.redis.as_ref().map(shared_settings).transpose()?,
        watch: Some(Arc::new(WatchShared(Arc::clone(metrics)))),
    })
}

/// The configured Redis as the ledger takes it.
fn shared_settings(redis: &RedisSettings) -> Result<shared::Settings, Box<dyn Error>> {
    let node = |node: &Endpoint| Node {
        host: node.host().to_owned(),
        port: node.port(),
    };
    let nodes: Vec<Node> = redis.nodes.iter().map(node).collect();
    let topology = match (&redis.topology, nodes.first()) {
        (Topology::Sentinel { service }, _) => shared::Topology::Sentinel {
            service: service.clone(),
            nodes,
        },
        (Topology::Standalone, Some(only)) => shared::Topology::Standalone(only.clone()),
        (Topology::Standalone, None) => return Err("ledger.redis.url: names no server".into()),
        (Topology::Cluster, _) => shared::Topology::Cluster { nodes },
    };
    let tls = redis.tls.as_ref().map(|files| {
        tls::client_config(ClientFiles {
            ca: files.ca.as_deref(),
            certificate: files.certificate.as_deref(),
            private_key: files.private_key.as_deref(),
        })
    });
    Ok(shared::Settings {
        topology,
        database: redis.database,
        username: redis.username.clone(),
        password: redis
            .password
            .as_ref()
            .map(|secret| Password::new(secret.expose())),
        key_prefix: redis.key_prefix.clone(),
        tls: tls.transpose()?,
        timeout: shared::Settings::TIMEOUT,
    })
}

/// Counts how the shared state answers.
struct WatchShared(Arc<Metrics>);

impl ledger::Watch for WatchShared {
    fn shared_operation(&self, took: Duration, reached: Result<(), OutOfReach>) {
        self.0.ledger_operation(LedgerOperation::Redis, took);
        if reached.is_err() {
            self.0.ledger_unavailable(LedgerOperation::Redis);
        }
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, Box<dyn Error>> {
    TcpListener::bind(address)
        .map_err(|error| format!("cannot listen on {address}: {error}").into())
}

fn server_tls(settings: &Config) -> Result<Option<Arc<ServerTls>>, Box<dyn Error>> {
    let Some(tls) = &settings.listen.tls else {
        return Ok(None);
    };
    let client_ca = tls.client_ca.clone().unwrap_or_default();
    let files = ServerFiles {
        certificate: tls.certificate.clone(),
        private_key: tls.private_key.clone(),
        client_auth: match tls.client_auth {
            ClientAuth::Off => tls::ClientAuth::Off,
            ClientAuth::Optional => tls::ClientAuth::Optional(client_ca),
            ClientAuth::Required => tls::ClientAuth::Required(client_ca),
        },
    };
    let tls = ServerTls::load(&files).map_err(|fault| format!("listen.tls: {fault}"))?;
    Ok(Some(Arc::new(tls)))
}

fn parties(
    settings: &Config,
    billers: Vec<Biller>,
    metrics: &Metrics,
) -> Result<Parties, Box<dyn Error>> {
    let (base_url, tls) = (&settings.kakao.base_url, &settings.kakao.tls);
    let kakao = party(settings, KAKAO, base_url, tls, new_circuit(settings))?;
    let registry = registry(settings, billers, &kakao, metrics, &Registry::default())?;
    Ok(Parties {
        kakao: KakaoParty::new(&settings.kakao, kakao),
        registry,
    })
}

/// Registers billers; one whose file says what it said before stays the very same, with its
/// connections, its circuit and its calls in flight.
fn registry(
    settings: &Config,
    billers: Vec<Biller>,
    kakao: &Party,
    metrics: &Metrics,
    old: &Registry,
) -> Result<Registry, Box<dyn Error>> {
    let registered = billers.into_iter().map(|biller| {
        let former = old.find(biller.code.as_str());
        if let Some(same) = former.filter(|former| former.settings == biller) {
            return Ok(Arc::clone(same));
        }
        let circuit = former.map_or_else(
            || new_circuit(settings),
            |former| former.party.circuit().clone(),
        );
        let party = party(
            settings,
            biller.code.as_str(),
            &biller.base_url,
            &biller.tls,
            circuit,
        )?;
        let former = former.map(Arc::as_ref);
        Ok(Arc::new(RegisteredBiller::new(
            biller, party, kakao, metrics, former,
        )?))
    });
    Ok(Registry::new(
        registered.collect::<Result<Vec<_>, Box<dyn Error>>>()?,
    ))
}

fn new_circuit(settings: &Config) -> Circuit {
    Circuit::new(settings.circuit.failures.get(), settings.circuit.open_for)
}

fn party(
    settings: &Config,
    label: &str,
    base_url: &BaseUrl,
    files: &UpstreamTls,
    circuit: Circuit,
) -> Result<Arc<Party>, Box<dyn Error>> {
    let tls = match base_url.scheme() {
        Scheme::Http => None,
        Scheme::Https => {
            let config = tls::client_config(ClientFiles {
                ca: files.ca.as_deref(),
                certificate: files.certificate.as_deref(),
                private_key: files.private_key.as_deref(),
            });
            Some(config.map_err(|fault| format!("{label}: tls: {fault}"))?)
        }
    };
    let answer_limit_bytes = settings.limits.answer_body_bytes;
    Ok(Arc::new(Party::new(
        label,
        base_url,
        tls,
        answer_limit_bytes,
        circuit,
    )?))
}
