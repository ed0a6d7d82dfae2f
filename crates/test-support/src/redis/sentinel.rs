//! A primary, its replica, and three Sentinels that choose between them.

use std::sync::Mutex;

use super::{Member, Network, RedisServer, eventually};

/// The name that the Sentinels watch the servers under.
pub const SERVICE: &str = "relay";

#[derive(Debug)]
pub struct Watched {
    pub servers: [Member; 2],
    pub sentinels: Vec<RedisServer>,
    /// Which of the servers is the primary, as last agreed on.
    primary: Mutex<usize>,
}

impl Watched {
    pub fn start(network: Network) -> Self {
        let server = |_| Member::start(network, "--replica-announce-port", &[]);
        let watched = Self {
            servers: [0, 1].map(server),
            sentinels: (0..3).map(|_| RedisServer::sentinel(&[])).collect(),
            primary: Mutex::new(0),
        };
        watched.follow(1, 0);
        // A Sentinel that asks too early asks again ten seconds later.
        eventually("the replica is in step", || watched.servers[1].is_in_step());
        for sentinel in &watched.sentinels {
            watch(sentinel, watched.servers[0].port(), 2);
            sentinel.tell(&["SENTINEL", "SET", SERVICE, "down-after-milliseconds", "500"]);
            sentinel.tell(&["SENTINEL", "SET", SERVICE, "failover-timeout", "3000"]);
        }
        watched.await_order();
        watched
    }

    /// The server that was agreed on last.
    pub fn primary(&self) -> usize {
        *self.primary.lock().unwrap()
    }

    /// Makes a server a replica, as its start-up script would after asking who the primary is.
    pub fn follow(&self, replica: usize, primary: usize) {
        let port = self.servers[primary].port().to_string();
        let replica = &self.servers[replica].server;
        replica.tell(&["REPLICAOF", "127.0.0.1", &port]);
    }

    /// Waits until one server is the primary to all Sentinels and the other is in step with it.
    pub fn await_order(&self) {
        for (field, number) in [("num-other-sentinels", "2"), ("num-slaves", "1")] {
            eventually(field, || {
                let knows = |sentinel: &RedisServer| field_of(sentinel, field) == number;
                self.sentinels.iter().all(knows)
            });
        }
        eventually("one primary, and a replica that is in step", || {
            let chosen = |server: &usize| {
                let port = self.servers[*server].port().to_string();
                let mut sentinels = self.sentinels.iter();
                sentinels.all(|sentinel| field_of(sentinel, "port") == port)
            };
            let Some(primary) = (0..2).find(chosen) else {
                return false;
            };
            *self.primary.lock().unwrap() = primary;
            self.servers[primary].is_primary() && self.servers[1 - primary].is_in_step()
        });
    }
}

/// Makes a Sentinel watch a primary with this quorum.
pub fn watch(sentinel: &RedisServer, primary_port: u16, quorum: u16) {
    let (port, quorum) = (primary_port.to_string(), quorum.to_string());
    sentinel.tell(&["SENTINEL", "MONITOR", SERVICE, "127.0.0.1", &port, &quorum]);
}

fn field_of(sentinel: &RedisServer, name: &str) -> String {
    let fields = sentinel.words(&["SENTINEL", "MASTER", SERVICE]);
    let at = fields.iter().position(|field| field == name);
    at.map(|at| fields[at + 1].clone()).unwrap_or_default()
}
