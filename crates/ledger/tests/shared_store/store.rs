//! The store under test, and what tests do with it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger::redis::{
    Change, Identity, Key, Node, OutOfReach, Settings, SharedStore, Swap, Topology,
};

/// The bound on one operation, and what a busy machine may add to it.
pub const BOUND: Duration = Duration::from_millis(250);

/// What "at once" may take on a busy machine; a call that waited for a time-out takes 200 ms.
pub const AT_ONCE: Duration = Duration::from_millis(50);

/// How long an event may take that normally takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that only looking at it shows.
#[track_caller]
pub fn await_until(what: &str, happened: impl FnMut() -> bool) {
    test_support::within(PATIENCE, what, happened);
}

/// A server on loopback.
pub fn node(port: u16) -> Node {
    Node::new("127.0.0.1", port)
}

/// How the gateway would reach such a Redis.
pub fn settings(topology: Topology) -> Settings {
    Settings {
        topology,
        database: 0,
        username: None,
        password: None,
        key_prefix: "relay".to_owned(),
        tls: None,
        timeout: Settings::TIMEOUT,
    }
}

/// A store of one server, not yet connected.
pub fn standalone(node: Node) -> SharedStore {
    SharedStore::start(settings(Topology::Standalone(node)))
}

/// Waits until the store is in reach, and says who it is.
pub async fn in_reach(store: &SharedStore) -> Identity {
    identity_where(store, |_| true).await
}

/// Waits until the store is in reach and is somebody else.
pub async fn other_than(store: &SharedStore, before: &Identity) -> Identity {
    identity_where(store, |identity| identity != before).await
}

/// What takes writes is in reach within some milliseconds; several tries later it is proved that
/// this store never is, and that its calls fail at once.
pub async fn never_in_reach(store: &SharedStore) {
    let mut identity = store.identity();
    let reached = identity.wait_for(Option::is_some);
    let tries = tokio::time::timeout(Duration::from_millis(800), reached).await;
    assert!(tries.is_err(), "in reach");
    assert!(!store.is_reachable());
    assert_eq!(
        held(store, "B0001", "a").await,
        Err(OutOfReach::NotConnected)
    );
}

/// Waits until nothing is in reach.
pub async fn out_of_reach(store: &SharedStore) {
    let mut identity = store.identity();
    let away = identity.wait_for(Option::is_none);
    tokio::time::timeout(PATIENCE, away)
        .await
        .expect("never out of reach")
        .unwrap();
}

async fn identity_where(store: &SharedStore, fits: impl Fn(&Identity) -> bool) -> Identity {
    let mut identity = store.identity();
    let known = identity.wait_for(|identity| identity.as_ref().is_some_and(&fits));
    let known = tokio::time::timeout(PATIENCE, known)
        .await
        .expect("never in reach")
        .unwrap();
    known.clone().unwrap()
}

/// A key of the kind that tests use.
pub fn key(name: &str) -> Key<'_> {
    Key {
        kind: "t",
        name: name.as_bytes(),
    }
}

/// A change that stays.
pub fn change<'a>(name: &'a str, expected: Option<&'a str>, new: &'a str) -> Change<'a> {
    Change {
        key: key(name),
        expected: expected.map(str::as_bytes),
        new: new.as_bytes(),
        expires_in: None,
    }
}

/// What one key of a biller holds.
pub async fn held(
    store: &SharedStore,
    biller: &str,
    name: &str,
) -> Result<Option<Bytes>, OutOfReach> {
    Ok(store.get(biller, &[key(name)]).await?.remove(0))
}

/// Writes a new key.
pub async fn write(
    store: &SharedStore,
    biller: &str,
    name: &str,
    value: &str,
) -> Result<Swap, OutOfReach> {
    store.swap(biller, &[change(name, None, value)]).await
}

/// What a conflict or a look-up says of keys.
pub fn values(values: &[Option<&'static str>]) -> Vec<Option<Bytes>> {
    values
        .iter()
        .map(|value| value.map(|value| Bytes::from_static(value.as_bytes())))
        .collect()
}

/// Tries until a write succeeds.
pub async fn eventually_write(store: &SharedStore, biller: &str, name: &str) {
    let begun = Instant::now();
    while write(store, biller, name, "v").await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "{biller} cannot be written");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
