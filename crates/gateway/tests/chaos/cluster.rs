//! A Cluster of three masters that share the slots.

use crate::clock::until;
use crate::redis_server::{Keeps, RedisServer, free_port};
use crate::store::{Blow, Store};

#[derive(Debug)]
pub struct Cluster {
    masters: Vec<RedisServer>,
}

impl Cluster {
    pub fn start() -> Self {
        let master = |_| {
            // The port between the servers is this one plus 10,000 unless it is named, which may be
            // one that connections are given.
            let bus = free_port().to_string();
            let arguments = [
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
            ];
            (RedisServer::start(Keeps::Everything, &arguments), bus)
        };
        let masters: Vec<(RedisServer, String)> = (0..3).map(master).collect();
        let slots = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];
        for ((server, _), [first, last]) in masters.iter().zip(slots) {
            server.tell(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
        }
        for (server, bus) in &masters[1..] {
            let port = server.port().to_string();
            let first = &masters[0].0;
            first.tell(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]);
        }
        let cluster = Self {
            masters: masters.into_iter().map(|(server, _)| server).collect(),
        };
        cluster.await_whole();
        cluster
    }

    fn await_whole(&self) {
        until("the Cluster is whole", || {
            self.masters.iter().all(|master| {
                let info = master.ask_text(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
        });
    }
}

impl Store for Cluster {
    fn url(&self, _node: usize) -> String {
        let masters: Vec<String> = self
            .masters
            .iter()
            .map(|master| format!("127.0.0.1:{}", master.port()))
            .collect();
        format!("redis+cluster://{}", masters.join(","))
    }

    /// The processes. Nothing in these runs takes the data of one away and lets the process live.
    fn identity(&self) -> Option<Vec<String>> {
        let run_ids = self.masters.iter().map(|master| master.info("run_id"));
        let run_ids: Vec<String> = run_ids.collect();
        run_ids
            .iter()
            .all(|run_id| !run_id.is_empty())
            .then_some(run_ids)
    }

    fn strike(&self, blow: Blow) {
        match blow {
            Blow::LoseMaster { master, time } => {
                self.masters[master].kill();
                std::thread::sleep(time);
                self.masters[master].start_again();
                self.await_whole();
            }
            _ => panic!("a Cluster: {blow:?}"),
        }
    }

    fn forgets(&self, _blow: Blow) -> bool {
        false
    }

    fn kill(&self) {
        self.masters.iter().for_each(RedisServer::kill);
    }

    fn start_again(&self) {
        self.masters.iter().for_each(RedisServer::start_again);
        self.await_whole();
    }

    fn name(&self) -> String {
        "a Cluster of three masters".to_owned()
    }
}
