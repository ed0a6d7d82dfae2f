//! A primary, its replica, and Sentinels that choose between them. Everybody reaches a server through
//! its passage, so that the network can be cut.

use std::sync::Mutex;
use std::time::Duration;

use crate::blow::{Blow, Loss};
use crate::clock::until;
use crate::passage::{Passage, Traffic};
use crate::redis_server::{Keeps, RedisServer, free_port};
use crate::store::{Store, names_process_and_data};

/// The name that the Sentinels watch the servers under.
const SERVICE: &str = "relay";

#[derive(Debug)]
pub struct Watched {
    servers: [(RedisServer, Passage); 2],
    sentinels: Vec<RedisServer>,
    /// Which of the servers is the primary.
    primary: Mutex<usize>,
}

impl Watched {
    pub fn start() -> Self {
        let server = |_| {
            let port = free_port();
            let passage = Passage::to(port);
            let announced = passage.port().to_string();
            let arguments = ["--replica-announce-port", &announced];
            let server = RedisServer::start_on(port, Keeps::Everything, &arguments);
            (server, passage)
        };
        let sentinel = |_| RedisServer::start(Keeps::Everything, &["--sentinel"]);
        let watched = Self {
            servers: [0, 1].map(server),
            sentinels: (0..3).map(sentinel).collect(),
            primary: Mutex::new(0),
        };
        watched.follow(1, 0);
        // A Sentinel that asks too early asks again ten seconds later.
        until("the replica is in step", || {
            watched.servers[1].0.info("master_link_status") == "up"
        });
        let port = watched.port(0);
        for sentinel in &watched.sentinels {
            sentinel.tell(&["SENTINEL", "MONITOR", SERVICE, "127.0.0.1", &port, "2"]);
            sentinel.tell(&["SENTINEL", "SET", SERVICE, "down-after-milliseconds", "500"]);
            sentinel.tell(&["SENTINEL", "SET", SERVICE, "failover-timeout", "3000"]);
        }
        watched.await_order();
        watched
    }

    fn port(&self, server: usize) -> String {
        self.servers[server].1.port().to_string()
    }

    fn primary(&self) -> usize {
        *self.primary.lock().unwrap()
    }

    /// A server that comes back asks who the primary is, as its start-up script would.
    fn follow(&self, replica: usize, primary: usize) {
        let port = self.port(primary);
        self.servers[replica]
            .0
            .tell(&["REPLICAOF", "127.0.0.1", &port]);
    }

    /// Waits until one server is the primary to all Sentinels and the other is in step with it.
    fn await_order(&self) {
        for (field, number) in [("num-other-sentinels", "2"), ("num-slaves", "1")] {
            until(field, || {
                let knows = |sentinel: &RedisServer| field_of(sentinel, field) == number;
                self.sentinels.iter().all(knows)
            });
        }
        until("one primary, and a replica that is in step", || {
            let chosen = |server: &usize| {
                let port = self.port(*server);
                let mut said = self
                    .sentinels
                    .iter()
                    .map(|sentinel| field_of(sentinel, "port"));
                said.all(|said| said == port)
            };
            let Some(primary) = (0..2).find(chosen) else {
                return false;
            };
            let [is, follows] = [primary, 1 - primary].map(|server| &self.servers[server].0);
            *self.primary.lock().unwrap() = primary;
            is.info("role") == "master" && follows.info("master_link_status") == "up"
        });
    }

    /// All that the primary was told until now, the replica has.
    fn await_replica(&self) {
        let (primary, replica) = (self.primary(), 1 - self.primary());
        let offset = |server: usize| self.servers[server].0.info("master_repl_offset").parse();
        let told: u64 = offset(primary).unwrap();
        until("the replica has heard of all", || {
            offset(replica).is_ok_and(|offset| offset >= told)
        });
    }

    fn await_promotion(&self, of: usize) {
        until("the replica is the primary", || {
            self.servers[of].0.info("role") == "master"
        });
    }
}

impl Store for Watched {
    fn url(&self, _node: usize) -> String {
        let ports = self.sentinels.iter().map(RedisServer::port);
        let sentinels: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/{SERVICE}", sentinels.join(","))
    }

    fn is_held_by(&self, shared_with: &str) -> bool {
        let servers = self.servers.iter().map(|(server, _)| server);
        let mut primaries = servers.filter(|server| server.info("role") == "master");
        primaries.any(|primary| names_process_and_data(primary, shared_with))
    }

    fn primaries(&self) -> Vec<String> {
        let servers = self.servers.iter();
        servers
            .filter_map(|(server, _)| server.primary_of())
            .collect()
    }

    fn begin(&self, blow: Blow) {
        let (old, new) = (self.primary(), 1 - self.primary());
        match blow {
            Blow::Flush => self.servers[old].0.tell(&["FLUSHALL"]),
            Blow::CutOff(_) => {
                self.await_replica();
                self.servers[old].1.set(Traffic::Cut);
            }
            Blow::FailOver(lag) => {
                self.await_replica();
                // What is written from now on, the replica never hears of.
                self.servers[new].0.signal("STOP");
                std::thread::sleep(lag);
                self.servers[old].0.kill();
            }
            _ => panic!("Sentinels: {blow:?}"),
        }
    }

    fn end(&self, blow: Blow) -> Loss {
        let (old, new) = (self.primary(), 1 - self.primary());
        match blow {
            Blow::Flush => return Loss::Everything,
            Blow::CutOff(_) => {
                self.await_promotion(new);
                self.servers[old].1.set(Traffic::Flows);
            }
            _ => {
                self.servers[new].0.signal("CONT");
                self.await_promotion(new);
                self.servers[old].0.start_again();
            }
        }
        self.follow(old, new);
        self.await_order();
        Loss::Latest(Duration::ZERO)
    }

    fn kill(&self) {
        self.await_replica();
        self.servers.iter().for_each(|(server, _)| server.kill());
        self.sentinels.iter().for_each(RedisServer::kill);
    }

    fn start_again(&self) -> Loss {
        let (primary, replica) = (self.primary(), 1 - self.primary());
        self.servers[primary].0.start_again();
        self.servers[replica].0.start_again();
        self.follow(replica, primary);
        self.sentinels.iter().for_each(RedisServer::start_again);
        self.await_order();
        if self.primary() == primary {
            Loss::Nothing
        } else {
            Loss::Latest(Duration::ZERO)
        }
    }

    fn name(&self) -> String {
        "Sentinels, a primary and a replica".to_owned()
    }
}

fn field_of(sentinel: &RedisServer, name: &str) -> String {
    let answer = sentinel.ask(&["SENTINEL", "MASTER", SERVICE]);
    let fields = answer.ok().map(redis::from_redis_value::<Vec<String>>);
    let fields = fields.and_then(Result::ok).unwrap_or_default();
    let at = fields.iter().position(|field| field == name);
    at.map(|at| fields[at + 1].clone()).unwrap_or_default()
}
