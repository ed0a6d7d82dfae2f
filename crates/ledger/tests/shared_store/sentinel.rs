//! Sentinels that choose another primary.

use std::time::{Duration, Instant};

use ledger::redis::{Node, Password, Settings, SharedStore, Swap, Topology};

use crate::server::{Server, await_until, free_port};
use crate::store::{held, in_reach, never_in_reach, other_than, settings, write};

/// A primary, its replica, and three Sentinels that know both.
struct Watched {
    primary: Server,
    replica: Server,
    sentinels: Vec<Server>,
}

impl Watched {
    fn start() -> Self {
        let primary = Server::start(&[]);
        let port = primary.port().to_string();
        let replica = Server::start(&["--replicaof", "127.0.0.1", &port]);
        let sentinels: Vec<Server> = (0..3)
            .map(|_| Server::start_on(free_port(), &["--sentinel"]))
            .collect();
        for sentinel in &sentinels {
            sentinel.tell(&["SENTINEL", "MONITOR", "relay", "127.0.0.1", &port, "2"]);
            sentinel.tell(&["SENTINEL", "SET", "relay", "down-after-milliseconds", "500"]);
            sentinel.tell(&["SENTINEL", "SET", "relay", "failover-timeout", "3000"]);
        }
        let watched = Self {
            primary,
            replica,
            sentinels,
        };
        for (what, number) in [("num-other-sentinels", "2"), ("num-slaves", "1")] {
            await_until(what, || {
                watched.sentinels.iter().all(|sentinel| {
                    field(
                        &sentinel.ask(&["SENTINEL", "MASTER", "relay"]).unwrap(),
                        what,
                    ) == number
                })
            });
        }
        await_until("the replica is in step", || {
            let redis::Value::BulkString(info) =
                watched.replica.ask(&["INFO", "replication"]).unwrap()
            else {
                return false;
            };
            String::from_utf8(info)
                .unwrap()
                .contains("master_link_status:up")
        });
        watched
    }

    fn store(&self) -> SharedStore {
        SharedStore::start(settings(Topology::Sentinel {
            service: "relay".to_owned(),
            nodes: self.sentinels.iter().map(Server::node).collect(),
        }))
    }
}

fn field(answer: &redis::Value, name: &str) -> String {
    let fields: Vec<String> = redis::from_redis_value(answer.clone()).unwrap();
    let at = fields.iter().position(|field| field == name).unwrap();
    fields[at + 1].clone()
}

#[tokio::test]
async fn a_new_primary_is_found_without_a_restart() {
    let mut watched = Watched::start();
    let store = watched.store();
    let before = in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    await_until("the replica has it", || {
        watched
            .replica
            .ask(&["EXISTS", "relay:{B0001}:t:a"])
            .unwrap()
            == redis::Value::Int(1)
    });

    watched.primary.kill();
    let after = other_than(&store, &before).await;
    assert_ne!(after.servers()[0].run_id, before.servers()[0].run_id);
    assert!(held(&store, "B0001", "a").await.unwrap().is_some());
    assert_eq!(write(&store, "B0001", "b", "1").await, Ok(Swap::Done));
    assert_eq!(
        watched
            .replica
            .ask(&["EXISTS", "relay:{B0001}:t:b"])
            .unwrap(),
        redis::Value::Int(1)
    );

    // The old primary comes back believing it is one, until the Sentinels tell it otherwise.
    watched.primary.start_again();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        assert!(held(&store, "B0001", "b").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_primary_that_hangs_is_replaced_and_not_returned_to() {
    let watched = Watched::start();
    let store = watched.store();
    let before = in_reach(&store).await;
    watched.primary.freeze();
    let after = other_than(&store, &before).await;
    assert_ne!(after.servers()[0].run_id, before.servers()[0].run_id);
    assert_eq!(write(&store, "B0001", "b", "1").await, Ok(Swap::Done));
    watched.primary.thaw();
    await_until("the old primary is a replica", || {
        watched.primary.ask(&["SET", "x", "y"]).is_err()
    });
    assert_eq!(in_reach(&store).await, after);
    assert!(held(&store, "B0001", "b").await.unwrap().is_some());
}

#[tokio::test]
async fn sentinels_that_are_gone_take_nothing_away_and_one_is_enough_to_begin() {
    let mut watched = Watched::start();
    let store = watched.store();
    let before = in_reach(&store).await;
    for sentinel in &mut watched.sentinels[..2] {
        sentinel.kill();
    }
    assert_eq!(in_reach(&watched.store()).await, before);
    watched.sentinels[2].kill();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        assert!(held(&store, "B0001", "a").await.is_ok());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(in_reach(&store).await, before);
}

#[tokio::test]
async fn sentinels_that_ask_for_a_password_get_it() {
    let password = ["--requirepass", "secret"];
    let primary = Server::start(&password);
    let sentinel = Server::start_on(free_port(), &[&["--sentinel"][..], &password].concat());
    let port = primary.port().to_string();
    sentinel.tell(&["SENTINEL", "MONITOR", "relay", "127.0.0.1", &port, "1"]);
    sentinel.tell(&["SENTINEL", "SET", "relay", "auth-pass", "secret"]);
    let topology = Topology::Sentinel {
        service: "relay".to_owned(),
        nodes: vec![sentinel.node()],
    };
    let store = SharedStore::start(Settings {
        password: Some(Password::new("secret")),
        ..settings(topology.clone())
    });
    in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    never_in_reach(&SharedStore::start(settings(topology))).await;
}

#[tokio::test]
async fn a_service_that_sentinels_do_not_know_is_out_of_reach() {
    let sentinel = Server::start_on(free_port(), &["--sentinel"]);
    let unused = Node::new("127.0.0.1", free_port());
    let store = SharedStore::start(settings(Topology::Sentinel {
        service: "relay".to_owned(),
        nodes: vec![unused, sentinel.node()],
    }));
    never_in_reach(&store).await;
}
