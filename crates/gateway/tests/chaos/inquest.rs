//! Asks both nodes how every bill stands, once all is quiet.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::bill::Bill;
use crate::calls::{Api, Outcome};
use crate::finding::Finding;
use crate::line::Line;
use crate::lost::Standing;
use crate::recovery::Recovery;
use crate::sending::Sending;
use crate::world::World;

const THREADS: usize = 8;

/// How often a node is asked again that could not look.
const TRIES: usize = 100;

/// Checks that both nodes answer a prepay of every bill as the reference model does.
pub fn ask(world: &World, standings: &BTreeMap<Bill, Standing>, finding: &mut Finding) {
    let bills: Vec<(Bill, Standing)> = standings
        .iter()
        .map(|(bill, standing)| (*bill, *standing))
        .collect();
    let next = AtomicUsize::new(0);
    let found = Mutex::new(finding);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut line = Line::to(&world.nodes);
                while let Some((bill, standing)) = bills.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for node in 0..2 {
                        let wrong = ask_node(world, &mut line, node, (*bill, *standing));
                        let mut finding = found.lock().unwrap();
                        finding.judged += 1;
                        if let Some(got) = wrong {
                            let what = format!("{standing:?} to the model, {got} to node {node}");
                            finding.violated(*bill, what);
                        }
                    }
                }
            });
        }
    });
}

/// The wrong answer of a node. An answer of a node that could not look (it found Redis too slow, or
/// the biller was too slow) says nothing, and it is asked again.
fn ask_node(
    world: &World,
    line: &mut Line<'_>,
    node: usize,
    (bill, standing): (Bill, Standing),
) -> Option<String> {
    let recovery = Recovery::of(world);
    let mut got = String::new();
    for attempt in 0..TRIES {
        let id = format!("b{}.q{node}.{attempt}", bill.0);
        // The page of metrics is long: it is only read where something is to be excused.
        let failures = (attempt > 0).then(|| recovery.failures());
        let sending = Sending::question(bill, Api::Prepay, node, id);
        let Outcome::Answered(answer) = sending.send(world, line) else {
            continue;
        };
        if answer.res_code == standing.res_code() {
            return None;
        }
        let looked = failures.is_some_and(|failures| failures == recovery.failures());
        got = format!("{} {}", answer.status, answer.res_code);
        if looked && matches!(&*answer.res_code, "OK" | "E403" | "E817") {
            break;
        }
    }
    Some(got)
}
