//! The calls of the audit and the expected answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::bill::Bill;
use crate::calls::{Answer, Api, Call};
use crate::checks::action::Action;
use crate::checks::lost_payments::BillState;
use crate::checks::visibility::Visibility;
use crate::load::plan::Plan;
use crate::load::request::Request;
use crate::records::Records;

/// One call to each node.
#[derive(Clone, Copy, Debug)]
pub struct AuditCall {
    pub bill: Bill,
    pub subject: Subject,
    state: BillState,
}

/// What an audit call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Whether the bill can be paid.
    Prepay,
    /// A second link of a linked bill: `E818`.
    SecondLink,
    /// The re-creation of a link that was never made: `E812`.
    LinkRecreation,
    /// A copy of this event, which its biller has accepted: the kept answer.
    Copy { event: usize },
}

impl AuditCall {
    /// Returns a call for everything that is certain of the bills, in their order.
    pub fn all(
        records: &Records,
        visibility: &Visibility<'_>,
        states: &BTreeMap<Bill, BillState>,
    ) -> Vec<Self> {
        let linked = linked(records);
        let calls = records.calls.iter();
        let created: BTreeSet<Bill> = calls
            .filter(|call| matches!(call.api, Api::Create))
            .map(|call| call.bill)
            .collect();
        let mut audit_calls = Vec::new();
        for (bill, state) in states {
            let mut push = |subject| {
                audit_calls.push(Self {
                    bill: *bill,
                    subject,
                    state: *state,
                });
            };
            push(Subject::Prepay);
            if linked.contains(bill) {
                push(Subject::SecondLink);
            }
            if !created.contains(bill) {
                push(Subject::LinkRecreation);
            }
            for event in 0..Plan::of(records.seed, *bill).events.len() {
                if is_accepted(records, visibility, &Plan::echo(*bill, event)) {
                    push(Subject::Copy { event });
                }
            }
        }
        audit_calls
    }

    pub fn request(&self, seed: u64, node: usize, id: String) -> Request {
        match self.subject {
            Subject::Prepay => Request::without_event(self.bill, Api::Prepay, node, id),
            Subject::SecondLink => Request::without_event(self.bill, Api::Create, node, id),
            Subject::LinkRecreation => Request::without_event(self.bill, Api::Recreate, node, id),
            Subject::Copy { event } => {
                let plan = Plan::of(seed, self.bill);
                Request::pay_result(self.bill, node, id, (event, &plan.events[event]))
            }
        }
    }

    /// Returns whether it is the answer that the contract requires.
    pub fn is_answered_by(&self, answer: &Answer) -> bool {
        let is_error_bill = self.state == BillState::ErrorBill;
        let code = match self.subject {
            Subject::Prepay => self.state.res_code(),
            Subject::Copy { .. } => return answer.is_ok() && answer.replayed,
            Subject::SecondLink | Subject::LinkRecreation if is_error_bill => self.state.res_code(),
            Subject::SecondLink => "E818",
            Subject::LinkRecreation => "E812",
        };
        answer.res_code == code
    }
}

/// Returns the bills of which a caller certainly got a link: a restart may have interrupted the settling
/// after a late answer, or disk and Redis may be gone together.
fn linked(records: &Records) -> BTreeSet<Bill> {
    let is_link = |call: &&Call| matches!(call.api, Api::Create | Api::Recreate) && call.is_ok();
    let links = records.calls.iter().filter(is_link);
    links
        .filter(|call| is_certain(records, call))
        .map(|call| call.bill)
        .collect()
}

fn is_accepted(records: &Records, visibility: &Visibility<'_>, echo: &str) -> bool {
    let mut calls = visibility.calls(echo).iter().filter(|call| call.is_ok());
    calls.any(|call| is_certain(records, call))
}

/// Returns whether what the answer of a call says is on a disk or in Redis.
fn is_certain(records: &Records, call: &Call) -> bool {
    let (incidents, action) = (&records.incidents, Action::of(call));
    !incidents.can_interrupt(action) && incidents.lost_at(action).is_none()
}
