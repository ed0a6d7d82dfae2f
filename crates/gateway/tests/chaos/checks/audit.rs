//! The audit after the faults: every node is called about every bill.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::calls::{Api, CallOutcome};
use crate::checks::audit_call::{AuditCall, Subject};
use crate::checks::check_result::CheckResult;
use crate::checks::{delivered_again, lost_payments, two_links};
use crate::faults::recovery::{Failures, Recovery};
use crate::load::caller_connections::CallerConnections;
use crate::node::ALL_NODES;
use crate::records::Records;
use crate::testbed::Testbed;

const THREADS: usize = 8;

/// How often a call is repeated to a node that could not read Redis.
const TRIES: usize = 100;

/// The results of the audit.
#[derive(Debug)]
pub struct Audit {
    /// Wrong answers to prepays: payments that were lost or never made.
    pub lost_payments: CheckResult,
    /// Wrong answers to link calls.
    pub two_links: CheckResult,
    /// Pay-results that were delivered again.
    pub delivered_again: CheckResult,
    /// The ids of calls to nodes that could not read Redis; their effects are excused.
    inconclusive: BTreeSet<String>,
}

/// Checks that all nodes give the expected answer to every call, and relay only the prepays of open
/// bills.
pub fn run(testbed: &Testbed, audit_calls: &[AuditCall]) -> Audit {
    let next = AtomicUsize::new(0);
    let audit = Mutex::new(Audit {
        lost_payments: CheckResult::of(lost_payments::NAME),
        two_links: CheckResult::of(two_links::NAME),
        delivered_again: CheckResult::of(delivered_again::NAME),
        inconclusive: BTreeSet::new(),
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut auditor = Auditor {
                    testbed,
                    connections: CallerConnections::to(&testbed.nodes),
                    failures: Recovery::of(testbed).failures(),
                };
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(audit_call) = audit_calls.get(number) else {
                        return;
                    };
                    for node in ALL_NODES {
                        let outcome = auditor.call(audit_call, node, number);
                        audit.lock().unwrap().add(audit_call, node, outcome);
                    }
                }
            });
        }
    });
    audit.into_inner().unwrap()
}

/// The outcome of an audit call at one node.
#[derive(Default)]
struct AuditOutcome {
    /// `None`: the answer was the expected one.
    wrong: Option<String>,
    /// The ids of earlier attempts, made while the node could not read Redis.
    inconclusive: Vec<String>,
}

struct Auditor<'a> {
    testbed: &'a Testbed,
    connections: CallerConnections<'a>,
    /// As they were before the last call.
    failures: Failures,
}

impl Auditor<'_> {
    /// Repeats the call while the answer is inconclusive, because Redis or the biller was too slow.
    fn call(&mut self, audit_call: &AuditCall, node: usize, number: usize) -> AuditOutcome {
        let mut outcome = AuditOutcome::default();
        for attempt in 0..TRIES {
            let id = format!("b{}.q{number}.{node}.{attempt}", audit_call.bill.0);
            let request = audit_call.request(self.testbed.seed, node, id.clone());
            let CallOutcome::Answered(answer) = request.send(self.testbed, &mut self.connections)
            else {
                outcome.inconclusive.push(id);
                continue;
            };
            if audit_call.is_answered_by(&answer) {
                outcome.wrong = None;
                return outcome;
            }
            outcome.wrong = Some(format!("{} {}", answer.status, answer.res_code));
            // The metrics page is long, so it is only read after an unexpected answer.
            let failures = Recovery::of(self.testbed).failures();
            let redis_was_read = std::mem::replace(&mut self.failures, failures) == failures;
            if redis_was_read && answer.status == 200 {
                return outcome;
            }
            outcome.inconclusive.push(id);
        }
        outcome
    }
}

impl Audit {
    fn add(&mut self, audit_call: &AuditCall, node: usize, outcome: AuditOutcome) {
        self.inconclusive.extend(outcome.inconclusive);
        let result = self.result(audit_call.subject);
        result.checked += 1;
        if let Some(wrong) = outcome.wrong {
            let what = format!("{audit_call:?}: {wrong} from node {node}");
            result.violation(audit_call.bill, what);
        }
    }

    const fn result(&mut self, subject: Subject) -> &mut CheckResult {
        match subject {
            Subject::Prepay => &mut self.lost_payments,
            Subject::SecondLink | Subject::LinkRecreation => &mut self.two_links,
            Subject::Copy { .. } => &mut self.delivered_again,
        }
    }

    /// Checks that no audit call reached a party if the gateway had to answer it.
    pub fn check_received(&mut self, records: &Records) {
        for received in &records.received {
            let Some(call) = records.call_of(&received.incoming) else {
                continue;
            };
            let result = match call.api {
                _ if self.inconclusive.contains(&call.id) => continue,
                Api::Notice | Api::Prepay => continue,
                Api::Create | Api::Recreate => &mut self.two_links,
                Api::PayResult => &mut self.delivered_again,
            };
            let (id, party) = (&call.id, received.party);
            result.violation(call.bill, format!("{id} reached {party}"));
        }
    }
}
