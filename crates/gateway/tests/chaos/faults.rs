//! What goes wrong, and when: the same for the same seed.

use std::time::Duration;

use test_support::Traffic;

use crate::blow::Blow;
use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of this node, and up again.
    KillNode(usize),
    /// Something happens to Redis.
    Redis(Blow),
    /// The same, and before it is made good this node is killed and up again.
    KillNodeDuring { node: usize, blow: Blow },
    /// `kill -9` of both nodes and of every server, and all up again at once.
    KillEverything,
}

impl Fault {
    pub fn name(self) -> String {
        match self {
            Self::KillNode(_) => "kill -9 of a gateway".to_owned(),
            Self::Redis(blow) => blow.name().to_owned(),
            Self::KillNodeDuring { blow, .. } => format!("kill -9 of a gateway in {}", blow.name()),
            Self::KillEverything => "kill -9 of everything".to_owned(),
        }
    }

    /// The nodes that it kills.
    pub fn kills(self) -> Vec<usize> {
        match self {
            Self::KillNode(node) | Self::KillNodeDuring { node, .. } => vec![node],
            Self::Redis(_) => Vec::new(),
            Self::KillEverything => vec![0, 1],
        }
    }

    /// Whether other processes, or other servers, serve the data afterwards.
    pub const fn restarts_servers(self) -> bool {
        match self {
            Self::KillNode(_) => false,
            Self::Redis(blow) | Self::KillNodeDuring { blow, .. } => blow.restarts_servers(),
            Self::KillEverything => true,
        }
    }

    /// The nodes that cannot reach Redis meanwhile.
    pub const fn keeps_off(self) -> &'static [usize] {
        match self {
            Self::KillNode(_) => &[],
            Self::Redis(blow) | Self::KillNodeDuring { blow, .. } => blow.keeps_off(),
            Self::KillEverything => &[0, 1],
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
    is_first: bool,
    fill: fn(&mut Random) -> Vec<Fault>,
}

impl Faults {
    /// What can happen where one Redis serves all.
    pub fn of_one_redis(seed: u64) -> Self {
        Self::of(seed, one_redis)
    }

    /// What can happen where Sentinels choose the primary; first of all, they do.
    pub fn of_sentinels(seed: u64) -> Self {
        Self::of(seed, sentinels)
    }

    /// What can happen to a Cluster; first of all, it loses a master.
    pub fn of_a_cluster(seed: u64) -> Self {
        Self::of(seed, cluster)
    }

    fn of(seed: u64, fill: fn(&mut Random) -> Vec<Fault>) -> Self {
        let mut random = Random::of(seed, "faults");
        let mut bag = fill(&mut random);
        // The last one is drawn first, and alone: it is what the run has its name from.
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
    type Item = Strike;

    fn next(&mut self) -> Option<Strike> {
        let is_first = std::mem::take(&mut self.is_first);
        let faults = if !is_first && self.random.chance(40) {
            2
        } else {
            1
        };
        let latest = if is_first { 500 } else { 1_500 };
        Some(Strike {
            after: self.random.milliseconds(200, latest),
            faults: (0..faults).map(|_| self.draw()).collect(),
        })
    }
}

fn one_redis(random: &mut Random) -> Vec<Fault> {
    let node = random.index(2);
    let mut part = |traffic| Blow::Part {
        node: random.index(2),
        traffic,
        time: random.milliseconds(500, 3_000),
    };
    let parts = [Traffic::Cut, Traffic::Held, Traffic::Cut, Traffic::Held].map(&mut part);
    let hang = Blow::Hang(random.milliseconds(1_000, 3_000));
    let mut during = |blow| Fault::KillNodeDuring {
        node: random.index(2),
        blow,
    };
    let kills = [
        during(hang),
        during(parts[2]),
        during(parts[3]),
        during(Blow::Flush),
        during(Blow::Kill(Duration::from_millis(1_500))),
    ];
    let faults = [
        Fault::KillNode(node),
        Fault::KillNode(1 - node),
        Fault::Redis(Blow::Kill(random.milliseconds(0, 1_000))),
        Fault::Redis(Blow::Hang(random.milliseconds(1_000, 3_000))),
        Fault::Redis(Blow::CutOff(random.milliseconds(300, 2_000))),
        Fault::Redis(parts[0]),
        Fault::Redis(parts[1]),
        Fault::KillEverything,
        Fault::Redis(Blow::Flush),
    ];
    [&kills[..], &faults].concat()
}

fn sentinels(random: &mut Random) -> Vec<Fault> {
    let node = random.index(2);
    let lag = random.milliseconds(200, 1_500);
    let kill_during = |blow| Fault::KillNodeDuring { node, blow };
    vec![
        Fault::KillNode(1 - node),
        Fault::Redis(Blow::Flush),
        kill_during(Blow::Flush),
        Fault::Redis(Blow::CutOff(random.milliseconds(300, 2_000))),
        kill_during(Blow::CutOff(random.milliseconds(300, 2_000))),
        kill_during(Blow::FailOver(lag)),
        Fault::KillEverything,
        Fault::Redis(Blow::FailOver(random.milliseconds(200, 1_500))),
    ]
}

fn cluster(random: &mut Random) -> Vec<Fault> {
    let node = random.index(2);
    let kill_during = |blow| Fault::KillNodeDuring { node, blow };
    let mut lose = || Blow::LoseMaster {
        master: random.index(3),
    };
    let losses = [lose(), lose()];
    vec![
        Fault::KillNode(1 - node),
        Fault::Redis(Blow::Flush),
        kill_during(Blow::Flush),
        Fault::Redis(Blow::Reshard {
            biller: random.index(3),
        }),
        Fault::Redis(Blow::Reshard {
            biller: random.index(3),
        }),
        Fault::Redis(Blow::KillMaster {
            master: random.index(3),
            time: random.milliseconds(0, 500),
        }),
        Fault::Redis(Blow::CutOff(random.milliseconds(300, 2_000))),
        kill_during(Blow::CutOff(random.milliseconds(500, 2_000))),
        kill_during(losses[0]),
        Fault::KillEverything,
        Fault::Redis(losses[1]),
    ]
}
