//! What must hold of the paid bills of a round at a node.

use std::collections::BTreeSet;

use crate::calls::{Answer, Api, CallOutcome};
use crate::journal::JournalledEvent;
use crate::load::caller_connections::CallerConnections;
use crate::load::plan::Plan;
use crate::load::request::Request;
use crate::party::Party;
use crate::rounds::load::PaidBill;
use crate::testbed::Testbed;

/// How often a call is repeated that a node could not answer in time.
const TRIES: usize = 20;

/// What was lost, and how much was looked at.
#[derive(Debug, Default)]
pub struct Losses {
    pub checked: u64,
    pub payments: Vec<String>,
    pub bytes: Vec<String>,
    pub told_twice: Vec<String>,
    pub doubled_links: Vec<String>,
    /// The calls of copies and of second links, which no party may have received.
    own_answers: BTreeSet<String>,
}

impl Losses {
    /// Calls a node about bills: they are paid, an accepted pay-result gets its kept answer, and a link is not made again.
    pub fn ask(&mut self, testbed: &Testbed, (node, when): (usize, &str), bills: &[PaidBill]) {
        let mut connections = CallerConnections::to(&testbed.nodes);
        for paid in bills {
            let bill = paid.bill;
            let mut ask = |what: &str, api, is_right: fn(&Answer) -> bool| {
                let mut got = String::new();
                for attempt in 0..TRIES {
                    let id = format!("b{}.{what}.{when}.{node}.{attempt}", bill.0);
                    let request = match api {
                        Api::PayResult => PaidBill::pay_result(bill, node, id.clone()),
                        _ => Request::without_event(bill, api, node, id.clone()),
                    };
                    let outcome = request.send(testbed, &mut connections);
                    self.own_answers.insert(id);
                    let CallOutcome::Answered(answer) = outcome else {
                        continue;
                    };
                    if is_right(&answer) {
                        return None;
                    }
                    got = format!("{} {}", answer.status, answer.res_code);
                    if answer.status < 500 {
                        break;
                    }
                }
                Some(format!("{bill:?}: {what} at node {node} {when}: {got}"))
            };
            self.checked += 1;
            let is_paid = ask("prepay", Api::Prepay, |answer| answer.res_code == "E403");
            let copy = paid.is_accepted.then(|| {
                ask("copy", Api::PayResult, |answer| {
                    answer.is_ok() && answer.replayed
                })
            });
            let link = paid
                .is_linked
                .then(|| ask("link", Api::Create, |answer| answer.res_code == "E818"));
            self.payments.extend(is_paid);
            self.told_twice.extend(copy.flatten());
            self.doubled_links.extend(link.flatten());
        }
    }

    /// Looks for the bytes of all pay-results among what a journal has.
    pub fn look_for_bytes(
        &mut self,
        node: usize,
        bills: &[PaidBill],
        journalled: &[JournalledEvent],
    ) {
        let journalled: BTreeSet<(&str, &str)> = journalled
            .iter()
            .map(|event| (event.user_key.as_str(), event.echo()))
            .collect();
        for paid in bills {
            self.checked += 1;
            let (key, echo) = (paid.bill.user_key(), Plan::echo(paid.bill, 0));
            if !journalled.contains(&(&key, &echo)) {
                self.bytes.push(format!("{:?} at node {node}", paid.bill));
            }
        }
    }

    /// Checks that no party received what the nodes had to answer themselves.
    pub fn look_at_parties(&mut self, testbed: &Testbed) {
        for incoming in testbed.parties().flat_map(Party::received) {
            if !self.own_answers.contains(&incoming.request_id) {
                continue;
            }
            let what = format!("{} reached its party", incoming.request_id);
            match incoming.api {
                Some(Api::PayResult) => self.told_twice.push(what),
                Some(Api::Create) => self.doubled_links.push(what),
                _ => self.payments.push(what),
            }
        }
    }

    /// Returns everything that was lost.
    pub fn all(&self) -> Vec<&String> {
        let lost = [
            &self.payments,
            &self.bytes,
            &self.told_twice,
            &self.doubled_links,
        ];
        lost.into_iter().flatten().collect()
    }
}
