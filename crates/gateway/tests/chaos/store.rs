//! The Redis servers of a run: one, a primary with a replica and Sentinels, or a Cluster.

use std::time::Duration;

use test_support::redis::Persistence;
use test_support::{Proxy, RedisServer, Traffic, free_port};

use crate::faults::redis_fault::{Loss, RedisFault};
use crate::node::{ALL_NODES, NODES};

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

    /// Returns the servers that have the data, each a part of it.
    fn servers(&self) -> Vec<&RedisServer>;

    /// Returns the name for the report.
    fn name(&self) -> String;
}

/// One server, and a proxy in front of it for each node.
#[derive(Debug)]
pub struct Standalone {
    persistence: Persistence,
    server: RedisServer,
    proxies: [Proxy; NODES],
}

impl Standalone {
    pub fn start(persistence: Persistence) -> Self {
        let server = RedisServer::on_port(free_port(), persistence, &[]);
        let proxies = ALL_NODES.map(|_| Proxy::to(server.port()));
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

    fn servers(&self) -> Vec<&RedisServer> {
        vec![&self.server]
    }

    fn name(&self) -> String {
        format!("one Redis, {}", self.persistence.name())
    }
}

/// Deletes at most `most` keys of this pattern, others with another `choice`; returns how many there were. What Redis
/// does not answer in time, as in a fault, is left out.
pub fn delete(store: &dyn Store, pattern: &str, (most, choice): (usize, usize)) -> usize {
    let mut deleted = 0;
    for server in store.servers() {
        let keys = server.ask(&["KEYS", pattern]);
        // Names of keys are bytes.
        let keys = keys.and_then(|keys| Ok(redis::from_redis_value::<Vec<Vec<u8>>>(keys)?));
        let keys = keys.unwrap_or_default();
        let chosen = choice.checked_rem(keys.len()).unwrap_or_default();
        for key in keys.iter().cycle().skip(chosen).take(most.min(keys.len())) {
            let gone = server.send(redis::cmd("DEL").arg(key));
            deleted += usize::from(gone.is_ok());
        }
    }
    deleted
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
