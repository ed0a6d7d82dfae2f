//! The shared state's servers: one, one with a replica and Sentinels, or a Cluster.

use std::time::Duration;

use crate::passage::{Passage, Traffic};
use crate::redis_server::{Keeps, RedisServer};

/// What can happen to the shared state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// `kill -9`, and up again after this time.
    Kill(Duration),
    /// SIGSTOP, and SIGCONT after this time.
    Hang(Duration),
    /// `FLUSHALL`.
    Flush,
    /// A node cannot reach it for this time.
    Part {
        node: usize,
        traffic: Traffic,
        time: Duration,
    },
    /// The replica lags behind by this time, the primary is killed, and Sentinel makes the replica
    /// the primary.
    FailOver(Duration),
    /// `kill -9` of one of a Cluster's masters, and up again after this time.
    LoseMaster { master: usize, time: Duration },
}

/// What a run needs of it.
pub trait Store: Send + Sync {
    /// How a node reaches it.
    fn url(&self, node: usize) -> String;

    /// Parts of the name under which a node's journal knows who holds its facts; `None` while
    /// nobody does.
    fn identity(&self) -> Option<Vec<String>>;

    /// Ends when the blow is over and every server is up.
    fn strike(&self, blow: Blow);

    /// Whether it holds less after a blow than before.
    fn forgets(&self, blow: Blow) -> bool;

    fn kill(&self);

    fn start_again(&self);

    /// For the table.
    fn name(&self) -> String;
}

/// One server, and a passage to it for each node.
#[derive(Debug)]
pub struct Standalone {
    keeps: Keeps,
    server: RedisServer,
    passages: [Passage; 2],
}

impl Standalone {
    pub fn start(keeps: Keeps) -> Self {
        let server = RedisServer::start(keeps, &[]);
        let passages = [Passage::to(server.port()), Passage::to(server.port())];
        Self {
            keeps,
            server,
            passages,
        }
    }
}

impl Store for Standalone {
    fn url(&self, node: usize) -> String {
        format!("redis://127.0.0.1:{}/0", self.passages[node].port())
    }

    fn identity(&self) -> Option<Vec<String>> {
        identity(&self.server)
    }

    fn strike(&self, blow: Blow) {
        match blow {
            Blow::Kill(time) => {
                self.server.kill();
                std::thread::sleep(time);
                self.server.start_again();
            }
            Blow::Hang(time) => self.server.hang_for(time),
            Blow::Flush => self.server.tell(&["FLUSHALL"]),
            Blow::Part {
                node,
                traffic,
                time,
            } => {
                self.passages[node].set(traffic);
                std::thread::sleep(time);
                self.passages[node].set(Traffic::Flows);
            }
            Blow::FailOver(_) | Blow::LoseMaster { .. } => panic!("one server: {blow:?}"),
        }
    }

    fn forgets(&self, blow: Blow) -> bool {
        match blow {
            Blow::Kill(_) => self.keeps == Keeps::Nothing,
            Blow::Flush => true,
            _ => false,
        }
    }

    fn kill(&self) {
        self.server.kill();
    }

    fn start_again(&self) {
        self.server.start_again();
    }

    fn name(&self) -> String {
        format!("one Redis, {}", self.keeps.name())
    }
}

/// Process and data of one server.
pub fn identity(server: &RedisServer) -> Option<Vec<String>> {
    let parts = vec![
        server.info("run_id"),
        server.ask_text(&["GET", "relay:epoch"]),
    ];
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}
