//! A Cluster of three masters that share the slots, each with a replica. Nodes and replicas reach a
//! server through its passage; the servers' own gossip goes beside it.

use std::sync::Mutex;
use std::time::Duration;

use crate::bill::BILLERS;
use crate::blow::{Blow, Loss};
use crate::clock::until;
use crate::passage::{Passage, Traffic};
use crate::redis_server::{Keeps, RedisServer, free_port};
use crate::store::{Store, names_process};

const MASTERS: usize = 3;

#[derive(Debug)]
pub struct Cluster {
    /// Each master and then its replica; who is which changes.
    servers: Vec<Member>,
    /// Which server was killed last.
    killed: Mutex<usize>,
}

#[derive(Debug)]
struct Member {
    server: RedisServer,
    passage: Passage,
    /// The port for the other servers.
    bus: u16,
}

impl Member {
    fn start() -> Self {
        // The ports are named, for by themselves they may be some that connections are given.
        let (port, bus) = (free_port(), free_port());
        let passage = Passage::to(port);
        let arguments = [
            ("--cluster-enabled", "yes".to_owned()),
            ("--cluster-port", bus.to_string()),
            ("--cluster-announce-port", passage.port().to_string()),
            ("--cluster-node-timeout", "1000".to_owned()),
            ("--cluster-allow-replica-migration", "no".to_owned()),
        ];
        let words = arguments.iter().flat_map(|(name, value)| [*name, value]);
        let words: Vec<&str> = words.collect();
        Self {
            server: RedisServer::start_on(port, Keeps::Everything, &words),
            passage,
            bus,
        }
    }

    fn id(&self) -> String {
        self.server.ask_text(&["CLUSTER", "MYID"])
    }

    /// Moves some keys of a slot to another server; whether there were any. Their names are bytes.
    fn move_keys(&self, to: &Self, slot: &str) -> bool {
        let keys = self.server.ask(&["CLUSTER", "GETKEYSINSLOT", slot, "10"]);
        let keys: Vec<Vec<u8>> = redis::from_redis_value(keys.unwrap()).unwrap();
        if keys.is_empty() {
            return false;
        }
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(to.server.port());
        migrate.arg(&["", "0", "1000", "KEYS"]).arg(&keys);
        self.server.send(&migrate).unwrap();
        true
    }

    fn is_master(&self) -> bool {
        self.server.info("role") == "master"
    }
}

impl Cluster {
    pub fn start() -> Self {
        let servers: Vec<Member> = (0..2 * MASTERS).map(|_| Member::start()).collect();
        let slots = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];
        for (master, [first, last]) in servers.iter().step_by(2).zip(slots) {
            let server = &master.server;
            server.tell(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
        }
        for member in &servers[1..] {
            let (port, bus) = (member.passage.port().to_string(), member.bus.to_string());
            let first = &servers[0].server;
            first.tell(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = Self {
            servers,
            killed: Mutex::default(),
        };
        cluster.await_whole();
        for pair in cluster.servers.chunks(2) {
            let id = pair[0].id();
            until("the replica knows its master", || {
                pair[1].server.ask(&["CLUSTER", "REPLICATE", &id]).is_ok()
            });
        }
        cluster.await_replicas();
        cluster
    }

    fn await_whole(&self) {
        until("the Cluster is whole", || {
            self.servers.iter().all(|member| {
                let info = member.server.ask_text(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:6")
            })
        });
    }

    fn await_replicas(&self) {
        until("every master has a replica that is in step", || {
            self.servers.chunks(2).all(|pair| {
                let masters = pair.iter().filter(|member| member.is_master()).count();
                let in_step = |member: &Member| member.server.info("master_link_status") == "up";
                masters == 1 && pair.iter().any(in_step)
            })
        });
    }

    /// All that a pair's master was told until now, its replica has.
    fn await_replica(master: &Member, replica: &Member) {
        let offset = |member: &Member| member.server.info("master_repl_offset").parse();
        let told: u64 = offset(master).unwrap();
        until("the replica has heard of all", || {
            offset(replica).is_ok_and(|offset| offset >= told)
        });
    }

    /// Which server is the master of one of the three parts.
    fn master(&self, part: usize) -> usize {
        2 * part + usize::from(!self.servers[2 * part].is_master())
    }

    /// The master of one of the three parts, and its replica.
    fn pair(&self, part: usize) -> [&Member; 2] {
        let master = self.master(part);
        // A pair is an even number and the next.
        [&self.servers[master], &self.servers[master ^ 1]]
    }

    fn kill_master(&self, part: usize) {
        let master = self.master(part);
        let [killed, replica] = self.pair(part);
        Self::await_replica(killed, replica);
        killed.server.kill();
        *self.killed.lock().unwrap() = master;
    }

    /// The one that was killed last is up again, maybe as its replica's replica.
    fn revive(&self) -> Loss {
        let killed = &self.servers[*self.killed.lock().unwrap()];
        killed.server.revive();
        self.await_whole();
        self.await_replicas();
        if killed.is_master() {
            Loss::Nothing
        } else {
            Loss::Latest(Duration::ZERO)
        }
    }

    fn masters(&self) -> impl Iterator<Item = &Member> {
        self.servers.iter().filter(|member| member.is_master())
    }

    /// As `redis-cli --cluster reshard` does it: both sides are told, then key after key moves.
    fn reshard(&self, biller: usize) {
        let key = format!("{{{}}}", BILLERS[biller]);
        let slot: u16 = self.servers[0].server.number(&["CLUSTER", "KEYSLOT", &key]);
        let slot = slot.to_string();
        let has_it = |part: &usize| {
            let [master, _] = self.pair(*part);
            let keys = master.server.ask(&["GET", &key]);
            // Who has not the slot names another server.
            keys.is_ok()
        };
        let from = (0..MASTERS).find(has_it).expect("a slot has a master");
        let ([from, _], [to, _]) = (self.pair(from), self.pair((from + 1) % MASTERS));
        let set = |member: &Member, words: &[&str]| {
            member
                .server
                .tell(&[&["CLUSTER", "SETSLOT", &slot], words].concat());
        };
        set(to, &["IMPORTING", &from.id()]);
        set(from, &["MIGRATING", &to.id()]);
        while from.move_keys(to, &slot) {}
        let id = to.id();
        set(to, &["NODE", &id]);
        set(from, &["NODE", &id]);
        for other in self.masters() {
            set(other, &["NODE", &id]);
        }
    }
}

impl Store for Cluster {
    fn url(&self, _node: usize) -> String {
        let ports = self.servers.iter().map(|member| member.passage.port());
        let servers: Vec<String> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
        format!("redis+cluster://{}", servers.join(","))
    }

    /// The processes of the masters, and the mark that each has in its data.
    fn is_held_by(&self, shared_with: &str) -> bool {
        let mut masters = 0;
        let named = self.masters().all(|master| {
            masters += 1;
            let marks = master.server.words(&["KEYS", "relay:epoch:*"]);
            let is_named = |mark: &String| {
                let epoch = master.server.ask_text(&["GET", mark]);
                !epoch.is_empty() && shared_with.contains(&epoch)
            };
            names_process(&master.server, shared_with) && marks.iter().any(is_named)
        });
        named && masters == MASTERS
    }

    fn primaries(&self) -> Vec<String> {
        let servers = self.servers.iter();
        servers
            .filter_map(|member| member.server.primary_of())
            .collect()
    }

    fn begin(&self, blow: Blow) {
        match blow {
            Blow::Flush => self
                .masters()
                .for_each(|master| master.server.tell(&["FLUSHALL"])),
            Blow::CutOff(_) => {
                let passages = self.servers.iter().map(|member| &member.passage);
                passages.for_each(|passage| passage.set(Traffic::Cut));
            }
            Blow::KillMaster { master, .. } | Blow::LoseMaster { master } => {
                self.kill_master(master);
            }
            Blow::Reshard { biller } => self.reshard(biller),
            _ => panic!("a Cluster: {blow:?}"),
        }
    }

    fn end(&self, blow: Blow) -> Loss {
        match blow {
            Blow::Flush => Loss::Everything,
            Blow::KillMaster { .. } => self.revive(),
            Blow::LoseMaster { master } => {
                let pair = &self.servers[2 * master..2 * master + 2];
                until("the replica takes over", || {
                    pair.iter().any(Member::is_master)
                });
                self.revive()
            }
            _ => {
                let passages = self.servers.iter().map(|member| &member.passage);
                passages.for_each(|passage| passage.set(Traffic::Flows));
                self.await_whole();
                self.await_replicas();
                Loss::Nothing
            }
        }
    }

    fn kill(&self) {
        for part in 0..MASTERS {
            let [master, replica] = self.pair(part);
            Self::await_replica(master, replica);
        }
        self.servers.iter().for_each(|member| member.server.kill());
    }

    /// A replica that is up before its master may take its place.
    fn start_again(&self) -> Loss {
        self.servers
            .iter()
            .for_each(|member| member.server.revive());
        self.await_whole();
        self.await_replicas();
        Loss::Latest(Duration::ZERO)
    }

    fn name(&self) -> String {
        "a Cluster of three masters with replicas".to_owned()
    }
}
