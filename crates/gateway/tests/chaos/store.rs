//! The Redis servers of a run: one, a primary with a replica and Sentinels, or a Cluster.

use std::time::Duration;

use test_support::redis::Persistence;
use test_support::{Proxy, RedisServer, Traffic, free_port};

use crate::faults::redis_fault::{Loss, RedisFault};

/// The operations of a run on its Redis servers.
pub trait Store: Send + Sync {
    /// Returns the URL for a node.
    fn url(&self, node: usize) -> String;

    /// Returns whether `shared_with` of a journal's cursor names the current servers and their data; false
    /// while no server runs.
    fn is_held_by(&self, shared_with: &str) -> bool;

    /// Returns the primaries and their data; a change means that another primary was elected, with or
    /// without a fault.
    fn primaries(&self) -> Vec<String>;

    /// Begins a fault; completes it if it has no duration.
    fn begin(&self, redis_fault: RedisFault);

    /// Ends a fault; returns when every server runs and has its role.
    fn end(&self, redis_fault: RedisFault) -> Loss;

    /// `kill -9` of every process.
    fn kill(&self);

    /// Restarts every process at once.
    fn start_again(&self) -> Loss;

    /// Returns the name for the report.
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

    /// Without Sentinels no primary is elected.
    fn primaries(&self) -> Vec<String> {
        Vec::new()
    }

    fn begin(&self, redis_fault: RedisFault) {
        match redis_fault {
            RedisFault::Kill(_) => self.server.kill(),
            RedisFault::Hang(_) => self.server.signal("STOP"),
            RedisFault::Flush => self.server.tell(&["FLUSHALL"]),
            RedisFault::Partition { node, traffic, .. } => self.proxies[node].set(traffic),
            RedisFault::CutOff(_) => self.proxies.iter().for_each(|one| one.set(Traffic::Cut)),
            _ => panic!("one server: {redis_fault:?}"),
        }
    }

    fn end(&self, redis_fault: RedisFault) -> Loss {
        match redis_fault {
            RedisFault::Kill(_) => return self.start_again(),
            RedisFault::Hang(_) => self.server.signal("CONT"),
            RedisFault::Flush => return Loss::Everything,
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
            // During a sync it delays writes by two seconds at most.
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

/// Returns whether a cursor's `shared_with` names the process and the data of this server.
pub fn names_process_and_data(server: &RedisServer, shared_with: &str) -> bool {
    let epoch = server.ask_text(&["GET", "relay:epoch2"]);
    names_process(server, shared_with) && !epoch.is_empty() && shared_with.contains(&epoch)
}

pub fn names_process(server: &RedisServer, shared_with: &str) -> bool {
    let run_id = server.info("run_id");
    !run_id.is_empty() && shared_with.contains(&run_id)
}
