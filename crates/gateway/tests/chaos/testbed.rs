//! Everything that runs: the parties, Redis and the nodes, and the callers' log.

use tempfile::TempDir;

use crate::bill::BILLERS;
use crate::calls::CallLog;
use crate::clock::Clock;
use crate::node::{ALL_NODES, NODES, Node, Parties};
use crate::party::Party;
use crate::store::Store;

/// Ends all its processes when it is dropped.
pub struct Testbed {
    pub seed: u64,
    pub clock: Clock,
    pub nodes: [Node; NODES],
    pub store: Box<dyn Store>,
    pub kakao: Party,
    pub billers: Vec<Party>,
    pub calls: CallLog,
    pub directory: TempDir,
}

impl Testbed {
    pub fn start(seed: u64, store: Box<dyn Store>) -> Self {
        let clock = Clock::start();
        let kakao = Party::start("KAKAO", seed, clock);
        let billers: Vec<Party> = BILLERS
            .iter()
            .map(|name| Party::start(name, seed, clock))
            .collect();
        let parties = Parties {
            kakao: kakao.url(),
            billers: billers.iter().map(Party::url).collect(),
        };
        let directory = TempDir::with_prefix("chaos-").unwrap();
        let nodes = ALL_NODES.map(|node| Node::start(&directory, node, store.url(node), &parties));
        Self {
            seed,
            clock,
            nodes,
            store,
            kakao,
            billers,
            calls: CallLog::new(clock),
            directory,
        }
    }

    /// Returns Kakao Pay, then the billers.
    pub fn parties(&self) -> impl Iterator<Item = &Party> {
        std::iter::once(&self.kakao).chain(&self.billers)
    }
}
