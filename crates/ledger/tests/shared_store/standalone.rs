//! Keys, values and compare-and-swaps on one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ledger::redis::{BillerChanges, Change, OutOfReach, Settings, SharedStore, Swap, Topology};
use test_support::RedisServer;

use crate::store::{
    await_until, change, in_reach, key, node, read, settings, standalone, values, write,
};

#[tokio::test]
async fn keys_of_a_biller_are_read_and_changed_together() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let both = [key("a"), key("b")];
    assert_eq!(store.get("B0001", &both).await, Ok(values(&[None, None])));

    let fresh = [change("a", None, "1"), change("b", None, "OK")];
    assert_eq!(store.swap("B0001", &fresh).await, Ok(Swap::Done));
    assert_eq!(
        store.get("B0001", &both).await,
        Ok(values(&[Some("1"), Some("OK")]))
    );
    assert_eq!(store.get("B0002", &both).await, Ok(values(&[None, None])));

    // One of the two is not as expected: neither is changed, and their values are returned.
    for stale in [
        [change("a", Some("1"), "2"), change("b", None, "2")],
        [change("a", Some("1"), "2"), change("b", Some("other"), "2")],
    ] {
        let conflict = Swap::Conflict(values(&[Some("1"), Some("OK")]));
        assert_eq!(store.swap("B0001", &stale).await, Ok(conflict));
    }
    let missing = [change("a", Some("1"), "2"), change("c", Some(""), "2")];
    let conflict = Swap::Conflict(values(&[Some("1"), None]));
    assert_eq!(store.swap("B0001", &missing).await, Ok(conflict));
    assert_eq!(
        store.get("B0001", &both).await,
        Ok(values(&[Some("1"), Some("OK")]))
    );
    assert_eq!(store.get("B0001", &[]).await, Ok(Vec::new()));
    assert_eq!(store.swap("B0001", &[]).await, Ok(Swap::Done));
}

#[tokio::test]
async fn a_key_is_spelled_with_the_biller_as_its_hash_tag_and_holds_any_bytes() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let bytes: Vec<u8> = (0..=255).chain([b'\r', b'\n', 0]).collect();
    let written = Change {
        key: key("이름"),
        expected: None,
        new: &bytes,
        expires_in: None,
    };
    assert_eq!(store.swap("B0001", &[written]).await, Ok(Swap::Done));
    let value = server.ask(&["GET", "relay:{B0001}:t:이름"]).unwrap();
    assert_eq!(value, redis::Value::BulkString(bytes.clone()));
    let again = Change {
        expected: Some(&bytes),
        new: b"",
        ..written
    };
    assert_eq!(store.swap("B0001", &[again]).await, Ok(Swap::Done));
    assert_eq!(
        read(&store, "B0001", "이름").await,
        Ok(values(&[Some("")]).remove(0))
    );
}

#[tokio::test]
async fn a_value_with_an_end_is_gone_afterwards_and_one_without_stays() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let lease = Change {
        expires_in: Some(Duration::from_millis(30)),
        ..change("lease", None, "x")
    };
    let kept = Change {
        key: key("kept"),
        ..lease
    };
    assert_eq!(store.swap("B0001", &[lease, kept]).await, Ok(Swap::Done));
    assert_eq!(
        store.swap("B0001", &[change("kept", Some("x"), "y")]).await,
        Ok(Swap::Done)
    );
    await_until("the lease ends", || {
        server.ask(&["EXISTS", "relay:{B0001}:t:lease"]).unwrap() == redis::Value::Int(0)
    });
    assert_eq!(read(&store, "B0001", "lease").await, Ok(None));
    assert_eq!(
        server.ask(&["PTTL", "relay:{B0001}:t:kept"]).unwrap(),
        redis::Value::Int(-1)
    );
}

#[tokio::test]
async fn a_script_that_the_server_lost_is_sent_again() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    for name in ["a", "b"] {
        assert_eq!(write(&store, "B0001", name, "1").await, Ok(Swap::Done));
        server.tell(&["SCRIPT", "FLUSH"]);
    }
    let one = [change("c", None, "1")];
    let other = [change("d", None, "1")];
    let swaps = [&one, &other].map(|changes| BillerChanges {
        biller: "B0001",
        changes,
    });
    assert_eq!(
        store.swap_many(&swaps).await,
        [Ok(Swap::Done), Ok(Swap::Done)]
    );
}

#[tokio::test]
async fn many_swaps_have_their_outcomes_in_order() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let changes: Vec<[Change<'_>; 1]> = names
        .iter()
        .map(|name| [change(name, None, name)])
        .collect();
    let swaps: Vec<BillerChanges<'_>> = changes
        .iter()
        .map(|changes| BillerChanges {
            biller: "B0001",
            changes,
        })
        .collect();
    assert!(write(&store, "B0001", "7", "there").await.is_ok());
    let outcomes = store.swap_many(&swaps).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let expected = match number {
            7 => Swap::Conflict(values(&[Some("there")])),
            _ => Swap::Done,
        };
        assert_eq!(outcome, Ok(expected), "{number}");
    }
}

#[tokio::test]
async fn databases_and_prefixes_are_isolated() {
    let server = RedisServer::durable(&[]);
    let other = SharedStore::start(Settings {
        database: 3,
        key_prefix: "test-2".to_owned(),
        ..settings(Topology::Standalone(node(server.port())))
    });
    in_reach(&other).await;
    assert!(write(&other, "B0001", "a", "1").await.is_ok());
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    assert_eq!(read(&store, "B0001", "a").await, Ok(None));
    assert_eq!(
        server.ask(&["EXISTS", "relay:epoch2"]).unwrap(),
        redis::Value::Int(1)
    );
}

#[tokio::test]
async fn more_than_the_bound_is_refused_at_once() {
    let server = RedisServer::durable(&[]);
    let store = standalone(node(server.port()));
    in_reach(&store).await;
    let huge = "x".repeat(33 * 1024 * 1024);
    assert_eq!(
        write(&store, "B0001", "a", &huge).await,
        Err(OutOfReach::Busy)
    );
    assert!(write(&store, "B0001", "a", "1").await.is_ok());
}

/// Increments one number a thousand times, from four threads with a runtime each, like workers.
#[test]
fn increments_that_compete_are_never_lost() {
    const THREADS: usize = 4;
    const TASKS: usize = 5;
    const EACH: usize = 50;
    let server = RedisServer::durable(&[]);
    let store = SharedStore::start(Settings {
        // On a loaded machine the outcome of an increment may be unknown, which would prove nothing.
        timeout: Duration::from_secs(10),
        ..settings(Topology::Standalone(node(server.port())))
    });
    let conflicts = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (store, conflicts) = (store.clone(), Arc::clone(&conflicts));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                runtime.unwrap().block_on(async {
                    in_reach(&store).await;
                    let tasks: Vec<_> = (0..TASKS)
                        .map(|_| {
                            tokio::spawn(increment(store.clone(), EACH, Arc::clone(&conflicts)))
                        })
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let total = redis::Value::BulkString((THREADS * TASKS * EACH).to_string().into_bytes());
    assert_eq!(
        server.ask(&["GET", "relay:{B0001}:t:number"]).unwrap(),
        total
    );
    assert!(conflicts.load(Ordering::Relaxed) > 0, "no conflict");
}

async fn increment(store: SharedStore, times: usize, conflicts: Arc<AtomicUsize>) {
    let mut current: Option<String> = None;
    for _ in 0..times {
        loop {
            let number: usize = current
                .as_deref()
                .map_or(0, |current| current.parse().unwrap());
            let next = (number + 1).to_string();
            let changes = [change("number", current.as_deref(), &next)];
            match store.swap("B0001", &changes).await.unwrap() {
                Swap::Done => {
                    current = Some(next);
                    break;
                }
                Swap::Conflict(found) => {
                    conflicts.fetch_add(1, Ordering::Relaxed);
                    let found = found[0].as_ref().unwrap();
                    current = Some(String::from_utf8(found.to_vec()).unwrap());
                }
            }
        }
    }
}
