//! Primaries that accept no writes: their data is read, and new facts wait.

use std::time::{Duration, Instant};

use ledger::redis::{OutOfReach, SharedStore, Swap, Topology};
use ledger::{LinkRefusal, Scope, Timestamp};
use test_support::RedisServer;
use test_support::redis::{Cluster, Network};

use crate::cluster::{BILLERS, owner, topology};
use crate::one_node::{OneNode, bill, eventually};
use crate::store::{
    AT_ONCE, eventually_write, in_reach, never_in_reach, node, out_of_reach, read, settings,
    standalone, values, write,
};

/// A setting, its value that makes a server refuse writes, and its normal value.
const HINDRANCES: [[&str; 3]; 2] = [["maxmemory", "1", "0"], ["min-replicas-to-write", "1", "0"]];

/// The time of several checks of the supervisor.
const A_WHILE: Duration = Duration::from_millis(800);

fn set(server: &RedisServer, setting: &str, value: &str) {
    server.tell(&["CONFIG", "SET", setting, value]);
}

#[tokio::test]
async fn earlier_payments_are_visible_and_payments_meanwhile_are_shared_afterwards() {
    for [setting, hindering, harmless] in HINDRANCES {
        let server = RedisServer::start();
        let topology = Topology::Standalone(node(server.port()));
        let one = OneNode::open(topology.clone()).await;
        let other = OneNode::open(topology).await;
        let before = bill("B0001", "before");
        let meanwhile = bill("B0001", "meanwhile");
        let new = bill("B0001", "new");
        one.pay(&before, None).await;
        one.until_all_is_shared().await;

        set(&server, setting, hindering);
        one.pay(&meanwhile, None).await;
        assert!(one.ledger.unshared() > 0, "{setting}");
        let begun = Instant::now();
        while begun.elapsed() < A_WHILE {
            assert!(other.is_paid(&before).await, "{setting}");
            let reserved = other.reserve(&new).await;
            assert_eq!(reserved.unwrap_err(), LinkRefusal::Unavailable, "{setting}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(other.reach(&before).await, Scope::AllNodes, "{setting}");
        let again = other.ledger.find_for_recreate(&before, Timestamp::now());
        let again = again.await.unwrap_err();
        assert_eq!(again, LinkRefusal::Unavailable, "{setting}");
        // The watcher is notified as before.
        assert_eq!(other.ledger.is_redis_reachable(), Some(false));
        assert!(!other.is_paid(&meanwhile).await, "{setting}");
        assert!(one.ledger.unshared() > 0, "{setting}");

        set(&server, setting, harmless);
        one.until_all_is_shared().await;
        assert!(other.is_paid(&meanwhile).await, "{setting}");
        eventually(async || other.ledger.is_redis_reachable() == Some(true)).await;
        assert!(other.reserve(&new).await.is_ok(), "{setting}");
    }
}

#[tokio::test]
async fn writes_fail_at_once_and_reads_succeed_also_over_new_connections() {
    for [setting, hindering, harmless] in HINDRANCES {
        let server = RedisServer::start();
        let store = standalone(node(server.port()));
        let before = in_reach(&store).await;
        assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
        set(&server, setting, hindering);
        assert!(write(&store, "B0001", "b", "1").await.is_err(), "{setting}");
        out_of_reach(&store).await;
        assert!(!store.is_reachable() && !store.reaches("B0001"));
        let a = Ok(values(&[Some("1")]).remove(0));
        let begun = Instant::now();
        for _ in 0..20 {
            let written = write(&store, "B0001", "b", "1").await;
            assert_eq!(written, Err(OutOfReach::NotConnected), "{setting}");
            assert_eq!(read(&store, "B0001", "a").await, a, "{setting}");
        }
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
        for _ in 0..5 {
            server.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
            assert_eq!(read(&store, "B0001", "a").await, a, "{setting}");
        }
        set(&server, setting, harmless);
        assert_eq!(in_reach(&store).await, before, "{setting}");
        assert_eq!(write(&store, "B0001", "b", "1").await, Ok(Swap::Done));
    }
}

#[tokio::test]
async fn a_wiped_or_unknown_server_is_not_read() {
    let server = RedisServer::start();
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    set(&server, "maxmemory", "1");
    out_of_reach(&store).await;
    // A node that has just started has no known servers.
    never_in_reach(&standalone(node(server.port()))).await;
    assert!(read(&store, "B0001", "a").await.is_ok());
    // After a wipe there is no free memory at all: the mark cannot be written.
    server.tell(&["FLUSHALL"]);
    eventually(async || read(&store, "B0001", "a").await.is_err()).await;
    never_in_reach(&store).await;
    set(&server, "maxmemory", "0");
    in_reach(&store).await;
}

#[tokio::test]
async fn a_server_that_comes_back_as_another_and_takes_no_writes_is_not_read() {
    let server = RedisServer::durable(&["--min-replicas-to-write", "1"]);
    let store = standalone(node(server.port()));
    set(&server, "min-replicas-to-write", "0");
    in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    server.kill();
    server.start_again();
    out_of_reach(&store).await;
    never_in_reach(&store).await;
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_is_not_read() {
    let primary = RedisServer::start();
    let server = RedisServer::start();
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    assert_eq!(write(&store, "B0001", "a", "1").await, Ok(Swap::Done));
    set(&server, "min-replicas-to-write", "1");
    out_of_reach(&store).await;
    server.tell(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    eventually(async || read(&store, "B0001", "a").await.is_err()).await;
    never_in_reach(&store).await;
}

#[tokio::test]
async fn one_server_of_a_cluster_may_refuse_while_the_others_take_writes() {
    let cluster = Cluster::start(Network::Direct);
    let store = SharedStore::start(settings(topology(&cluster)));
    in_reach(&store).await;
    for biller in BILLERS {
        eventually_write(&store, biller, "a").await;
    }
    set(&cluster.members[2].server, "min-replicas-to-write", "1");
    out_of_reach(&store).await;
    let begun = Instant::now();
    let (refused, taken): (Vec<&str>, Vec<&str>) = BILLERS
        .iter()
        .partition(|biller| owner(&cluster, biller) == 2);
    while begun.elapsed() < A_WHILE {
        for biller in &refused {
            assert!(read(&store, biller, "a").await.unwrap().is_some());
            assert!(write(&store, biller, "b", "1").await.is_err(), "{biller}");
            assert!(store.refuses_writes(biller), "{biller}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for biller in &taken {
        eventually_write(&store, biller, "b").await;
        assert!(!store.refuses_writes(biller), "{biller}");
    }
    set(&cluster.members[2].server, "min-replicas-to-write", "0");
    in_reach(&store).await;
}
