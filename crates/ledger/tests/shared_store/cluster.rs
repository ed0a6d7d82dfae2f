//! Three primaries that share the slots.

use std::time::Duration;

use ledger::redis::{BillerChanges, OutOfReach, SharedStore, Swap, Topology};
use redis::Value;
use test_support::redis::{Cluster, Network};

use crate::store::{
    PATIENCE, change, eventually_write, in_reach, key, never_in_reach, node, other_than,
    out_of_reach, read, settings, values, write,
};

/// Enough billers for every server to have some.
pub const BILLERS: [&str; 12] = [
    "B0001", "B0002", "B0003", "B0004", "B0005", "B0006", "B0007", "B0008", "B0009", "B0010",
    "B0011", "B0012",
];

pub fn topology(cluster: &Cluster) -> Topology {
    let members = cluster.members.iter();
    Topology::Cluster {
        nodes: members.map(|member| node(member.port())).collect(),
    }
}

/// Returns which of the three primaries has a biller's slot.
pub fn owner(cluster: &Cluster, biller: &str) -> usize {
    usize::from(cluster.slot(biller)) * 3 / 16_384
}

fn store_on(cluster: &Cluster) -> SharedStore {
    SharedStore::start(settings(topology(cluster)))
}

/// Moves a slot to a server and sends every server the change.
fn end_move(cluster: &Cluster, slot: u16, to: usize) {
    cluster.end_move(slot, &cluster.members[to], cluster.members.iter());
}

#[tokio::test]
async fn every_biller_is_served_by_the_server_that_has_its_slot() {
    let cluster = Cluster::start(Network::Direct);
    let store = store_on(&cluster);
    let identity = in_reach(&store).await;
    assert_eq!(identity.servers().len(), 3);
    for biller in BILLERS {
        let both = [change("a", None, biller), change("b", None, biller)];
        assert_eq!(store.swap(biller, &both).await, Ok(Swap::Done), "{biller}");
        assert!(
            store
                .get(biller, &[key("a"), key("b")])
                .await
                .unwrap()
                .iter()
                .all(Option::is_some)
        );
        let server = &cluster.members[owner(&cluster, biller)].server;
        assert_eq!(
            server
                .ask(&["EXISTS", &format!("relay:{{{biller}}}:t:a")])
                .unwrap(),
            Value::Int(1)
        );
    }
    let changes = [change("c", None, "1")];
    let swaps = BILLERS.map(|biller| BillerChanges {
        biller,
        changes: &changes,
    });
    assert!(
        store
            .swap_many(&swaps)
            .await
            .iter()
            .all(|outcome| *outcome == Ok(Swap::Done))
    );
}

#[tokio::test]
async fn a_moved_slot_is_followed_at_once_and_reported_when_the_move_ends() {
    let cluster = Cluster::start(Network::Direct);
    let store = store_on(&cluster);
    let before = in_reach(&store).await;
    let biller = BILLERS[0];
    let (slot, from) = (cluster.slot(biller), owner(&cluster, biller));
    let to = (from + 1) % 3;
    assert_eq!(write(&store, biller, "a", "1").await, Ok(Swap::Done));

    let [source, target] = [from, to].map(|server| &cluster.members[server]);
    cluster.begin_move(slot, source, target);
    // A key that is still on the old server, and one that must be on the new one.
    assert!(read(&store, biller, "a").await.unwrap().is_some());
    assert_eq!(write(&store, biller, "new", "1").await, Ok(Swap::Done));
    assert_eq!(
        store.swap(biller, &[change("new", Some("1"), "2")]).await,
        Ok(Swap::Done)
    );
    // The keys are on two servers: neither can answer, and no connection is closed.
    let both = store.get(biller, &[key("a"), key("new")]).await;
    assert!(
        matches!(both, Err(OutOfReach::Refused | OutOfReach::TooSlow)),
        "{both:?}"
    );
    assert!(store.is_reachable());
    let (port, moved) = (target.port().to_string(), format!("relay:{{{biller}}}:t:a"));
    source
        .server
        .tell(&["MIGRATE", "127.0.0.1", &port, &moved, "0", "1000"]);
    let both = store.get(biller, &[key("a"), key("new")]).await;
    assert_eq!(both, Ok(values(&[Some("1"), Some("2")])));
    end_move(&cluster, slot, to);

    let both = store.get(biller, &[key("a"), key("new")]).await;
    assert_eq!(both, Ok(values(&[Some("1"), Some("2")])));
    let changes = [change("a", Some("1"), "3")];
    let swaps = [BillerChanges {
        biller,
        changes: &changes,
    }];
    assert_eq!(store.swap_many(&swaps).await, [Ok(Swap::Done)]);
    assert_ne!(other_than(&store, &before).await, before);
    assert!(store.is_reachable());
}

#[tokio::test]
async fn a_server_without_slots_gets_its_first() {
    let mut cluster = Cluster::start(Network::Direct);
    let store = store_on(&cluster);
    in_reach(&store).await;
    cluster.add();
    cluster.await_whole();
    let biller = BILLERS[1];
    let (slot, from) = (cluster.slot(biller), owner(&cluster, biller));
    cluster.begin_move(slot, &cluster.members[from], &cluster.members[3]);
    // The store has no connection to the fourth server yet.
    assert_eq!(write(&store, biller, "new", "1").await, Ok(Swap::Done));
    assert_eq!(
        cluster.members[3]
            .server
            .ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()])
            .unwrap(),
        Value::Int(1)
    );
    end_move(&cluster, slot, 3);
    assert!(read(&store, biller, "new").await.unwrap().is_some());
    let four = async {
        while in_reach(&store).await.servers().len() < 4 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, four).await.unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_takes_only_its_own_billers_with_it() {
    let cluster = Cluster::start(Network::Direct);
    // Without a fail-over, the others serve for one node time-out, and with this setting longer.
    for member in &cluster.members {
        member
            .server
            .tell(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let store = store_on(&cluster);
    let before = in_reach(&store).await;
    let of = |server| {
        BILLERS
            .into_iter()
            .find(|biller| owner(&cluster, biller) == server)
            .unwrap()
    };
    let (lost, kept) = (of(2), of(0));
    cluster.members[2].server.signal("STOP");
    out_of_reach(&store).await;
    assert!(!store.is_reachable());
    assert!(read(&store, lost, "a").await.is_err());
    assert!(read(&store, kept, "a").await.is_ok());
    cluster.members[2].server.signal("CONT");
    eventually_write(&store, lost, "a").await;
    assert_eq!(in_reach(&store).await, before);
}

#[tokio::test]
async fn a_wipe_of_any_server_is_seen() {
    let cluster = Cluster::start(Network::Direct);
    let store = store_on(&cluster);
    for member in &cluster.members {
        let before = in_reach(&store).await;
        member.server.tell(&["FLUSHALL"]);
        other_than(&store, &before).await;
    }
}

#[tokio::test]
async fn a_replica_that_takes_over_is_followed() {
    let mut cluster = Cluster::start(Network::Direct);
    cluster.add();
    cluster.await_whole();
    cluster.members[3].replicate(&cluster.members[2]);
    let store = store_on(&cluster);
    let before = in_reach(&store).await;
    let biller = BILLERS
        .into_iter()
        .find(|biller| owner(&cluster, biller) == 2)
        .unwrap();
    cluster.members[2].server.kill();
    other_than(&store, &before).await;
    eventually_write(&store, biller, "a").await;
}

#[tokio::test]
async fn a_cluster_reached_as_a_single_server_is_refused() {
    let cluster = Cluster::start(Network::Direct);
    let store = crate::store::standalone(node(cluster.members[0].port()));
    never_in_reach(&store).await;
}
