//! What goes wrong, and when: the same for the same seed.

use std::time::Duration;

use crate::passage::Traffic;
use crate::random::Random;
use crate::store::Blow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of this node, and up again.
    KillNode(usize),
    /// Something happens to Redis.
    Redis(Blow),
    /// `kill -9` of both nodes and of Redis, and all up again.
    KillEverything,
}

impl Fault {
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillNode(_) => "kill -9 of a gateway",
            Self::Redis(Blow::Kill(_)) => "kill -9 of redis",
            Self::Redis(Blow::Hang(_)) => "SIGSTOP of redis",
            Self::Redis(Blow::Flush) => "FLUSHALL",
            Self::Redis(Blow::Part {
                traffic: Traffic::Held,
                ..
            }) => "network to one node held up",
            Self::Redis(Blow::Part { .. }) => "network to one node cut",
            Self::Redis(Blow::FailOver(_)) => "failover to a replica that lags",
            Self::Redis(Blow::LoseMaster { .. }) => "kill -9 of a cluster's master",
            Self::KillEverything => "kill -9 of everything",
        }
    }
}

/// Faults that come one after the other, the later ones while the earlier are being made good.
#[derive(Clone, Debug)]
pub struct Strike {
    /// How long all is well before.
    pub after: Duration,
    pub faults: Vec<Fault>,
}

/// The faults of a run, without end: every kind comes once before any comes again.
#[derive(Debug)]
pub struct Faults {
    random: Random,
    bag: Vec<Fault>,
}

impl Faults {
    pub fn of(seed: u64) -> Self {
        Self {
            random: Random::of(seed, "faults"),
            bag: Vec::new(),
        }
    }

    fn draw(&mut self) -> Fault {
        if self.bag.is_empty() {
            self.fill();
        }
        self.bag.pop().unwrap()
    }

    fn fill(&mut self) {
        let random = &mut self.random;
        let node = random.index(2);
        let mut part = |traffic| Blow::Part {
            node: random.index(2),
            traffic,
            time: random.milliseconds(500, 3_000),
        };
        let parts = [part(Traffic::Cut), part(Traffic::Held)];
        self.bag = vec![
            Fault::KillNode(node),
            Fault::KillNode(1 - node),
            Fault::Redis(Blow::Kill(random.milliseconds(0, 1_000))),
            Fault::Redis(Blow::Hang(random.milliseconds(1_000, 3_000))),
            Fault::Redis(Blow::Flush),
            Fault::Redis(Blow::Flush),
            Fault::Redis(parts[0]),
            Fault::Redis(parts[1]),
            Fault::KillEverything,
        ];
        random.shuffle(&mut self.bag);
    }
}

impl Iterator for Faults {
    type Item = Strike;

    fn next(&mut self) -> Option<Strike> {
        let faults = if self.random.chance(40) { 2 } else { 1 };
        Some(Strike {
            after: self.random.milliseconds(200, 1_500),
            faults: (0..faults).map(|_| self.draw()).collect(),
        })
    }
}
