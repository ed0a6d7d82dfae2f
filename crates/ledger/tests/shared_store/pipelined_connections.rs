//! Large values do not delay other commands.

use std::time::Duration;

use ledger::redis::{Key, OutOfReach, Topology};
use ledger::{RecordOutcome, Scope};
use test_support::{Proxy, RedisServer};

use crate::one_node::{OneNode, answer, bill, eventually};
use crate::store::{in_reach, node, read, standalone, write};

const MEGABYTE: usize = 1024 * 1024;

const BYTES_PER_SECOND: u32 = 4 * 1024 * 1024;

const KEY: Key<'_> = Key {
    kind: "large",
    name: b"1",
};

const KEEP: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_large_value_that_takes_too_long_closes_only_its_own_connection() {
    let server = RedisServer::durable(&[]);
    let proxy = Proxy::slow(server.port(), BYTES_PER_SECOND);
    let store = standalone(node(proxy.port()));
    in_reach(&store).await;
    assert!(write(&store, "B0001", "a", "1").await.is_ok());

    let value = vec![b'x'; 4 * MEGABYTE];
    let patience = Duration::from_millis(400);
    let slow = store.put_large("B0001", KEY, &value, KEEP, patience);
    let calls = async {
        for _ in 0..20 {
            assert!(read(&store, "B0002", "a").await.is_ok());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (slow, ()) = tokio::join!(slow, calls);
    assert_eq!(slow, Err(OutOfReach::TooSlow));
    assert!(store.is_reachable());
    assert!(read(&store, "B0001", "a").await.unwrap().is_some());

    // With enough time it succeeds over a new connection; existing data stays.
    let patience = Duration::from_secs(10);
    for value in [&value, &vec![b'y'; MEGABYTE]] {
        let put = store.put_large("B0001", KEY, value, KEEP, patience);
        assert_eq!(put.await, Ok(()));
    }
    let got = store.get_large("B0001", KEY, patience).await.unwrap();
    assert!(got.unwrap() == value);
}

#[tokio::test]
async fn a_billers_large_answer_keeps_no_other_biller_from_redis() {
    let server = RedisServer::durable(&[]);
    let proxy = Proxy::slow(server.port(), BYTES_PER_SECOND);
    let one = OneNode::open(Topology::Standalone(node(proxy.port()))).await;
    let (large, small) = (bill("B0001", "1"), bill("B0002", "1"));
    one.pay(&small, None).await;
    // As large as kept answers are.
    let kept = answer(64 * 1024);
    let calls = async {
        for _ in 0..40 {
            assert_eq!(one.reach(&small).await, Scope::AllNodes);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::join!(one.pay(&large, Some(kept.clone())), calls);
    assert!(one.is_paid(&large).await);

    // The resync writes what the call had no time for; from then on every node has the answer.
    one.until_all_is_shared().await;
    let other = OneNode::open(Topology::Standalone(node(server.port()))).await;
    match other.begin_again(&large).await {
        RecordOutcome::AcceptedElsewhere { answer, .. } => assert!(answer == kept),
        RecordOutcome::Recorded(recorded) => panic!("delivered twice: {recorded:?}"),
    }
    // The same after a wipe.
    server.tell(&["FLUSHALL"]);
    let third = OneNode::open(Topology::Standalone(node(server.port()))).await;
    eventually(async || {
        matches!(
            third.begin_again(&large).await,
            RecordOutcome::AcceptedElsewhere { .. }
        )
    })
    .await;
}
