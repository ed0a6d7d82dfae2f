//! The faults of a run and their times; the same seed gives the same faults.

pub mod incident;
pub mod injector;
pub mod journal_fault;
pub mod recovery;
pub mod redis_fault;
pub mod resync_observer;

use std::time::Duration;

use crate::faults::journal_fault::JournalFault;
use crate::faults::redis_fault::RedisFault;
use crate::random::Random;
use test_support::Traffic;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` and restart of this node.
    KillNode(usize),
    /// A fault of Redis.
    Redis(RedisFault),
    /// A fault of Redis, and `kill -9` and restart of this node before that fault ends.
    KillNodeDuring {
        node: usize,
        redis_fault: RedisFault,
    },
    /// A fault of this node's journal.
    Journal {
        node: usize,
        journal_fault: JournalFault,
    },
    /// `kill -9` of both nodes and of every server, and a restart of all at once.
    KillEverything,
}

impl Fault {
    pub fn name(self) -> String {
        match self {
            Self::KillNode(_) => "kill -9 of a gateway".to_owned(),
            Self::Redis(redis_fault) => redis_fault.name().to_owned(),
            Self::KillNodeDuring { redis_fault, .. } => {
                format!("kill -9 of a gateway in {}", redis_fault.name())
            }
            Self::Journal { journal_fault, .. } => journal_fault.name().to_owned(),
            Self::KillEverything => "kill -9 of everything".to_owned(),
        }
    }

    /// Returns the nodes that it kills.
    pub fn killed_nodes(self) -> Vec<usize> {
        match self {
            Self::KillNode(node) | Self::KillNodeDuring { node, .. } => vec![node],
            Self::Journal {
                node,
                journal_fault,
            } if journal_fault.kills() => vec![node],
            Self::Redis(_) | Self::Journal { .. } => Vec::new(),
            Self::KillEverything => vec![0, 1],
        }
    }

    /// Returns the node that loses what it journalled since the fault began.
    pub const fn restored_node(self) -> Option<usize> {
        match self {
            Self::Journal {
                node,
                journal_fault,
            } if journal_fault.loses_latest_facts() => Some(node),
            _ => None,
        }
    }

    /// Returns whether other processes or other servers hold the data afterwards.
    pub const fn restarts_servers(self) -> bool {
        match self {
            Self::KillNode(_) | Self::Journal { .. } => false,
            Self::Redis(redis_fault) | Self::KillNodeDuring { redis_fault, .. } => {
                redis_fault.restarts_servers()
            }
            Self::KillEverything => true,
        }
    }

    /// Returns the nodes that cannot reach Redis meanwhile.
    pub const fn disconnected_nodes(self) -> &'static [usize] {
        match self {
            Self::KillNode(_) | Self::Journal { .. } => &[],
            Self::Redis(redis_fault) | Self::KillNodeDuring { redis_fault, .. } => {
                redis_fault.disconnected_nodes()
            }
            Self::KillEverything => &[0, 1],
        }
    }
}

/// Faults in a row; each one after the first is injected during the recovery from the one before.
#[derive(Clone, Debug)]
pub struct FaultGroup {
    /// The time without a fault before.
    pub after: Duration,
    pub faults: Vec<Fault>,
}

/// An endless sequence of faults: every kind comes once before any kind repeats.
#[derive(Debug)]
pub struct Faults {
    random: Random,
    bag: Vec<Fault>,
    is_first: bool,
    fill: fn(&mut Random) -> Vec<Fault>,
}

impl Faults {
    /// Returns the faults of a single Redis.
    pub fn of_one_redis(seed: u64) -> Self {
        Self::of(seed, one_redis)
    }

    /// Returns the faults of a Redis with Sentinels; the first one is a failover.
    pub fn of_sentinels(seed: u64) -> Self {
        Self::of(seed, sentinels)
    }

    /// Returns the faults of a Cluster; the first one is the loss of a master.
    pub fn of_a_cluster(seed: u64) -> Self {
        Self::of(seed, cluster)
    }

    /// Returns the faults of journals and their disks; the first one is a restore. Redis keeps its data: of a restored
    /// node it alone has the latest facts.
    pub fn of_journals(seed: u64) -> Self {
        Self::of(seed, journals)
    }

    fn of(seed: u64, fill: fn(&mut Random) -> Vec<Fault>) -> Self {
        let mut random = Random::of(seed, "faults");
        let mut bag = fill(&mut random);
        // The last one is drawn first and alone: the test is named for it.
        let rest = bag.len() - 1;
        random.shuffle(&mut bag[..rest]);
        Self {
            random,
            bag,
            is_first: true,
            fill,
        }
    }

    fn draw(&mut self) -> Fault {
        if self.bag.is_empty() {
            self.bag = (self.fill)(&mut self.random);
            self.random.shuffle(&mut self.bag);
        }
        self.bag.pop().unwrap()
    }
}

impl Iterator for Faults {
    type Item = FaultGroup;

    fn next(&mut self) -> Option<FaultGroup> {
        let is_first = std::mem::take(&mut self.is_first);
        let faults = if !is_first && self.random.chance(40) {
            2
        } else {
            1
        };
        let latest = if is_first { 500 } else { 1_500 };
        Some(FaultGroup {
            after: self.random.milliseconds(200, latest),
            faults: (0..faults).map(|_| self.draw()).collect(),
        })
    }
}

fn one_redis(random: &mut Random) -> Vec<Fault> {
    let node = random.index(2);
    let mut partition = |traffic| RedisFault::Partition {
        node: random.index(2),
        traffic,
        time: random.milliseconds(500, 3_000),
    };
    let partitions = [Traffic::Cut, Traffic::Held, Traffic::Cut, Traffic::Held].map(&mut partition);
    let hang = RedisFault::Hang(random.milliseconds(1_000, 3_000));
    let mut during = |redis_fault| Fault::KillNodeDuring {
        node: random.index(2),
        redis_fault,
    };
    let killed_nodes = [
        during(hang),
        during(partitions[2]),
        during(partitions[3]),
        during(RedisFault::Flush),
        during(RedisFault::Kill(Duration::from_millis(1_500))),
    ];
    let faults = [
        Fault::KillNode(node),
        Fault::KillNode(1 - node),
        Fault::Redis(RedisFault::Kill(random.milliseconds(0, 1_000))),
        Fault::Redis(RedisFault::Hang(random.milliseconds(1_000, 3_000))),
        Fault::Redis(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        Fault::Redis(partitions[0]),
        Fault::Redis(partitions[1]),
        Fault::KillEverything,
        Fault::Redis(RedisFault::Flush),
    ];
    [&killed_nodes[..], &faults].concat()
}

fn sentinels(random: &mut Random) -> Vec<Fault> {
    let node = random.index(2);
    let lag = random.milliseconds(200, 1_500);
    let kill_during = |redis_fault| Fault::KillNodeDuring { node, redis_fault };
    vec![
        Fault::KillNode(1 - node),
        Fault::Redis(RedisFault::Flush),
        kill_during(RedisFault::Flush),
        Fault::Redis(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        kill_during(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        kill_during(RedisFault::FailOver(lag)),
        Fault::KillEverything,
        Fault::Redis(RedisFault::FailOver(random.milliseconds(200, 1_500))),
    ]
}

fn cluster(random: &mut Random) -> Vec<Fault> {
    let node = random.index(2);
    let kill_during = |redis_fault| Fault::KillNodeDuring { node, redis_fault };
    let mut lose = || RedisFault::LoseMaster {
        master: random.index(3),
    };
    let losses = [lose(), lose()];
    vec![
        Fault::KillNode(1 - node),
        Fault::Redis(RedisFault::Flush),
        kill_during(RedisFault::Flush),
        Fault::Redis(RedisFault::Reshard {
            biller: random.index(3),
        }),
        Fault::Redis(RedisFault::Reshard {
            biller: random.index(3),
        }),
        Fault::Redis(RedisFault::KillMaster {
            master: random.index(3),
            time: random.milliseconds(0, 500),
        }),
        Fault::Redis(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        kill_during(RedisFault::CutOff(random.milliseconds(500, 2_000))),
        kill_during(losses[0]),
        Fault::KillEverything,
        Fault::Redis(losses[1]),
    ]
}

fn journals(random: &mut Random) -> Vec<Fault> {
    let mut on_a_node = |journal_fault| Fault::Journal {
        node: random.index(2),
        journal_fault,
    };
    let [upgrade, interrupted, slow_start] = [
        JournalFault::Upgrade,
        JournalFault::InterruptedUpgrade {
            after: Duration::from_millis(60),
        },
        JournalFault::SlowStart {
            delay: Duration::from_millis(2),
        },
    ]
    .map(&mut on_a_node);
    let node = random.index(2);
    let mut slow_reads = |node| Fault::Journal {
        node,
        journal_fault: JournalFault::SlowReads {
            delay: random.milliseconds(2, 50),
            time: random.milliseconds(500, 2_000),
        },
    };
    let slow_reads = [slow_reads(node), slow_reads(1 - node)];
    let mut restore = |node| Fault::Journal {
        node,
        journal_fault: JournalFault::Restore {
            time: random.milliseconds(100, 1_000),
        },
    };
    vec![
        upgrade,
        interrupted,
        slow_start,
        slow_reads[0],
        slow_reads[1],
        Fault::KillNode(node),
        Fault::Redis(RedisFault::CutOff(Duration::from_millis(500))),
        Fault::KillEverything,
        restore(1 - node),
        restore(node),
    ]
}
