//! Facts that a node could not share are shared later, and a fact that cannot be shared blocks no other.

use std::time::{Duration, Instant};

use ledger::redis::Topology;
use protocol::{Bill, BillerCode};
use test_support::redis::{Cluster, Network};
use test_support::{Proxy, RedisServer, Traffic};

use crate::cluster::{BILLERS, owner, topology};
use crate::one_node::{OneNode, answer, bill, eventually};
use crate::store::node;

/// Contract section 4: the resync starts within this time.
const STARTS_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_unreadable_value_blocks_nothing_after_it() {
    let server = RedisServer::durable(&[]);
    let topology = Topology::Standalone(node(server.port()));
    let one = OneNode::open(topology.clone()).await;
    let damaged = bill("B0001", "damaged");
    let others = [bill("B0001", "other"), bill("B0002", "other")];
    one.pay(&damaged, None).await;
    one.until_all_is_shared().await;
    let key = only_key(&server, "relay:{B0001}:b:*");
    server.tell(&["SET", &key, "unreadable"]);
    server.kill();
    one.until_cut_off().await;
    one.pay(&damaged, Some(answer(10))).await;
    for bill in &others {
        one.pay(bill, None).await;
    }
    server.start_again();
    let other = OneNode::open(topology).await;
    for bill in &others {
        eventually(async || other.is_paid(bill).await).await;
    }
    // Neither the value nor the rows that could repair it are lost: two payments, a delivery.
    eventually(async || one.ledger.unshared() == 3).await;
    assert_eq!(only_key(&server, "relay:{B0001}:b:*damaged*"), key);
    server.tell(&["DEL", &key]);
    one.until_all_is_shared().await;
}

fn only_key(server: &RedisServer, pattern: &str) -> String {
    let keys = server.ask(&["KEYS", pattern]).unwrap();
    let mut keys: Vec<String> = redis::from_redis_value(keys).unwrap();
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys.remove(0)
}

#[tokio::test]
async fn the_running_servers_of_a_cluster_are_resynced_and_the_killed_one_when_it_returns() {
    let cluster = Cluster::start(Network::Direct);
    for member in &cluster.members {
        member
            .server
            .tell(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let one = OneNode::open(topology(&cluster)).await;
    let other = OneNode::open(topology(&cluster)).await;
    let bills: Vec<Bill> = BILLERS
        .iter()
        .map(|biller| bill(biller, "before"))
        .collect();
    for bill in &bills {
        one.pay(bill, None).await;
    }
    one.until_all_is_shared().await;

    cluster.members[2].server.kill();
    one.until_cut_off().await;
    let (killed, running): (Vec<&str>, Vec<&str>) = BILLERS
        .iter()
        .partition(|biller| owner(&cluster, biller) == 2);
    for biller in &killed {
        one.pay(&bill(biller, "meanwhile"), None).await;
    }
    // A wipe of another server is noticed although not all servers run.
    cluster.members[0].server.tell(&["FLUSHALL"]);
    for biller in &running {
        let paid = bill(biller, "before");
        eventually(async || other.is_paid(&paid).await).await;
    }
    let behind = i64::try_from(2 * killed.len()).unwrap();
    eventually(async || one.ledger.unshared() == behind).await;

    cluster.members[2].server.start_again();
    let back = Instant::now();
    eventually(async || one.ledger.is_redis_reachable() == Some(true)).await;
    let reached = back.elapsed();
    for biller in &killed {
        let paid = bill(biller, "meanwhile");
        eventually(async || other.is_paid(&paid).await).await;
    }
    let duration = back.elapsed().saturating_sub(reached);
    assert!(duration < STARTS_WITHIN, "{duration:?}");
    one.until_all_is_shared().await;
}

#[tokio::test]
async fn many_large_answers_are_resynced_over_a_slow_connection() {
    let server = RedisServer::durable(&[]);
    let proxy = Proxy::slow(server.port(), 4 * 1024 * 1024);
    let one = OneNode::open(Topology::Standalone(node(proxy.port()))).await;
    server.kill();
    one.until_cut_off().await;
    let bills: Vec<Bill> = (0..120)
        .map(|user| bill("B0001", &user.to_string()))
        .collect();
    for bill in &bills {
        one.pay(bill, Some(answer(15_000))).await;
    }
    server.start_again();
    one.until_all_is_shared().await;
}

/// Redis executes swaps whose answers come too late: the caller was told that its link cannot be made, and nobody else
/// may be kept from the notice key by it.
#[tokio::test]
async fn a_reservation_that_redis_made_without_saying_so_blocks_no_other_bill() {
    const MOST: u64 = 200;
    let server = RedisServer::start();
    let proxy = Proxy::to(server.port());
    let one = OneNode::open(Topology::Standalone(node(proxy.port()))).await;
    let biller = BillerCode::parse("B0001").unwrap();
    let of_month = |month: &str, number: u64| {
        let notice_key = format!("N{number}");
        Bill::from_parts(biller, "U", month, "", &notice_key, &[])
    };
    let mut left_behind = 0;
    for number in 0..MOST {
        let first = of_month("202611", number);
        // Somewhere between the read and the answer to the swap.
        let hold = async {
            tokio::time::sleep(Duration::from_micros(number * 97 % 1_500)).await;
            proxy.set(Traffic::Held);
        };
        let (reserved, ()) = tokio::join!(one.reserve(&first), hold);
        proxy.set(Traffic::Flows);
        if reserved.is_ok() {
            continue;
        }
        let key = format!("relay:{{B0001}}:k:N{number}");
        let second = of_month("202612", number);
        eventually(async || {
            left_behind += usize::from(server.ask_text(&["STRLEN", &key]) != "0");
            one.reserve(&second).await.is_ok()
        })
        .await;
        if left_behind > 0 {
            return;
        }
    }
    panic!("no reservation was made without an answer in {MOST} attempts");
}
