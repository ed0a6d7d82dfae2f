//! Sentinels that elect another primary.

use std::time::{Duration, Instant};

use ledger::redis::{Password, ServerAddress, Settings, SharedStore, Swap, Topology};
use test_support::redis::{Network, SERVICE, Watched, watch};
use test_support::{RedisServer, free_port};

use crate::store::{
    await_until, in_reach, never_in_reach, node, other_than, read, settings, write,
};

fn topology(sentinels: &[RedisServer]) -> Topology {
    Topology::Sentinel {
        service: SERVICE.to_owned(),
        nodes: sentinels.iter().map(|one| node(one.port())).collect(),
    }
}

fn store_on(watched: &Watched) -> SharedStore {
    SharedStore::start(settings(topology(&watched.sentinels)))
}

#[tokio::test]
async fn a_new_primary_is_found_without_a_restart() {
    let watched = Watched::start(Network::Direct);
    let store = store_on(&watched);
    let before = in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    await_until("the replica has it", || {
        watched.servers[1]
            .server
            .ask(&["EXISTS", "relay:{B0001}:t:a"])
            .unwrap()
            == redis::Value::Int(1)
    });

    watched.servers[0].server.kill();
    let after = other_than(&store, &before).await;
    assert_ne!(after.servers()[0].run_id, before.servers()[0].run_id);
    assert!(read(&store, "B0001", "a").await.unwrap().is_some());
    assert_eq!(write(&store, "B0001", "b", "1").await, Ok(Swap::Done));
    assert_eq!(
        watched.servers[1]
            .server
            .ask(&["EXISTS", "relay:{B0001}:t:b"])
            .unwrap(),
        redis::Value::Int(1)
    );

    // The old primary restarts as a primary, until the Sentinels make it a replica.
    watched.servers[0].server.start_again();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        assert!(read(&store, "B0001", "b").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_primary_that_hangs_is_replaced_and_not_returned_to() {
    let watched = Watched::start(Network::Direct);
    let store = store_on(&watched);
    let before = in_reach(&store).await;
    watched.servers[0].server.signal("STOP");
    let after = other_than(&store, &before).await;
    assert_ne!(after.servers()[0].run_id, before.servers()[0].run_id);
    assert_eq!(write(&store, "B0001", "b", "1").await, Ok(Swap::Done));
    watched.servers[0].server.signal("CONT");
    await_until("the old primary is a replica", || {
        watched.servers[0].server.ask(&["SET", "x", "y"]).is_err()
    });
    assert_eq!(in_reach(&store).await, after);
    assert!(read(&store, "B0001", "b").await.unwrap().is_some());
}

#[tokio::test]
async fn sentinels_that_are_gone_take_nothing_away_and_one_is_enough_to_begin() {
    let watched = Watched::start(Network::Direct);
    let store = store_on(&watched);
    let before = in_reach(&store).await;
    for sentinel in &watched.sentinels[..2] {
        sentinel.kill();
    }
    assert_eq!(in_reach(&store_on(&watched)).await, before);
    watched.sentinels[2].kill();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        assert!(read(&store, "B0001", "a").await.is_ok());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(in_reach(&store).await, before);
}

#[tokio::test]
async fn sentinels_that_ask_for_a_password_get_it() {
    let password = ["--requirepass", "secret"];
    let primary = RedisServer::durable(&password);
    let sentinel = RedisServer::sentinel(&password);
    watch(&sentinel, primary.port(), 1);
    sentinel.tell(&["SENTINEL", "SET", SERVICE, "auth-pass", "secret"]);
    let topology = topology(std::slice::from_ref(&sentinel));
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
    let sentinel = RedisServer::sentinel(&[]);
    let unused = ServerAddress::new("127.0.0.1", free_port());
    let store = SharedStore::start(settings(Topology::Sentinel {
        service: SERVICE.to_owned(),
        nodes: vec![unused, node(sentinel.port())],
    }));
    never_in_reach(&store).await;
}
