//! The store under test, and its operations in tests.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger::redis::{
    Change, Identity, Key, OutOfReach, ServerAddress, Settings, SharedStore, Swap, Topology,
};

/// The limit of one operation, with a margin for a loaded machine.
pub const BOUND: Duration = Duration::from_millis(250);

/// The longest time of "at once" on a loaded machine; a call that waits for a time-out takes 200 ms.
pub const AT_ONCE: Duration = Duration::from_millis(50);

/// How long an event may take that normally takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until a condition holds.
#[track_caller]
pub fn await_until(what: &str, happened: impl FnMut() -> bool) {
    test_support::within(PATIENCE, what, happened);
}

/// Returns a server on loopback.
pub fn node(port: u16) -> ServerAddress {
    ServerAddress::new("127.0.0.1", port)
}

/// Returns the gateway's settings for this Redis.
pub fn settings(topology: Topology) -> Settings {
    Settings {
        topology,
        database: 0,
        username: None,
        password: None,
        key_prefix: "relay".to_owned(),
        value_key: None,
        tls: None,
        timeout: Settings::TIMEOUT,
    }
}

/// Returns a store of one server that is not connected yet.
pub fn standalone(address: ServerAddress) -> SharedStore {
    SharedStore::start(settings(Topology::Standalone(address)))
}

/// Waits until the store is in reach and returns its identity.
pub async fn in_reach(store: &SharedStore) -> Identity {
    identity_where(store, |_| true).await
}

/// Waits until the store is in reach with another identity.
pub async fn other_than(store: &SharedStore, before: &Identity) -> Identity {
    identity_where(store, |identity| identity != before).await
}

/// Checks that the store does not come in reach after several tries and that its calls fail at once. A
/// server that accepts writes would be in reach within milliseconds.
pub async fn never_in_reach(store: &SharedStore) {
    let mut identity = store.identity();
    let reached = identity.wait_for(Option::is_some);
    let tries = tokio::time::timeout(Duration::from_millis(800), reached).await;
    assert!(tries.is_err(), "in reach");
    assert!(!store.is_reachable());
    assert_eq!(
        read(store, "B0001", "a").await,
        Err(OutOfReach::NotConnected)
    );
}

/// Waits until no server is in reach.
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

/// Returns a key for tests.
pub fn key(name: &str) -> Key<'_> {
    Key {
        kind: "t",
        name: name.as_bytes(),
    }
}

/// Returns a change without expiry.
pub fn change<'a>(name: &'a str, expected: Option<&'a str>, new: &'a str) -> Change<'a> {
    Change {
        key: key(name),
        expected: expected.map(str::as_bytes),
        new: new.as_bytes(),
        expires_in: None,
    }
}

/// Returns the value of one key of a biller.
pub async fn read(
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

/// Returns values as a conflict or look-up has them.
pub fn values(values: &[Option<&'static str>]) -> Vec<Option<Bytes>> {
    values
        .iter()
        .map(|value| value.map(|value| Bytes::from_static(value.as_bytes())))
        .collect()
}

/// Repeats a write until it succeeds.
pub async fn eventually_write(store: &SharedStore, biller: &str, name: &str) {
    let begun = Instant::now();
    while write(store, biller, name, "v").await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "{biller} cannot be written");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
