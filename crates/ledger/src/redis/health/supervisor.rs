//! The [`Supervisor`] keeps the connections: it finds the servers, connects, and checks them again and again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::identity::Identity;
use super::known_servers::{CheckOutcome, CheckSummary, KnownServers, ReachableServer};
use super::pace::{CHECK_EVERY, MIN_PAUSE, RETRY_EVERY, pause};
use super::probe::{inspect, probe};
use super::status::Status;
use super::status_publisher::{IdentityUpdate, StatusPublisher};
use crate::redis::commands::key::Keyspace;
use crate::redis::connection::clock::WallClock;
use crate::redis::connection::dialer::Dialer;
use crate::redis::connection::fault::Fault;
use crate::redis::connection::large_value_connection::LargeValueConnection;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::connection::wake::Wake;
use crate::redis::out_of_reach::OutOfReach;
use crate::redis::settings::address::ServerAddress;
use crate::redis::settings::{Settings, Topology};
use crate::redis::topology::cluster;
use crate::redis::topology::layout::Layout;
use crate::redis::topology::redirections::Redirections;
use crate::redis::topology::routes::Routes;
use crate::redis::topology::sentinel::Sentinels;

/// A server whose connection breaks during a check is connected to and asked so often: a broken connection says
/// nothing of the server.
const ASKED_AT_MOST: usize = 2;

/// A connection to a server without slots that a redirection named is kept for this time.
const EXTRA_FOR: Duration = Duration::from_mins(1);

/// A `Supervisor` keeps the connections and publishes the status of Redis.
#[derive(Debug)]
pub(crate) struct Supervisor {
    settings: Settings,
    clock: WallClock,
    keys: Keyspace,
    dialer: Dialer,
    sentinels: Option<Sentinels>,
    status: Arc<Status>,
    publisher: StatusPublisher,
    known_servers: KnownServers,
    wake: Arc<Wake>,
    extras: Vec<(ServerAddress, Instant)>,
    redirections: Redirections,
    turn: usize,
}

impl Supervisor {
    pub(crate) fn new(
        settings: Settings,
        clock: WallClock,
        status: Arc<Status>,
        wake: Arc<Wake>,
    ) -> Self {
        let sentinels = match &settings.topology {
            Topology::Sentinel { service, nodes } => {
                Some(Sentinels::new(service, nodes, &settings, &wake))
            }
            Topology::Standalone(_) | Topology::Cluster { .. } => None,
        };
        Self {
            keys: Keyspace::of(&settings),
            dialer: Dialer::to_servers(&settings, &wake),
            settings,
            clock,
            sentinels,
            publisher: StatusPublisher::new(Arc::clone(&status)),
            known_servers: KnownServers::default(),
            status,
            wake,
            extras: Vec::new(),
            redirections: Redirections::default(),
            turn: 0,
        }
    }

    /// Runs until the store is dropped.
    pub(crate) async fn run(mut self) {
        while !self.wake.is_stopped() {
            let routes = Arc::clone(&self.status.routes.borrow());
            self.check(&routes).await;
            self.status.tried.send_replace(true);
            let routes = Arc::clone(&self.status.routes.borrow());
            if routes.is_whole() {
                let _ = timeout(CHECK_EVERY, self.wake.woken()).await;
                self.report_closed(&routes);
                let slow = |connection: &Arc<SharedConnection>| {
                    connection.why_closed() == Some(OutOfReach::TooSlow)
                };
                sleep(if routes.connections().any(slow) {
                    RETRY_EVERY
                } else {
                    MIN_PAUSE
                })
                .await;
            } else {
                self.turn = self.turn.wrapping_add(1);
                pause(&routes).await;
            }
        }
    }

    /// Publishes that connections were closed. Those that broke are made anew first, and are out of reach only where
    /// that fails.
    fn report_closed(&mut self, routes: &Routes) {
        for connection in routes
            .connections()
            .filter(|connection| !connection.is_broken())
        {
            if let Some(why) = connection.why_closed() {
                self.publisher
                    .out_of_reach(&Fault::of(connection.address(), why));
            }
        }
    }

    async fn check(&mut self, routes: &Routes) {
        let layouts = match self.layouts(routes).await {
            Ok(layouts) => layouts,
            Err(fault) => match routes.layout() {
                // No server says otherwise: the primary may still be the one of before.
                Some(layout) if routes.is_readable() => vec![layout.clone()],
                _ => {
                    let open = Arc::new(routes.without_closed());
                    self.status.routes.send_replace(open);
                    self.publisher.present(None, Instant::now().into_std());
                    return self.publisher.out_of_reach(&fault);
                }
            },
        };
        let mut found: Option<(Layout, Vec<CheckOutcome>)> = None;
        for layout in layouts {
            let outcomes = self.reach(&layout, routes).await;
            let serves =
                |server: &CheckOutcome| server.as_ref().is_ok_and(ReachableServer::takes_writes);
            let whole = outcomes.iter().all(serves);
            if whole || found.is_none() {
                found = Some((layout, outcomes));
            }
            if whole {
                break;
            }
        }
        if let Some((layout, outcomes)) = found {
            self.publish(layout, outcomes, routes).await;
        }
        if self.wake.wants_large_value_connections() {
            self.connect_for_large_values().await;
        }
    }

    /// Returns the possible layouts of the servers, the most probable first.
    async fn layouts(&mut self, routes: &Routes) -> Result<Vec<Layout>, Fault> {
        match (&self.settings.topology, &mut self.sentinels) {
            (Topology::Standalone(address), _) => Ok(vec![Layout::one(address.clone())]),
            (Topology::Cluster { nodes }, _) => cluster::layout(
                nodes,
                routes,
                &self.dialer,
                self.turn,
                self.settings.timeout,
            )
            .await
            .map(|layout| vec![layout]),
            (Topology::Sentinel { .. }, Some(sentinels)) => {
                let primaries = sentinels.primaries().await?;
                Ok(primaries.into_iter().map(Layout::one).collect())
            }
            (Topology::Sentinel { .. }, None) => Err(Fault::new("no Sentinels are named")),
        }
    }

    /// Connects to every server of a layout, or keeps its connection, and probes it.
    async fn reach(&self, layout: &Layout, routes: &Routes) -> Vec<CheckOutcome> {
        let asked = layout.nodes.iter().zip(&layout.tags).enumerate().map(
            async |(owner, (address, tag))| {
                let keys = self.keys.epoch(tag.as_deref());
                let slots = tag.as_ref().map(|_| layout.slots_of(owner));
                let slots = slots.unwrap_or_default();
                let mut asked = 1;
                loop {
                    let connection = match routes.connection_to(address) {
                        Some(connection) => connection,
                        None => SharedConnection::connect(&self.dialer, address).await?,
                    };
                    let within = self.settings.timeout;
                    let probed = probe(&connection, &keys, slots.clone(), self.clock, within).await;
                    let admit = |probed| self.known_servers.admit(Arc::clone(&connection), probed);
                    match probed.and_then(admit) {
                        Ok(met) => return Ok(met),
                        Err(_) if connection.is_broken() && asked < ASKED_AT_MOST => asked += 1,
                        Err(fault) => {
                            connection.close(OutOfReach::Refused);
                            return Err(fault);
                        }
                    }
                }
            },
        );
        join_all(asked).await
    }

    async fn publish(&mut self, layout: Layout, outcomes: Vec<CheckOutcome>, before: &Routes) {
        let extras = self.reach_extras(&layout, before).await;
        self.known_servers.remember(&outcomes, &layout.nodes);
        let found = CheckSummary::of(outcomes);
        let is_layout_whole = layout.is_whole();
        let large_value_connections = layout
            .nodes
            .iter()
            .map(|address| before.large_value_connection_to(address));
        let large_value_connections = large_value_connections.collect();
        let routes = Arc::new(Routes::new(
            Some(layout),
            found.owners,
            extras,
            large_value_connections,
        ));
        self.status.routes.send_replace(Arc::clone(&routes));
        let now = Instant::now().into_std();
        let present = (!found.servers.is_empty()).then(|| Identity::new(found.servers.clone()));
        self.publisher.present(present, now);
        let gap = || (!is_layout_whole).then(|| Fault::new("some slots have no server"));
        if let Some(fault) = found.away.or_else(gap) {
            return self.publisher.out_of_reach(&fault);
        }
        if let Some(fault) = found.read_only {
            return self.publisher.read_only(&fault);
        }
        if self.publisher.in_reach(Identity::new(found.servers), now) == IdentityUpdate::Changed {
            self.inspect(&routes).await;
        }
    }

    /// Makes a connection for large values to every server in reach that has none, or has lost it.
    async fn connect_for_large_values(&self) {
        let routes = Arc::clone(&self.status.routes.borrow());
        let lacking =
            |address: &&ServerAddress| routes.large_value_connection_to(address).is_none();
        if !routes.owners().flatten().any(|address| lacking(&address)) {
            return;
        }
        let asked = routes.owners().map(async |address| {
            let address = address?;
            match routes.large_value_connection_to(address) {
                Some(large_value_connection) => Some(large_value_connection),
                // Large values find no connection, and are tried again later.
                None => SharedConnection::connect(&self.dialer, address)
                    .await
                    .ok()
                    .map(LargeValueConnection::new),
            }
        });
        let large_value_connections = join_all(asked).await;
        let routes = Arc::new(routes.with_large_value_connections(large_value_connections));
        self.status.routes.send_replace(routes);
    }

    /// Returns connections to servers that redirections named and that have no slots yet.
    async fn reach_extras(
        &mut self,
        layout: &Layout,
        routes: &Routes,
    ) -> Vec<Arc<SharedConnection>> {
        let now = Instant::now();
        let wanted = self.wake.take_wanted();
        let topology = &self.settings.topology;
        let within = self.settings.timeout;
        for address in self
            .redirections
            .members_among(wanted, topology, routes, within)
            .await
        {
            self.extras.retain(|(known, _)| *known != address);
            self.extras.push((address, now));
        }
        self.extras.retain(|(address, since)| {
            now.duration_since(*since) < EXTRA_FOR && !layout.nodes.contains(address)
        });
        let asked =
            self.extras
                .iter()
                .map(async |(address, _)| match routes.connection_to(address) {
                    Some(connection) => Ok(connection),
                    None => SharedConnection::connect(&self.dialer, address).await,
                });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn inspect(&self, routes: &Routes) {
        let asked = routes
            .connections()
            .map(|connection| inspect(connection, self.settings.timeout));
        let warnings: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        for warning in &warnings {
            tracing::warn!("Redis can lose data: {warning}");
        }
        self.status.warnings.send_replace(warnings);
    }
}

/// Without a supervisor nothing is in reach.
impl Drop for Supervisor {
    fn drop(&mut self) {
        self.status.routes.send_replace(Arc::default());
        self.status.identity.send_replace(None);
        self.status.present.send_replace(None);
        self.status.tried.send_replace(true);
    }
}
