//! The faults of a run and their times; the same seed gives the same faults.

mod bags;
pub mod fault;
pub mod incident;
pub mod injection;
pub mod injector;
pub mod journal_fault;
pub mod recovery;
pub mod redis_fault;
pub mod replication;
pub mod resync_observer;

use std::time::Duration;

use crate::faults::fault::Fault;
use crate::random::Random;

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
        Self::of(seed, bags::one_redis)
    }

    /// Returns the faults of a Redis with Sentinels; the first one is a failover.
    pub fn of_sentinels(seed: u64) -> Self {
        Self::of(seed, bags::sentinels)
    }

    /// Returns the faults of a Cluster; the first one is the loss of a master.
    pub fn of_a_cluster(seed: u64) -> Self {
        Self::of(seed, bags::cluster)
    }

    /// Returns the faults of journals and their disks; the first one is a restore. Redis keeps its data: of a restored
    /// node it alone has the latest facts.
    pub fn of_journals(seed: u64) -> Self {
        Self::of(seed, bags::journals)
    }

    /// Returns the faults of disks, streams and values; the first one destroys a disk.
    pub fn of_disks(seed: u64) -> Self {
        Self::of(seed, bags::disks)
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
