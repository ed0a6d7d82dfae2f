//! A Cluster of three primaries that share the slots.

use super::{Member, Network, eventually};
use crate::free_port;

/// The slots of each primary.
const SLOTS: [[&str; 2]; 3] = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];

#[derive(Debug)]
pub struct Cluster {
    network: Network,
    /// The three primaries first; replicas and servers without slots follow as they are added.
    pub members: Vec<Member>,
}

impl Cluster {
    /// Starts three primaries without replicas; ready when they agree.
    pub fn start(network: Network) -> Self {
        let mut cluster = Self {
            network,
            members: Vec::new(),
        };
        for slots in SLOTS {
            let member = cluster.add();
            member
                .server
                .tell(&[&["CLUSTER", "ADDSLOTSRANGE"][..], &slots].concat());
        }
        cluster.await_whole();
        cluster
    }

    /// Starts three primaries, then a replica of each in the same order; ready when these have the data.
    pub fn with_replicas(network: Network) -> Self {
        let mut cluster = Self::start(network);
        for _ in SLOTS {
            cluster.add();
        }
        cluster.await_whole();
        let (primaries, replicas) = cluster.members.split_at(SLOTS.len());
        primaries
            .iter()
            .zip(replicas)
            .for_each(|(primary, replica)| replica.replicate(primary));
        cluster
    }

    /// Adds a server without slots.
    pub fn add(&mut self) -> &Member {
        // By itself, the port between servers is the other plus 10,000, which may be beyond the last.
        let bus = free_port().to_string();
        let member = Member::start(
            self.network,
            "--cluster-announce-port",
            &[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
                "--cluster-allow-replica-migration",
                "no",
            ],
        );
        if let Some(first) = self.members.first() {
            let port = member.port().to_string();
            first
                .server
                .tell(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        self.members.push(member);
        self.members.last().unwrap()
    }

    /// Waits until all servers know each other and every slot is served.
    pub fn await_whole(&self) {
        let size = format!("cluster_known_nodes:{}\r", self.members.len());
        eventually("the Cluster is whole", || {
            self.members.iter().all(|member| {
                let info = member.server.ask_text(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains(&size)
            })
        });
    }

    pub fn slot(&self, biller: &str) -> u16 {
        let key = format!("{{{biller}}}");
        self.members[0].server.number(&["CLUSTER", "KEYSLOT", &key])
    }

    /// Gives a slot another state on one server.
    pub fn set_slot(&self, member: &Member, slot: u16, state: &[&str]) {
        let words = ["CLUSTER", "SETSLOT", &slot.to_string()];
        member.server.tell(&[&words, state].concat());
    }

    /// Marks a slot as moving, on both servers.
    pub fn begin_move(&self, slot: u16, from: &Member, to: &Member) {
        self.set_slot(to, slot, &["IMPORTING", &from.id()]);
        self.set_slot(from, slot, &["MIGRATING", &to.id()]);
    }

    /// Gives a slot to a server, on this server and then on the others.
    pub fn end_move<'a>(&self, slot: u16, to: &Member, others: impl Iterator<Item = &'a Member>) {
        let id = to.id();
        self.set_slot(to, slot, &["NODE", &id]);
        others.for_each(|other| self.set_slot(other, slot, &["NODE", &id]));
    }
}

impl Member {
    /// Its id in the Cluster.
    pub fn id(&self) -> String {
        self.server.ask_text(&["CLUSTER", "MYID"])
    }

    /// Makes it a replica; ready when it has the primary's data.
    pub fn replicate(&self, primary: &Self) {
        let id = primary.id();
        eventually("the replica knows its primary", || {
            self.server.ask(&["CLUSTER", "REPLICATE", &id]).is_ok()
        });
        eventually("the replica is in step", || self.is_in_step());
    }
}
