//! Asks both nodes how every bill stands, once all is quiet.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::calls::{Api, CircuitOutcome};
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::line::Line;
use crate::question::{Asks, Question};
use crate::recovery::{Failures, Recovery};
use crate::world::World;

const THREADS: usize = 8;

/// How often a node is asked again that could not look.
const TRIES: usize = 100;

/// What came of the questions.
#[derive(Debug)]
pub struct Inquest {
    /// Wrong answers to prepays: payments that were lost, or came from nowhere.
    pub lost: Finding,
    /// Wrong answers about links.
    pub doubled: Finding,
    /// Pay-results that were told again.
    pub told_twice: Finding,
    /// Calls of nodes that could not look: what they did is excused.
    unable: BTreeSet<String>,
}

/// Checks that both nodes give the promised answer to every question, and call nobody for it but for
/// the prepay of an open bill.
pub fn ask(world: &World, questions: &[Question]) -> Inquest {
    let next = AtomicUsize::new(0);
    let inquest = Mutex::new(Inquest {
        lost: Finding::of("lost"),
        doubled: Finding::of("doubled links"),
        told_twice: Finding::of("told twice"),
        unable: BTreeSet::new(),
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut asker = Asker {
                    world,
                    line: Line::to(&world.nodes),
                    failures: Recovery::of(world).failures(),
                };
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(question) = questions.get(number) else {
                        return;
                    };
                    for node in 0..2 {
                        let said = asker.ask(question, node, number);
                        inquest.lock().unwrap().note(question, node, said);
                    }
                }
            });
        }
    });
    inquest.into_inner().unwrap()
}

/// What a node said in the end.
#[derive(Default)]
struct Said {
    /// `None`: what it had to.
    wrong: Option<String>,
    /// Calls of it before that, when it could not look.
    unable: Vec<String>,
}

struct Asker<'a> {
    world: &'a World,
    line: Line<'a>,
    /// As they were before the last question.
    failures: Failures,
}

impl Asker<'_> {
    /// An answer of a node that could not look (it found Redis too slow, or the biller was too slow)
    /// says nothing, and it is asked again.
    fn ask(&mut self, question: &Question, node: usize, number: usize) -> Said {
        let mut said = Said::default();
        for attempt in 0..TRIES {
            let id = format!("b{}.q{number}.{node}.{attempt}", question.bill.0);
            let sending = question.sending(self.world.seed, node, id.clone());
            let CircuitOutcome::Answered(answer) = sending.send(self.world, &mut self.line) else {
                said.unable.push(id);
                continue;
            };
            if question.is_answered_by(&answer) {
                said.wrong = None;
                return said;
            }
            said.wrong = Some(format!("{} {}", answer.status, answer.res_code));
            // The page of metrics is long: it is only read where something is to be excused.
            let failures = Recovery::of(self.world).failures();
            let looked = std::mem::replace(&mut self.failures, failures) == failures;
            if looked && answer.status == 200 {
                return said;
            }
            said.unable.push(id);
        }
        said
    }
}

impl Inquest {
    fn note(&mut self, question: &Question, node: usize, said: Said) {
        self.unable.extend(said.unable);
        let finding = self.finding(question.asks);
        finding.judged += 1;
        if let Some(wrong) = said.wrong {
            let what = format!("{question:?}: {wrong} from node {node}");
            finding.violated(question.bill, what);
        }
    }

    const fn finding(&mut self, asks: Asks) -> &mut Finding {
        match asks {
            Asks::Prepay => &mut self.lost,
            Asks::SecondLink | Asks::LinkAnew => &mut self.doubled,
            Asks::Copy { .. } => &mut self.told_twice,
        }
    }

    /// Checks that no call of the inquest reached a party that had to be answered by the gateway.
    pub fn check_arrivals(&mut self, evidence: &Evidence) {
        for seen in &evidence.seen {
            let Some(call) = evidence.call_of(&seen.incoming) else {
                continue;
            };
            let finding = match call.api {
                _ if self.unable.contains(&call.id) => continue,
                Api::Notice | Api::Prepay => continue,
                Api::Create | Api::Recreate => &mut self.doubled,
                Api::PayResult => &mut self.told_twice,
            };
            let (id, party) = (&call.id, seen.party);
            finding.violated(call.bill, format!("{id} reached {party}"));
        }
    }
}
