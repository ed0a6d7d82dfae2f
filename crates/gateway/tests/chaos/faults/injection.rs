//! Injects one fault.

use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{Moment, until};
use crate::faults::fault::{Absence, Fault};
use crate::faults::redis_fault::{Loss, RedisFault};
use crate::journal::Journal;
use crate::node::{NODES, Node};
use crate::store;
use crate::testbed::Testbed;

/// Redis evicts some values so often.
const EVICT_EVERY: Duration = Duration::from_millis(50);

/// How many at once, one by one.
const EVICTED_AT_ONCE: usize = 20;

/// How a fault went.
#[derive(Clone, Copy, Debug)]
pub struct Injection {
    /// What Redis lost.
    pub loss: Loss,
    /// When a disk was destroyed, where facts that were on no other disk may be lost with it.
    pub destroyed_at: Option<Moment>,
}

impl Injection {
    /// Injects a fault; returns when it has ended and all nodes serve.
    pub fn of(testbed: &Testbed, fault: Fault) -> Self {
        let store = &testbed.store;
        let mut destroyed_at = None;
        let loss = match fault {
            Fault::Redis(redis_fault) => {
                begin(testbed, redis_fault);
                store.end(redis_fault)
            }
            Fault::KillNodeDuring { node, redis_fault } => {
                begin(testbed, redis_fault);
                testbed.nodes[node].kill_and_start();
                store.end(redis_fault)
            }
            Fault::DestroyNodeDuring { node, redis_fault } => {
                begin(testbed, redis_fault);
                testbed.nodes[node].destroy();
                destroyed_at = Some(testbed.clock.now());
                let loss = store.end(redis_fault);
                testbed.nodes[node].start_empty();
                loss
            }
            Fault::KillEverything => kill_everything(testbed),
            _ => {
                inject_into_nodes(testbed, fault);
                Loss::Nothing
            }
        };
        Self { loss, destroyed_at }
    }
}

fn begin(testbed: &Testbed, redis_fault: RedisFault) {
    testbed.store.begin(redis_fault);
    thread::sleep(redis_fault.time());
}

fn kill_everything(testbed: &Testbed) -> Loss {
    let Testbed { nodes, store, .. } = testbed;
    nodes.iter().for_each(Node::kill);
    store.kill();
    thread::scope(|scope| {
        for node in nodes {
            scope.spawn(|| node.start_again());
        }
        store.start_again()
    })
}

/// Injects a fault with which Redis loses nothing that nodes depend on.
fn inject_into_nodes(testbed: &Testbed, fault: Fault) {
    let nodes = &testbed.nodes;
    match fault {
        Fault::KillNode(node) => nodes[node].kill_and_start(),
        Fault::Journal {
            node,
            journal_fault,
        } => journal_fault.inject(&nodes[node]),
        Fault::DestroyNode { node, away } => {
            nodes[node].destroy();
            thread::sleep(away);
            nodes[node].start_empty();
        }
        Fault::ReplaceNode(node) => {
            let number = Journal::open(&nodes[node].journal()).author().node;
            nodes[node].destroy();
            nodes[node].start_successor();
            until("the old node is struck off", || {
                nodes[(node + 1) % NODES].ops().forget_node(number)
            });
        }
        Fault::DropStreams {
            node,
            absence,
            time,
        } => {
            match absence {
                Absence::Stopped => nodes[node].signal("STOP"),
                Absence::Killed => nodes[node].kill(),
            }
            let began = Instant::now();
            while began.elapsed() < time {
                thread::sleep(time / 3);
                store::delete(&*testbed.store, "relay:stream:*", (usize::MAX, 0));
            }
            match absence {
                Absence::Stopped => nodes[node].signal("CONT"),
                Absence::Killed => nodes[node].start_again(),
            }
        }
        Fault::Evict { time } => evict(testbed, time),
        Fault::Redis(_)
        | Fault::KillNodeDuring { .. }
        | Fault::DestroyNodeDuring { .. }
        | Fault::KillEverything => unreachable!("{fault:?} is one of Redis"),
    }
}

/// Deletes values of bills one by one, any of them.
fn evict(testbed: &Testbed, time: Duration) {
    let began = Instant::now();
    let mut choice = usize::try_from(testbed.seed).unwrap();
    while began.elapsed() < time {
        choice = choice.wrapping_mul(31).wrapping_add(7_919);
        store::delete(&*testbed.store, "relay:{*}:*", (EVICTED_AT_ONCE, choice));
        thread::sleep(EVICT_EVERY);
    }
}
