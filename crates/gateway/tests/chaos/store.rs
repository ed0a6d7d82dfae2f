//! The shared state's servers: one, one with a replica and Sentinels, or a Cluster.

use std::time::Duration;

use test_support::redis::Persistence;
use test_support::{Proxy, RedisServer, Traffic, free_port};

use crate::blow::{Blow, Loss};

/// What a run needs of it.
pub trait Store: Send + Sync {
    /// How a node reaches it.
    fn url(&self, node: usize) -> String;

    /// Whether a journal that knows its facts with `shared_with` means the servers and the data that
    /// are there now; no, while nobody serves.
    fn is_held_by(&self, shared_with: &str) -> bool;

    /// Who serves which data; another one means that somebody chose anew, whether or not he was made
    /// to.
    fn primaries(&self) -> Vec<String>;

    /// Begins a blow; what has no duration is done now.
    fn begin(&self, blow: Blow);

    /// Makes a blow good: every server is up and has its role when this ends.
    fn end(&self, blow: Blow) -> Loss;

    /// `kill -9` of every process.
    fn kill(&self);

    /// Every process starts again at once.
    fn start_again(&self) -> Loss;

    /// For the table.
    fn name(&self) -> String;
}

/// One server, and a proxy in front of it for each node.
#[derive(Debug)]
pub struct Standalone {
    persistence: Persistence,
    server: RedisServer,
    proxies: [Proxy; 2],
}

impl Standalone {
    pub fn start(persistence: Persistence) -> Self {
        let server = RedisServer::on_port(free_port(), persistence, &[]);
        let proxies = [Proxy::to(server.port()), Proxy::to(server.port())];
        Self {
            persistence,
            server,
            proxies,
        }
    }
}

impl Store for Standalone {
    fn url(&self, node: usize) -> String {
        format!("redis://127.0.0.1:{}/0", self.proxies[node].port())
    }

    fn is_held_by(&self, shared_with: &str) -> bool {
        names_process_and_data(&self.server, shared_with)
    }

    /// Nobody chooses.
    fn primaries(&self) -> Vec<String> {
        Vec::new()
    }

    fn begin(&self, blow: Blow) {
        match blow {
            Blow::Kill(_) => self.server.kill(),
            Blow::Hang(_) => self.server.signal("STOP"),
            Blow::Flush => self.server.tell(&["FLUSHALL"]),
            Blow::Part { node, traffic, .. } => self.proxies[node].set(traffic),
            Blow::CutOff(_) => self.proxies.iter().for_each(|one| one.set(Traffic::Cut)),
            _ => panic!("one server: {blow:?}"),
        }
    }

    fn end(&self, blow: Blow) -> Loss {
        match blow {
            Blow::Kill(_) => return self.start_again(),
            Blow::Hang(_) => self.server.signal("CONT"),
            Blow::Flush => return Loss::Everything,
            _ => self.proxies.iter().for_each(|one| one.set(Traffic::Flows)),
        }
        Loss::Nothing
    }

    fn kill(&self) {
        self.server.kill();
    }

    fn start_again(&self) -> Loss {
        self.server.start_again();
        match self.persistence {
            Persistence::EveryWrite => Loss::Nothing,
            // While it syncs it holds writes back, for two seconds at most.
            Persistence::EverySecond | Persistence::Unsynced => {
                Loss::Latest(Duration::from_secs(2))
            }
            Persistence::Nothing => Loss::Everything,
        }
    }

    fn name(&self) -> String {
        format!("one Redis, {}", self.persistence.name())
    }
}

/// Whether a cursor means the process and the data of one server.
pub fn names_process_and_data(server: &RedisServer, shared_with: &str) -> bool {
    let epoch = server.ask_text(&["GET", "relay:epoch"]);
    names_process(server, shared_with) && !epoch.is_empty() && shared_with.contains(&epoch)
}

pub fn names_process(server: &RedisServer, shared_with: &str) -> bool {
    let run_id = server.info("run_id");
    !run_id.is_empty() && shared_with.contains(&run_id)
}
