//! What both nodes are asked once all is quiet, and what they must say.

use std::collections::{BTreeMap, BTreeSet};

use crate::bill::Bill;
use crate::calls::{Answer, Api, Call};
use crate::deed::Deed;
use crate::evidence::Evidence;
use crate::knowledge::Knowledge;
use crate::lost::Standing;
use crate::plan::Plan;
use crate::sending::Sending;

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    pub bill: Bill,
    pub asks: Asks,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// May it be paid?
    Prepay,
    /// A second link of a linked bill: `E818`.
    SecondLink,
    /// A link made anew of a bill that never had one: `E812`.
    LinkAnew,
    /// This event once more, which its biller has accepted: the kept answer.
    Copy { event: usize },
}

impl Question {
    /// Everything that is certain of the bills, in their order.
    pub fn all(
        evidence: &Evidence,
        knowledge: &Knowledge<'_>,
        standings: &BTreeMap<Bill, Standing>,
    ) -> Vec<Self> {
        let linked = linked(evidence);
        let calls = evidence.calls.iter();
        let created: BTreeSet<Bill> = calls
            .filter(|call| matches!(call.api, Api::Create))
            .map(|call| call.bill)
            .collect();
        let mut questions = Vec::new();
        for (bill, standing) in standings {
            let mut ask = |asks| {
                questions.push(Self {
                    bill: *bill,
                    asks,
                    standing: *standing,
                });
            };
            ask(Asks::Prepay);
            if linked.contains(bill) {
                ask(Asks::SecondLink);
            }
            if !created.contains(bill) {
                ask(Asks::LinkAnew);
            }
            for event in 0..Plan::of(evidence.seed, *bill).events.len() {
                if is_accepted(evidence, knowledge, &Plan::echo(*bill, event)) {
                    ask(Asks::Copy { event });
                }
            }
        }
        questions
    }

    pub fn sending(&self, seed: u64, node: usize, id: String) -> Sending {
        match self.asks {
            Asks::Prepay => Sending::question(self.bill, Api::Prepay, node, id),
            Asks::SecondLink => Sending::question(self.bill, Api::Create, node, id),
            Asks::LinkAnew => Sending::question(self.bill, Api::Recreate, node, id),
            Asks::Copy { event } => {
                let plan = Plan::of(seed, self.bill);
                Sending::pay_result(self.bill, node, id, (event, &plan.events[event]))
            }
        }
    }

    /// Whether it is the answer that the contract promises.
    pub fn is_answered_by(&self, answer: &Answer) -> bool {
        let is_error_bill = self.standing == Standing::ErrorBill;
        let code = match self.asks {
            Asks::Prepay => self.standing.res_code(),
            Asks::Copy { .. } => return answer.is_ok() && answer.replayed,
            Asks::SecondLink | Asks::LinkAnew if is_error_bill => self.standing.res_code(),
            Asks::SecondLink => "E818",
            Asks::LinkAnew => "E812",
        };
        answer.res_code == code
    }
}

/// Bills of which a caller got a link. What was cut off behind a late answer is not certain.
fn linked(evidence: &Evidence) -> BTreeSet<Bill> {
    let is_link = |call: &&Call| matches!(call.api, Api::Create | Api::Recreate) && call.is_ok();
    let links = evidence.calls.iter().filter(is_link);
    links
        .filter(|call| !evidence.troubles.cut_off(Deed::of(call)))
        .map(|call| call.bill)
        .collect()
}

fn is_accepted(evidence: &Evidence, knowledge: &Knowledge<'_>, echo: &str) -> bool {
    let mut calls = knowledge.calls(echo).iter().filter(|call| call.is_ok());
    calls.any(|call| !evidence.troubles.cut_off(Deed::of(call)))
}
