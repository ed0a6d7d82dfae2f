//! A primary, its replica, and Sentinels that choose between them.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::until;
use crate::redis_server::{Keeps, RedisServer};
use crate::store::{Blow, Store, identity};

/// The name that the Sentinels watch the servers under.
const SERVICE: &str = "relay";

#[derive(Debug)]
pub struct Watched {
    servers: [RedisServer; 2],
    sentinels: Vec<RedisServer>,
    /// Which of the servers is the primary.
    primary: Mutex<usize>,
}

impl Watched {
    pub fn start() -> Self {
        let first = RedisServer::start(Keeps::Everything, &[]);
        let port = first.port().to_string();
        let second = RedisServer::start(Keeps::Everything, &["--replicaof", "127.0.0.1", &port]);
        let sentinel = |_| RedisServer::start(Keeps::Everything, &["--sentinel"]);
        let sentinels: Vec<RedisServer> = (0..3).map(sentinel).collect();
        for sentinel in &sentinels {
            sentinel.tell(&["SENTINEL", "MONITOR", SERVICE, "127.0.0.1", &port, "2"]);
            sentinel.tell(&["SENTINEL", "SET", SERVICE, "down-after-milliseconds", "500"]);
            sentinel.tell(&["SENTINEL", "SET", SERVICE, "failover-timeout", "3000"]);
        }
        let watched = Self {
            servers: [first, second],
            sentinels,
            primary: Mutex::new(0),
        };
        watched.await_replica();
        watched
    }

    /// Every Sentinel knows the others and the replica, and the replica is in step.
    fn await_replica(&self) {
        for (field, number) in [("num-other-sentinels", "2"), ("num-slaves", "1")] {
            until(field, || {
                let knows = |sentinel: &RedisServer| field_of(sentinel, field) == number;
                self.sentinels.iter().all(knows)
            });
        }
        let replica = &self.servers[1 - *self.primary.lock().unwrap()];
        until("the replica is in step", || {
            replica.info("master_link_status") == "up"
        });
    }

    fn fail_over(&self, lag: Duration) {
        let primary = *self.primary.lock().unwrap();
        let (old, new) = (&self.servers[primary], &self.servers[1 - primary]);
        // What is written from now on, the replica never hears of.
        new.signal("STOP");
        std::thread::sleep(lag);
        old.kill();
        new.signal("CONT");
        until("the replica is the primary", || {
            new.info("role") == "master"
        });
        *self.primary.lock().unwrap() = 1 - primary;
        old.start_again();
        until("the old primary is a replica", || {
            old.info("role") == "slave"
        });
        self.await_replica();
    }
}

impl Store for Watched {
    fn url(&self, _node: usize) -> String {
        let sentinels: Vec<String> = self
            .sentinels
            .iter()
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port()))
            .collect();
        format!("redis+sentinel://{}/{SERVICE}", sentinels.join(","))
    }

    fn identity(&self) -> Option<Vec<String>> {
        identity(&self.servers[*self.primary.lock().unwrap()])
    }

    fn strike(&self, blow: Blow) {
        match blow {
            Blow::FailOver(lag) => self.fail_over(lag),
            _ => panic!("Sentinels: {blow:?}"),
        }
    }

    fn forgets(&self, blow: Blow) -> bool {
        matches!(blow, Blow::FailOver(_))
    }

    fn kill(&self) {
        self.servers.iter().for_each(RedisServer::kill);
    }

    fn start_again(&self) {
        self.servers.iter().for_each(RedisServer::start_again);
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
