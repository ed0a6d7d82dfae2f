//! Servers that hang, end or return.

use std::time::{Duration, Instant};

use ledger::redis::{OutOfReach, ServerAddress, Topology};
use test_support::redis::Persistence;
use test_support::{RedisServer, free_port};

use crate::store::{
    AT_ONCE, BOUND, await_until, eventually_write, in_reach, node, other_than, out_of_reach, read,
    settings, standalone, write,
};

#[tokio::test]
async fn a_server_that_hangs_costs_one_time_out_only() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    let before = in_reach(&store).await;
    assert!(write(&store, "B0001", "a", "1").await.is_ok());

    server.signal("STOP");
    let begun = Instant::now();
    // It is not connected if the supervisor's command timed out first.
    let refused = read(&store, "B0001", "a").await.unwrap_err();
    assert!(
        matches!(refused, OutOfReach::TooSlow | OutOfReach::NotConnected),
        "{refused}"
    );
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(
            read(&store, "B0001", "a").await,
            Err(OutOfReach::NotConnected)
        );
        assert_eq!(
            write(&store, "B0001", "b", "1").await,
            Err(OutOfReach::NotConnected)
        );
    }
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(!store.is_reachable());
    out_of_reach(&store).await;

    server.signal("CONT");
    let begun = Instant::now();
    assert_eq!(in_reach(&store).await, before);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(store.is_reachable());
    assert!(read(&store, "B0001", "a").await.unwrap().is_some());
}

#[tokio::test]
async fn calls_under_way_end_within_the_bound_when_a_server_hangs() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    server.signal("STOP");
    let begun = Instant::now();
    let calls: Vec<_> = (0..500)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { write(&store, "B0001", &number.to_string(), "1").await })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap().is_err());
    }
    assert!(begun.elapsed() < BOUND + AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_was_killed_and_restarted_is_another() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    let before = in_reach(&store).await;
    assert!(write(&store, "B0001", "a", "1").await.is_ok());

    server.kill();
    out_of_reach(&store).await;
    let begun = Instant::now();
    assert_eq!(
        read(&store, "B0001", "a").await,
        Err(OutOfReach::NotConnected)
    );
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());

    server.start_again();
    let after = other_than(&store, &before).await;
    assert_eq!(after.servers()[0].epoch, before.servers()[0].epoch);
    assert!(read(&store, "B0001", "a").await.unwrap().is_some());
}

#[tokio::test]
async fn a_wiped_server_is_another_although_it_kept_running() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    let before = in_reach(&store).await;
    for command in ["FLUSHALL", "FLUSHDB"] {
        let before = in_reach(&store).await;
        server.tell(&[command]);
        let begun = Instant::now();
        let after = other_than(&store, &before).await;
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(after.servers()[0].run_id, before.servers()[0].run_id);
        assert_ne!(after.servers()[0].epoch, before.servers()[0].epoch);
    }
    assert_ne!(in_reach(&store).await, before);
}

#[tokio::test]
async fn two_stores_of_one_server_agree_who_it_is() {
    let server = RedisServer::durable(&[]);
    let one = standalone(node(server.port()));
    let other = standalone(node(server.port()));
    assert_eq!(in_reach(&one).await, in_reach(&other).await);
}

#[tokio::test]
async fn a_store_may_start_before_its_server() {
    let port = free_port();
    let store = standalone(ServerAddress::new("127.0.0.1", port));
    let begun = Instant::now();
    assert_eq!(
        read(&store, "B0001", "a").await,
        Err(OutOfReach::NotConnected)
    );
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert!(!store.is_reachable());
    let _server = RedisServer::on_port(port, Persistence::EveryWrite, &[]);
    in_reach(&store).await;
    assert!(write(&store, "B0001", "a", "1").await.is_ok());
}

#[tokio::test]
async fn a_host_that_does_not_resolve_delays_no_call() {
    let store = standalone(ServerAddress::new("no-such-host.invalid", 6379));
    let begun = Instant::now();
    assert_eq!(
        read(&store, "B0001", "a").await,
        Err(OutOfReach::NotConnected)
    );
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_is_left_alone_until_it_is_primary_again() {
    let primary = RedisServer::durable(&[]);
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    let before = in_reach(&store).await;
    server.tell(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    out_of_reach(&store).await;
    assert_eq!(
        write(&store, "B0001", "a", "1").await,
        Err(OutOfReach::NotConnected)
    );
    server.tell(&["REPLICAOF", "NO", "ONE"]);
    let after = other_than(&store, &before).await;
    assert_ne!(
        after.servers()[0].replication_id,
        before.servers()[0].replication_id
    );
}

#[tokio::test]
async fn a_name_is_resolved_again_and_tls_or_not_is_no_guess() {
    let server = RedisServer::durable(&[]);
    let topology = Topology::Standalone(ServerAddress::new("localhost", server.port()));
    let store = ledger::redis::SharedStore::start(settings(topology));
    in_reach(&store).await;
    server.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
    eventually_write(&store, "B0001", "a").await;
}

#[tokio::test]
async fn the_last_handle_that_goes_closes_the_connection() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let connected = || {
        let redis::Value::BulkString(list) = server.ask(&["CLIENT", "LIST"]).unwrap() else {
            panic!("no list of clients");
        };
        String::from_utf8(list).unwrap().lines().count()
    };
    assert_eq!(connected(), 2, "the store and who asks");
    drop(store);
    await_until("the connection is closed", || connected() == 1);
}
