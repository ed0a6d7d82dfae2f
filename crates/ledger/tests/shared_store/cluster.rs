//! Three primaries that share the slots.

use std::time::Duration;

use ledger::redis::{BillerChanges, OutOfReach, SharedStore, Swap, Topology};
use redis::Value;

use crate::server::{Server, await_until, free_port};
use crate::store::{
    change, eventually_write, held, in_reach, key, never_in_reach, other_than, out_of_reach,
    settings, values, write,
};

/// Billers, enough for every server to have some.
pub const BILLERS: [&str; 12] = [
    "B0001", "B0002", "B0003", "B0004", "B0005", "B0006", "B0007", "B0008", "B0009", "B0010",
    "B0011", "B0012",
];

pub struct Cluster {
    pub servers: Vec<Server>,
}

impl Cluster {
    pub fn start() -> Self {
        let cluster = Self {
            servers: (0..3).map(|_| Self::server()).collect(),
        };
        for (server, slots) in
            cluster
                .servers
                .iter()
                .zip([["0", "5460"], ["5461", "10922"], ["10923", "16383"]])
        {
            server.tell(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]);
        }
        for server in &cluster.servers[1..] {
            cluster.meet(server);
        }
        cluster.await_agreement(3);
        cluster
    }

    fn server() -> Server {
        // The port between the servers is this one plus 10,000 unless it is named, which may be
        // beyond the last port.
        let bus = free_port().to_string();
        Server::start(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--cluster-node-timeout",
            "1000",
        ])
    }

    fn meet(&self, server: &Server) {
        let bus: Vec<String> =
            redis::from_redis_value(server.ask(&["CONFIG", "GET", "cluster-port"]).unwrap())
                .unwrap();
        let port = server.port().to_string();
        self.servers[0].tell(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus[1]]);
    }

    fn await_agreement(&self, size: usize) {
        await_until("the Cluster is whole", || {
            self.servers.iter().all(|server| {
                let info: String =
                    redis::from_redis_value(server.ask(&["CLUSTER", "INFO"]).unwrap()).unwrap();
                info.contains("cluster_state:ok")
                    && info.contains(&format!("cluster_known_nodes:{size}"))
            })
        });
    }

    fn id(&self, server: usize) -> String {
        redis::from_redis_value(self.servers[server].ask(&["CLUSTER", "MYID"]).unwrap()).unwrap()
    }

    fn slot(&self, biller: &str) -> u16 {
        let key = format!("{{{biller}}}");
        redis::from_redis_value(self.servers[0].ask(&["CLUSTER", "KEYSLOT", &key]).unwrap())
            .unwrap()
    }

    pub fn owner(&self, biller: &str) -> usize {
        usize::from(self.slot(biller)) * 3 / 16_384
    }

    fn set_slot(&self, server: usize, slot: u16, words: &[&str]) {
        let slot = slot.to_string();
        let words: Vec<&str> = ["CLUSTER", "SETSLOT", &slot]
            .into_iter()
            .chain(words.iter().copied())
            .collect();
        self.servers[server].tell(&words);
    }

    /// Marks a slot as on its way.
    fn begin_move(&self, slot: u16, from: usize, to: usize) {
        self.set_slot(to, slot, &["IMPORTING", &self.id(from)]);
        self.set_slot(from, slot, &["MIGRATING", &self.id(to)]);
    }

    fn move_key(&self, key: &str, from: usize, to: usize) {
        let port = self.servers[to].port().to_string();
        self.servers[from].tell(&["MIGRATE", "127.0.0.1", &port, key, "0", "1000"]);
    }

    fn end_move(&self, slot: u16, to: usize) {
        let id = self.id(to);
        self.set_slot(to, slot, &["NODE", &id]);
        for server in 0..self.servers.len() {
            self.set_slot(server, slot, &["NODE", &id]);
        }
    }

    pub fn topology(&self) -> Topology {
        Topology::Cluster {
            nodes: self.servers.iter().map(Server::node).collect(),
        }
    }

    fn store(&self) -> SharedStore {
        SharedStore::start(settings(self.topology()))
    }
}

#[tokio::test]
async fn every_biller_is_served_by_the_server_that_has_its_slot() {
    let cluster = Cluster::start();
    let store = cluster.store();
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
        let server = &cluster.servers[cluster.owner(biller)];
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
async fn a_slot_that_moved_is_followed_at_once_and_told_when_it_settled() {
    let cluster = Cluster::start();
    let store = cluster.store();
    let before = in_reach(&store).await;
    let biller = BILLERS[0];
    let (slot, from) = (cluster.slot(biller), cluster.owner(biller));
    let to = (from + 1) % 3;
    assert_eq!(write(&store, biller, "a", "1").await, Ok(Swap::Done));

    cluster.begin_move(slot, from, to);
    // A key that is still here, and one that must go where the slot goes.
    assert!(held(&store, biller, "a").await.unwrap().is_some());
    assert_eq!(write(&store, biller, "new", "1").await, Ok(Swap::Done));
    assert_eq!(
        store.swap(biller, &[change("new", Some("1"), "2")]).await,
        Ok(Swap::Done)
    );
    // One here and one there: nobody can say, and nothing is broken by it.
    let both = store.get(biller, &[key("a"), key("new")]).await;
    assert!(
        matches!(both, Err(OutOfReach::Refused | OutOfReach::TooSlow)),
        "{both:?}"
    );
    assert!(store.is_reachable());
    cluster.move_key(&format!("relay:{{{biller}}}:t:a"), from, to);
    let both = store.get(biller, &[key("a"), key("new")]).await;
    assert_eq!(both, Ok(values(&[Some("1"), Some("2")])));
    cluster.end_move(slot, to);

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
    let mut cluster = Cluster::start();
    let store = cluster.store();
    in_reach(&store).await;
    cluster.servers.push(Cluster::server());
    cluster.meet(&cluster.servers[3]);
    cluster.await_agreement(4);
    let biller = BILLERS[1];
    let (slot, from) = (cluster.slot(biller), cluster.owner(biller));
    cluster.begin_move(slot, from, 3);
    // Nobody is connected to the fourth server yet.
    assert_eq!(write(&store, biller, "new", "1").await, Ok(Swap::Done));
    assert_eq!(
        cluster.servers[3]
            .ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()])
            .unwrap(),
        Value::Int(1)
    );
    cluster.end_move(slot, 3);
    assert!(held(&store, biller, "new").await.unwrap().is_some());
    let four = async {
        while in_reach(&store).await.servers().len() < 4 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::server::PATIENCE, four)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_that_hangs_takes_only_its_own_billers_with_it() {
    let cluster = Cluster::start();
    // Without a fail-over, the others go on for one node time-out, and with this setting longer.
    for server in &cluster.servers {
        server.tell(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let store = cluster.store();
    let before = in_reach(&store).await;
    let of = |server| {
        BILLERS
            .into_iter()
            .find(|biller| cluster.owner(biller) == server)
            .unwrap()
    };
    let (lost, kept) = (of(2), of(0));
    cluster.servers[2].freeze();
    out_of_reach(&store).await;
    assert!(!store.is_reachable());
    assert!(held(&store, lost, "a").await.is_err());
    assert!(held(&store, kept, "a").await.is_ok());
    cluster.servers[2].thaw();
    eventually_write(&store, lost, "a").await;
    assert_eq!(in_reach(&store).await, before);
}

#[tokio::test]
async fn a_wipe_of_any_server_is_seen() {
    let cluster = Cluster::start();
    let store = cluster.store();
    for server in &cluster.servers {
        let before = in_reach(&store).await;
        server.tell(&["FLUSHALL"]);
        other_than(&store, &before).await;
    }
}

#[tokio::test]
async fn a_replica_that_takes_over_is_followed() {
    let mut cluster = Cluster::start();
    cluster.servers.push(Cluster::server());
    cluster.meet(&cluster.servers[3]);
    cluster.await_agreement(4);
    let id = cluster.id(2);
    await_until("the fourth knows the third", || {
        cluster.servers[3]
            .ask(&["CLUSTER", "REPLICATE", &id])
            .is_ok()
    });
    await_until("the replica is in step", || {
        let info: String =
            redis::from_redis_value(cluster.servers[3].ask(&["INFO", "replication"]).unwrap())
                .unwrap();
        info.contains("master_link_status:up")
    });
    let store = cluster.store();
    let before = in_reach(&store).await;
    let biller = BILLERS
        .into_iter()
        .find(|biller| cluster.owner(biller) == 2)
        .unwrap();
    cluster.servers[2].kill();
    other_than(&store, &before).await;
    eventually_write(&store, biller, "a").await;
}

#[tokio::test]
async fn a_cluster_reached_as_a_single_server_is_refused() {
    let cluster = Cluster::start();
    let store = crate::store::standalone(cluster.servers[0].node());
    never_in_reach(&store).await;
}
