//! Per-thread connections.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ledger::redis::{OutOfReach, SharedStore};
use redis::Value;
use test_support::RedisServer;

use crate::one_node::eventually;
use crate::store::{in_reach, node, other_than, read, standalone, write};

const PATIENCE: Duration = Duration::from_secs(20);

/// Returns the server's clients except this one, by their ids, with the last command of each.
fn clients(server: &RedisServer) -> Vec<(String, String)> {
    let text = match server.ask(&["CLIENT", "LIST"]).unwrap() {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
        Value::VerbatimString { text, .. } => text,
        other => panic!("{other:?}"),
    };
    let field = |line: &str, name: &str| {
        let mut fields = line.split(' ');
        let value = fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        value.unwrap().to_owned()
    };
    let is_other = |line: &&str| !line.contains("cmd=client|list");
    text.lines()
        .filter(is_other)
        .map(|line| (field(line, "id"), field(line, "cmd")))
        .collect()
}

fn ids(server: &RedisServer) -> BTreeSet<String> {
    clients(server).into_iter().map(|(id, _)| id).collect()
}

/// Sends commands until the thread has its own connection, and returns the id of that.
async fn own_connection(
    store: &SharedStore,
    server: &RedisServer,
    before: &BTreeSet<String>,
) -> String {
    let begun = Instant::now();
    loop {
        read(store, "B0001", "a").await.unwrap();
        let found = clients(server)
            .into_iter()
            .find(|(id, command)| !before.contains(id) && command == "mget");
        if let Some((id, _)) = found {
            return id;
        }
        assert!(begun.elapsed() < PATIENCE, "no connection of its own");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_busy_thread_uses_one_connection_of_its_own() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    assert!(write(&store, "B0001", "a", "1").await.is_ok());
    let before = ids(&server);
    read(&store, "B0001", "a").await.unwrap();
    assert_eq!(ids(&server), before, "no connection of its own yet");

    SharedStore::enable_thread_connections();
    let own = own_connection(&store, &server, &before).await;
    for _ in 0..100 {
        assert_eq!(read(&store, "B0001", "a").await.unwrap().unwrap(), "1");
    }
    assert!(write(&store, "B0001", "b", "2").await.is_ok());
    let after = ids(&server);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), [&own]);
    // It is closed with the store's connection.
    drop(store);
    let begun = Instant::now();
    let other = standalone(node(server.port()));
    in_reach(&other).await;
    while ids(&server).contains(&own) {
        read(&other, "B0001", "a").await.unwrap();
        assert!(begun.elapsed() < PATIENCE, "still connected");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_own_connection_that_is_ended_while_idle_costs_nothing() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    let identity = in_reach(&store).await;
    let before = ids(&server);
    SharedStore::enable_thread_connections();
    let own = own_connection(&store, &server, &before).await;
    server.tell(&["CLIENT", "KILL", "ID", &own]);
    // The driver notices the end of the connection.
    tokio::time::sleep(Duration::from_millis(50)).await;
    for _ in 0..10 {
        assert_eq!(read(&store, "B0001", "a").await, Ok(None));
    }
    assert!(store.is_reachable());
    assert_eq!(in_reach(&store).await, identity);
    // After a while there is another one.
    let before = ids(&server);
    own_connection(&store, &server, &before).await;
}

#[tokio::test]
async fn own_connections_that_break_with_the_shared_one_cost_no_read() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    SharedStore::enable_thread_connections();
    for _ in 0..20 {
        // The shared connection and the thread's own.
        eventually(async || {
            read(&store, "B0001", "a").await.unwrap();
            ids(&server).len() == 2
        })
        .await;
        server.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
        assert_eq!(read(&store, "B0001", "a").await, Ok(None));
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_out_of_reach_within_the_bound_and_back_when_it_resumes() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let before = ids(&server);
    SharedStore::enable_thread_connections();
    own_connection(&store, &server, &before).await;
    server.signal("STOP");
    let begun = Instant::now();
    let refused = read(&store, "B0001", "a").await.unwrap_err();
    assert!(
        matches!(refused, OutOfReach::TooSlow | OutOfReach::NotConnected),
        "{refused}"
    );
    assert!(
        begun.elapsed() < Duration::from_millis(300),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        read(&store, "B0001", "a").await,
        Err(OutOfReach::NotConnected)
    );
    server.signal("CONT");
    in_reach(&store).await;
    assert_eq!(read(&store, "B0001", "a").await, Ok(None));
}

#[tokio::test]
async fn a_server_that_returns_as_another_is_used_over_new_connections() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    let identity = in_reach(&store).await;
    let before = ids(&server);
    SharedStore::enable_thread_connections();
    own_connection(&store, &server, &before).await;
    server.kill();
    server.start_again();
    other_than(&store, &identity).await;
    let before = ids(&server);
    own_connection(&store, &server, &before).await;
}

#[tokio::test]
async fn a_server_that_takes_no_further_connection_serves_over_the_shared_one() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    // The store's connection and the test's.
    server.tell(&["CONFIG", "SET", "maxclients", "1"]);
    SharedStore::enable_thread_connections();
    for _ in 0..20 {
        assert_eq!(read(&store, "B0001", "a").await, Ok(None));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(store.is_reachable());
}
