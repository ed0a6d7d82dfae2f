//! The kinds of faults of each run, in bags: each comes once before any repeats.

use std::time::Duration;

use test_support::Traffic;

use crate::faults::fault::{Absence, Fault};
use crate::faults::journal_fault::JournalFault;
use crate::faults::redis_fault::RedisFault;
use crate::node::NODES;
use crate::random::Random;

pub fn one_redis(random: &mut Random) -> Vec<Fault> {
    let node = random.index(NODES);
    let mut partition = |traffic| RedisFault::Partition {
        node: random.index(NODES),
        traffic,
        time: random.milliseconds(500, 3_000),
    };
    let partitions = [Traffic::Cut, Traffic::Held, Traffic::Cut, Traffic::Held].map(&mut partition);
    let hang = RedisFault::Hang(random.milliseconds(1_000, 3_000));
    let mut during = |redis_fault| Fault::KillNodeDuring {
        node: random.index(NODES),
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
        Fault::KillNode(another(node)),
        Fault::Redis(RedisFault::Kill(random.milliseconds(0, 1_000))),
        Fault::Redis(RedisFault::Hang(random.milliseconds(1_000, 3_000))),
        Fault::Redis(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        Fault::Redis(partitions[0]),
        Fault::Redis(partitions[1]),
        Fault::KillEverything,
        Fault::Redis(RedisFault::Flush),
    ];
    [&disks(random)[..], &killed_nodes, &faults].concat()
}

pub fn sentinels(random: &mut Random) -> Vec<Fault> {
    let node = random.index(NODES);
    let lag = random.milliseconds(200, 1_500);
    let kill_during = |redis_fault| Fault::KillNodeDuring { node, redis_fault };
    vec![
        destroy(random),
        Fault::DestroyNodeDuring {
            node: another(node),
            redis_fault: RedisFault::FailOver(lag),
        },
        drop_streams(random, Absence::Killed),
        evict(random),
        Fault::KillNode(another(node)),
        Fault::Redis(RedisFault::Flush),
        kill_during(RedisFault::Flush),
        Fault::Redis(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        kill_during(RedisFault::CutOff(random.milliseconds(300, 2_000))),
        kill_during(RedisFault::FailOver(lag)),
        Fault::KillEverything,
        Fault::Redis(RedisFault::FailOver(random.milliseconds(200, 1_500))),
    ]
}

pub fn cluster(random: &mut Random) -> Vec<Fault> {
    let node = random.index(NODES);
    let kill_during = |redis_fault| Fault::KillNodeDuring { node, redis_fault };
    let replication = [
        destroy(random),
        drop_streams(random, Absence::Stopped),
        evict(random),
    ];
    let mut lose = || RedisFault::LoseMaster {
        master: random.index(3),
    };
    let losses = [lose(), lose()];
    vec![
        replication[0],
        replication[1],
        replication[2],
        Fault::KillNode(another(node)),
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

pub fn journals(random: &mut Random) -> Vec<Fault> {
    let disks = [destroy(random), Fault::ReplaceNode(random.index(NODES))];
    let mut on_a_node = |journal_fault| Fault::Journal {
        node: random.index(NODES),
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
    let node = random.index(NODES);
    let mut slow_reads = |node| Fault::Journal {
        node,
        journal_fault: JournalFault::SlowReads {
            delay: random.milliseconds(2, 50),
            time: random.milliseconds(500, 2_000),
        },
    };
    let slow_reads = [slow_reads(node), slow_reads(another(node))];
    let mut restore = |node| Fault::Journal {
        node,
        journal_fault: JournalFault::Restore {
            time: random.milliseconds(100, 1_000),
        },
    };
    vec![
        disks[0],
        disks[1],
        upgrade,
        interrupted,
        slow_start,
        slow_reads[0],
        slow_reads[1],
        Fault::KillNode(node),
        Fault::Redis(RedisFault::CutOff(Duration::from_millis(500))),
        Fault::KillEverything,
        restore(another(node)),
        restore(node),
    ]
}

/// The faults of disks, streams and values; Redis loses nothing by itself.
pub fn disks(random: &mut Random) -> Vec<Fault> {
    let mut during = |redis_fault| Fault::DestroyNodeDuring {
        node: random.index(NODES),
        redis_fault,
    };
    let with_redis = [
        during(RedisFault::Flush),
        during(RedisFault::Hang(Duration::from_millis(700))),
    ];
    vec![
        with_redis[0],
        with_redis[1],
        drop_streams(random, Absence::Stopped),
        drop_streams(random, Absence::Killed),
        evict(random),
        Fault::ReplaceNode(random.index(NODES)),
        evict(random),
        destroy(random),
    ]
}

fn destroy(random: &mut Random) -> Fault {
    Fault::DestroyNode {
        node: random.index(NODES),
        away: random.milliseconds(0, 2_000),
    }
}

fn drop_streams(random: &mut Random, absence: Absence) -> Fault {
    Fault::DropStreams {
        node: random.index(NODES),
        absence,
        time: random.milliseconds(300, 2_000),
    }
}

fn evict(random: &mut Random) -> Fault {
    Fault::Evict {
        time: random.milliseconds(300, 1_500),
    }
}

const fn another(node: usize) -> usize {
    (node + 1) % NODES
}
