//! A Cluster of three masters with a replica each. Nodes and replicas reach a server through its proxy;
//! the gossip of the servers does not pass it.

use std::sync::Mutex;
use std::time::Duration;

use test_support::redis::{self as servers, Member, Network};
use test_support::{RedisServer, Traffic};

use crate::bill::BILLERS;
use crate::clock::until;
use crate::faults::redis_fault::{Loss, RedisFault};
use crate::store::{Store, names_process};

const MASTERS: usize = 3;

#[derive(Debug)]
pub struct Cluster {
    /// The first masters, then their replicas; the roles change later.
    servers: servers::Cluster,
    /// The index of the server that was killed last.
    killed: Mutex<usize>,
}

impl Cluster {
    pub fn start() -> Self {
        Self {
            servers: servers::Cluster::with_replicas(Network::Proxied),
            killed: Mutex::default(),
        }
    }

    fn members(&self) -> &[Member] {
        &self.servers.members
    }

    /// Returns the two servers of one of the three parts.
    fn part(&self, part: usize) -> [&Member; 2] {
        [part, part + MASTERS].map(|server| &self.members()[server])
    }

    /// Waits until all servers know each other and every master has a replica that is in sync.
    fn await_order(&self) {
        self.servers.await_whole();
        until("every master has a replica that is in sync", || {
            (0..MASTERS).all(|part| {
                let pair = self.part(part);
                let masters = pair.iter().filter(|member| member.is_primary()).count();
                masters == 1 && pair.iter().any(|member| member.is_in_step())
            })
        });
    }

    /// Returns the index of the master of one of the three parts.
    fn master(&self, part: usize) -> usize {
        if self.members()[part].is_primary() {
            part
        } else {
            part + MASTERS
        }
    }

    /// Returns the master of one of the three parts and its replica.
    fn pair(&self, part: usize) -> [&Member; 2] {
        let master = self.master(part);
        let replica = (master + MASTERS) % (2 * MASTERS);
        [master, replica].map(|server| &self.members()[server])
    }

    fn kill_master(&self, part: usize) {
        let master = self.master(part);
        let [killed, replica] = self.pair(part);
        replica.await_all_of(killed);
        killed.server.kill();
        *self.killed.lock().unwrap() = master;
    }

    /// Restarts the server that was killed last, which may become the replica of its former replica.
    fn revive(&self) -> Loss {
        let killed = &self.members()[*self.killed.lock().unwrap()];
        killed.server.revive();
        self.await_order();
        if killed.is_primary() {
            Loss::Nothing
        } else {
            Loss::Latest(Duration::ZERO)
        }
    }

    fn masters(&self) -> impl Iterator<Item = &Member> {
        self.members().iter().filter(|member| member.is_primary())
    }

    fn set(&self, traffic: Traffic) {
        let proxies = self
            .members()
            .iter()
            .filter_map(|member| member.proxy.as_ref());
        proxies.for_each(|proxy| proxy.set(traffic));
    }

    /// Moves a slot as `redis-cli --cluster reshard` does: both servers are notified, then the keys move.
    fn reshard(&self, biller: usize) {
        let slot = self.servers.slot(BILLERS[biller]);
        let has_slot = |part: &usize| {
            let [master, _] = self.pair(*part);
            // A server without the slot redirects to another one.
            let key = format!("{{{}}}", BILLERS[biller]);
            master.server.ask(&["GET", &key]).is_ok()
        };
        let from = (0..MASTERS).find(has_slot).expect("a slot has a master");
        let ([from, _], [to, _]) = (self.pair(from), self.pair((from + 1) % MASTERS));
        self.servers.begin_move(slot, from, to);
        while move_keys(from, to, slot) {}
        self.servers
            .end_move(slot, to, std::iter::once(from).chain(self.masters()));
    }
}

/// Moves some keys of a slot to another server; returns whether there were any. Key names are bytes.
fn move_keys(from: &Member, to: &Member, slot: u16) -> bool {
    let slot = slot.to_string();
    let keys = from.server.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "10"]);
    let keys: Vec<Vec<u8>> = redis::from_redis_value(keys.unwrap()).unwrap();
    if keys.is_empty() {
        return false;
    }
    let mut migrate = redis::cmd("MIGRATE");
    migrate.arg("127.0.0.1").arg(to.server.port());
    migrate.arg(&["", "0", "1000", "KEYS"]).arg(&keys);
    from.server.send(&migrate).unwrap();
    true
}

impl Store for Cluster {
    fn url(&self, _node: usize) -> String {
        let ports = self.members().iter().map(Member::port);
        let servers: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+cluster://{}", servers.join(","))
    }

    /// Compares the processes of the masters and the epoch in the data of each.
    fn is_held_by(&self, shared_with: &str) -> bool {
        let mut masters = 0;
        let named = self.masters().all(|master| {
            masters += 1;
            let epochs = master.server.words(&["KEYS", "relay:epoch2:*"]);
            let is_named = |key: &String| {
                let epoch = master.server.ask_text(&["GET", key]);
                !epoch.is_empty() && shared_with.contains(&epoch)
            };
            names_process(&master.server, shared_with) && epochs.iter().any(is_named)
        });
        named && masters == MASTERS
    }

    fn primaries(&self) -> Vec<String> {
        let members = self.members().iter();
        members
            .filter_map(|member| member.server.primary_of())
            .collect()
    }

    fn begin(&self, redis_fault: RedisFault) {
        match redis_fault {
            RedisFault::Flush => self
                .masters()
                .for_each(|master| master.server.tell(&["FLUSHALL"])),
            RedisFault::CutOff(_) => self.set(Traffic::Cut),
            RedisFault::KillMaster { master, .. } | RedisFault::LoseMaster { master } => {
                self.kill_master(master);
            }
            RedisFault::Reshard { biller } => self.reshard(biller),
            _ => panic!("a Cluster: {redis_fault:?}"),
        }
    }

    fn end(&self, redis_fault: RedisFault) -> Loss {
        match redis_fault {
            RedisFault::Flush => Loss::Everything,
            RedisFault::KillMaster { .. } => self.revive(),
            RedisFault::LoseMaster { master } => {
                let pair = self.part(master);
                until("the replica takes over", || {
                    pair.iter().any(|member| member.is_primary())
                });
                self.revive()
            }
            _ => {
                self.set(Traffic::Flows);
                self.await_order();
                Loss::Nothing
            }
        }
    }

    fn kill(&self) {
        for part in 0..MASTERS {
            let [master, replica] = self.pair(part);
            replica.await_all_of(master);
        }
        self.members()
            .iter()
            .for_each(|member| member.server.kill());
    }

    /// A replica that runs before its master may replace it.
    fn start_again(&self) -> Loss {
        self.members()
            .iter()
            .for_each(|member| member.server.revive());
        self.await_order();
        Loss::Latest(Duration::ZERO)
    }

    fn servers(&self) -> Vec<&RedisServer> {
        self.masters().map(|master| &master.server).collect()
    }

    fn name(&self) -> String {
        "a Cluster of three masters with replicas".to_owned()
    }
}
