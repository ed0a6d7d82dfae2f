//! Keeps the connections: finds the servers, connects, asks who they are, again and again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::bulk::Bulk;
use super::dial::Dial;
use super::fault::Fault;
use super::herald::{Herald, News};
use super::key::Keyspace;
use super::layout::Layout;
use super::link::Link;
use super::met::{Acquaintances, Found, Met, Reached};
use super::pace::{BREATH, LOOK_EVERY, RETRY_EVERY, rest};
use super::probe::{inspect, probe};
use super::published::Published;
use super::redirections::Redirections;
use super::routes::Routes;
use super::sentinel::Sentinels;
use super::wake::Wake;
use super::{Identity, Node, OutOfReach, Settings, Topology, WallClock, cluster};

/// How often a server is asked in one look whose connections break while it is asked. That says
/// nothing of it: somebody may have ended them.
const ASKED_AT_MOST: usize = 2;

/// How long a connection to a server without slots is kept that a redirection named.
const EXTRA_FOR: Duration = Duration::from_mins(1);

/// Keeps the connections.
#[derive(Debug)]
pub(super) struct Supervisor {
    settings: Settings,
    clock: WallClock,
    keys: Keyspace,
    dial: Dial,
    sentinels: Option<Sentinels>,
    published: Arc<Published>,
    herald: Herald,
    acquaintances: Acquaintances,
    wake: Arc<Wake>,
    extras: Vec<(Node, Instant)>,
    redirections: Redirections,
    turn: usize,
}

impl Supervisor {
    pub(super) fn new(
        settings: Settings,
        clock: WallClock,
        published: Arc<Published>,
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
            dial: Dial::to_servers(&settings, &wake),
            settings,
            clock,
            sentinels,
            herald: Herald::new(Arc::clone(&published)),
            acquaintances: Acquaintances::default(),
            published,
            wake,
            extras: Vec::new(),
            redirections: Redirections::default(),
            turn: 0,
        }
    }

    /// Runs until nobody uses the store any more.
    pub(super) async fn run(mut self) {
        while !self.wake.is_stopped() {
            let routes = Arc::clone(&self.published.routes.borrow());
            self.look(&routes).await;
            self.published.tried.send_replace(true);
            let routes = Arc::clone(&self.published.routes.borrow());
            if routes.is_whole() {
                let _ = timeout(LOOK_EVERY, self.wake.woken()).await;
                self.tell_closed(&routes);
                let slow = |link: &Arc<Link>| link.why_closed() == Some(OutOfReach::TooSlow);
                sleep(if routes.links().any(slow) {
                    RETRY_EVERY
                } else {
                    BREATH
                })
                .await;
            } else {
                self.turn = self.turn.wrapping_add(1);
                rest(&routes).await;
            }
        }
    }

    /// Connections that broke are made anew first; only where that fails there is something to tell.
    fn tell_closed(&mut self, routes: &Routes) {
        for link in routes.links().filter(|link| !link.is_broken()) {
            if let Some(why) = link.why_closed() {
                self.herald.out_of_reach(&Fault::of(link.node(), why));
            }
        }
    }

    async fn look(&mut self, routes: &Routes) {
        let layouts = match self.layouts(routes).await {
            Ok(layouts) => layouts,
            Err(fault) => match routes.layout() {
                // Nobody says otherwise: whoever was primary may still be.
                Some(layout) if routes.is_readable() => vec![layout.clone()],
                _ => {
                    let open = Arc::new(routes.without_closed());
                    self.published.routes.send_replace(open);
                    self.herald.met(None, Instant::now().into_std());
                    return self.herald.out_of_reach(&fault);
                }
            },
        };
        let mut found: Option<(Layout, Vec<Reached>)> = None;
        for layout in layouts {
            let reached = self.reach(&layout, routes).await;
            let serves = |server: &Reached| server.as_ref().is_ok_and(Met::takes_writes);
            let whole = reached.iter().all(serves);
            if whole || found.is_none() {
                found = Some((layout, reached));
            }
            if whole {
                break;
            }
        }
        if let Some((layout, reached)) = found {
            self.publish(layout, reached, routes).await;
        }
        if self.wake.is_bulk_wanted() {
            self.reach_bulks().await;
        }
    }

    /// How the servers may be laid out, the likeliest first.
    async fn layouts(&mut self, routes: &Routes) -> Result<Vec<Layout>, Fault> {
        match (&self.settings.topology, &mut self.sentinels) {
            (Topology::Standalone(node), _) => Ok(vec![Layout::one(node.clone())]),
            (Topology::Cluster { nodes }, _) => {
                cluster::layout(nodes, routes, &self.dial, self.turn, self.settings.timeout)
                    .await
                    .map(|layout| vec![layout])
            }
            (Topology::Sentinel { .. }, Some(sentinels)) => {
                let primaries = sentinels.primaries().await?;
                Ok(primaries.into_iter().map(Layout::one).collect())
            }
            (Topology::Sentinel { .. }, None) => Err(Fault::new("no Sentinels are named")),
        }
    }

    /// Connects to every server of a layout, or keeps its connection, and asks it who it is.
    async fn reach(&self, layout: &Layout, routes: &Routes) -> Vec<Reached> {
        let asked =
            layout
                .nodes
                .iter()
                .zip(&layout.tags)
                .enumerate()
                .map(async |(owner, (node, tag))| {
                    let (key, slots) = match tag {
                        Some(tag) => (self.keys.epoch_in(tag), layout.slots_of(owner)),
                        None => (self.keys.epoch(), Vec::new()),
                    };
                    let mut asked = 1;
                    loop {
                        let link = match routes.link_to(node) {
                            Some(link) => link,
                            None => self.dial.connect(node).await?,
                        };
                        let within = self.settings.timeout;
                        let probed = probe(&link, &key, slots.clone(), self.clock, within).await;
                        let admit = |probed| self.acquaintances.admit(Arc::clone(&link), probed);
                        match probed.and_then(admit) {
                            Ok(met) => return Ok(met),
                            Err(_) if link.is_broken() && asked < ASKED_AT_MOST => asked += 1,
                            Err(fault) => {
                                link.close(OutOfReach::Refused);
                                return Err(fault);
                            }
                        }
                    }
                });
        join_all(asked).await
    }

    async fn publish(&mut self, layout: Layout, reached: Vec<Reached>, before: &Routes) {
        let extras = self.reach_extras(&layout, before).await;
        self.acquaintances.remember(&reached, &layout.nodes);
        let found = Found::of(reached);
        let is_layout_whole = layout.is_whole();
        let bulks = layout.nodes.iter().map(|node| before.bulk_to(node));
        let bulks = bulks.collect();
        let routes = Arc::new(Routes::new(Some(layout), found.owners, extras, bulks));
        self.published.routes.send_replace(Arc::clone(&routes));
        let now = Instant::now().into_std();
        let present = (!found.servers.is_empty()).then(|| Identity::new(found.servers.clone()));
        self.herald.met(present, now);
        let gap = || (!is_layout_whole).then(|| Fault::new("some slots have no server"));
        if let Some(fault) = found.away.or_else(gap) {
            return self.herald.out_of_reach(&fault);
        }
        if let Some(fault) = found.read_only {
            return self.herald.read_only(&fault);
        }
        if self.herald.in_reach(Identity::new(found.servers), now) == News::Changed {
            self.inspect(&routes).await;
        }
    }

    /// A second connection to every server in reach that has none, or has lost it.
    async fn reach_bulks(&self) {
        let routes = Arc::clone(&self.published.routes.borrow());
        let lacking = |node: &&Node| routes.bulk_to(node).is_none();
        if !routes.owners().flatten().any(|node| lacking(&node)) {
            return;
        }
        let asked = routes.owners().map(async |node| {
            let node = node?;
            match routes.bulk_to(node) {
                Some(bulk) => Some(bulk),
                // Whoever has a large value finds no lane, and tries again later.
                None => self.dial.connect(node).await.ok().map(Bulk::new),
            }
        });
        let bulks = join_all(asked).await;
        let routes = Arc::new(routes.with_bulks(bulks));
        self.published.routes.send_replace(routes);
    }

    /// Connections to servers that redirections named and that have no slots yet.
    async fn reach_extras(&mut self, layout: &Layout, routes: &Routes) -> Vec<Arc<Link>> {
        let now = Instant::now();
        let wanted = self.wake.take_wanted();
        let topology = &self.settings.topology;
        let within = self.settings.timeout;
        for node in self
            .redirections
            .members_among(wanted, topology, routes, within)
            .await
        {
            self.extras.retain(|(known, _)| *known != node);
            self.extras.push((node, now));
        }
        self.extras.retain(|(node, since)| {
            now.duration_since(*since) < EXTRA_FOR && !layout.nodes.contains(node)
        });
        let asked = self
            .extras
            .iter()
            .map(async |(node, _)| match routes.link_to(node) {
                Some(link) => Ok(link),
                None => self.dial.connect(node).await,
            });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn inspect(&self, routes: &Routes) {
        let asked = routes
            .links()
            .map(|link| inspect(link, self.settings.timeout));
        let warnings: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
        for warning in &warnings {
            tracing::warn!("the shared state can forget: {warning}");
        }
        self.published.warnings.send_replace(warnings);
    }
}

/// Whoever ends, ends with nothing in reach.
impl Drop for Supervisor {
    fn drop(&mut self) {
        self.published.routes.send_replace(Arc::default());
        self.published.identity.send_replace(None);
        self.published.present.send_replace(None);
        self.published.tried.send_replace(true);
    }
}
