//! Connections that break while their server is healthy.

use std::time::Instant;

use ledger::redis::{OutOfReach, SharedStore, Swap, Topology};
use test_support::RedisServer;
use test_support::redis::{Cluster, Network, SERVICE, watch};

use crate::cluster::{BILLERS, topology};
use crate::one_node::{OneNode, bill};
use crate::store::{
    AT_ONCE, BOUND, in_reach, node, out_of_reach, read, settings, standalone, values, write,
};

/// How often a server closes all its connections, enough to find a fault of one time in ten.
const TIMES: usize = 40;

fn end_connections(server: &RedisServer) {
    server.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
}

#[tokio::test]
async fn a_paid_bill_is_visible_and_a_link_reserved_right_after_every_connection_broke() {
    let server = RedisServer::start();
    let topology = Topology::Standalone(node(server.port()));
    let one = OneNode::open(topology.clone()).await;
    let other = OneNode::open(topology).await;
    let paid = bill("B0001", "paid");
    one.pay(&paid, None).await;
    one.until_all_is_shared().await;
    for time in 0..TIMES {
        end_connections(&server);
        let begun = Instant::now();
        assert!(other.is_paid(&paid).await, "{time}: relayed to its biller");
        assert!(begun.elapsed() < BOUND, "{time}: {:?}", begun.elapsed());

        end_connections(&server);
        let reserved = other.reserve(&bill("B0001", &time.to_string())).await;
        assert!(reserved.is_ok(), "{time}: {reserved:?}");
    }
}

#[tokio::test]
async fn reads_under_way_when_the_connection_breaks_are_answered() {
    let server = RedisServer::start();
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    assert!(write(&store, "B0001", "a", "1").await.is_ok());
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..500 {
                    let read = read(&store, "B0001", "a").await;
                    assert_eq!(read, Ok(values(&[Some("1")]).remove(0)));
                }
            })
        })
        .collect();
    for _ in 0..3 {
        tokio::time::sleep(AT_ONCE).await;
        end_connections(&server);
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn every_server_of_a_cluster_may_break_its_connections() {
    let cluster = Cluster::start(Network::Direct);
    let store = SharedStore::start(settings(topology(&cluster)));
    in_reach(&store).await;
    for time in 0..TIMES {
        for server in cluster.members.iter().map(|member| &member.server) {
            end_connections(server);
        }
        let name = time.to_string();
        for biller in BILLERS {
            assert_eq!(read(&store, biller, &name).await, Ok(None), "{time}");
            let written = write(&store, biller, &name, "1").await;
            assert_eq!(written, Ok(Swap::Done), "{time}");
        }
    }
}

#[tokio::test]
async fn a_primary_that_a_sentinel_names_may_break_its_connections() {
    let primary = RedisServer::start();
    let sentinel = RedisServer::sentinel(&[]);
    watch(&sentinel, primary.port(), 1);
    let store = SharedStore::start(settings(Topology::Sentinel {
        service: SERVICE.to_owned(),
        nodes: vec![node(sentinel.port())],
    }));
    in_reach(&store).await;
    for time in 0..TIMES {
        end_connections(&primary);
        end_connections(&sentinel);
        assert_eq!(read(&store, "B0001", "a").await, Ok(None), "{time}");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_delays_one_call_only() {
    let server = RedisServer::start();
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    server.kill();
    let begun = Instant::now();
    for _ in 0..100 {
        assert!(read(&store, "B0001", "a").await.is_err());
        assert!(write(&store, "B0001", "a", "1").await.is_err());
    }
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_cluster_without_slot_information_delays_no_call() {
    let cluster = Cluster::start(Network::Direct);
    let store = SharedStore::start(settings(topology(&cluster)));
    in_reach(&store).await;
    for member in &cluster.members {
        member.server.kill();
    }
    out_of_reach(&store).await;
    let begun = Instant::now();
    for biller in BILLERS {
        let read = read(&store, biller, "a").await;
        assert_eq!(read, Err(OutOfReach::NotConnected));
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}
