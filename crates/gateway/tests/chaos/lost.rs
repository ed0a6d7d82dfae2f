//! Nothing is lost: what the journals must hold, and what both nodes must make of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::bill::{Bill, PayEvent};
use crate::calls::{Api, Call};
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::knowledge::Knowledge;
use crate::plan::{Intent, Plan};
use crate::stand::{is_paid, may_look_double};

/// How a bill must stand, to a prepay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The biller is asked.
    Open,
    /// `E403`
    Paid,
    /// `E817`
    ErrorBill,
}

impl Standing {
    /// What a prepay is answered.
    pub const fn res_code(self) -> &'static str {
        match self {
            Self::Open => "OK",
            Self::Paid => "E403",
            Self::ErrorBill => "E817",
        }
    }
}

/// Checks that every pay-result that a biller got, or that was answered in any way, is in a journal,
/// byte for byte. One that nobody answered and that no biller got may be there or not.
pub fn check_journals(evidence: &Evidence) -> Finding {
    let mut finding = Finding::of("lost");
    let calls = evidence.calls_by_echo(Api::PayResult);
    let journalled: BTreeSet<&str> = evidence
        .journals
        .iter()
        .flatten()
        .map(|event| event.body.as_str())
        .collect();
    let reached: BTreeSet<&str> = evidence
        .arrivals(Api::PayResult)
        .map(|incoming| incoming.echo.as_str())
        .collect();
    let mut sent = BTreeSet::new();
    for (echo, calls) in calls {
        let body = body_of(evidence.seed, calls[0]);
        let answered = calls.iter().any(|call| call.answer().is_some());
        if answered || reached.contains(echo) {
            finding.judged += 1;
            if !journalled.contains(body.as_str()) {
                finding.violated(calls[0].bill, format!("{echo} is in no journal"));
            }
        }
        sent.insert(body);
    }
    for body in journalled.iter().filter(|body| !sent.contains(**body)) {
        finding.violated(None, format!("the journal holds what nobody sent: {body}"));
    }
    finding
}

fn body_of(seed: u64, call: &Call) -> String {
    let plan = Plan::of(seed, call.bill);
    let number = call.echo.rsplit_once(".e").unwrap().1;
    let event = &plan.events[number.parse::<usize>().unwrap()];
    call.bill.pay_result(&call.echo, event)
}

/// The reference model: how every bill must stand after the events that the journals hold. A bill
/// is an error bill if a journal says so; whether it had to, or might not, is checked here.
pub fn model(
    evidence: &Evidence,
    knowledge: &Knowledge<'_>,
    bills: u64,
    finding: &mut Finding,
) -> BTreeMap<Bill, Standing> {
    let mut standings: BTreeMap<Bill, Standing> = (0..bills)
        .map(|number| (Bill(number), Standing::Open))
        .collect();
    for (bill, events) in events_by_bill(evidence) {
        let classified = evidence.classified.contains(&bill);
        let expected = expected(&Plan::of(evidence.seed, bill), &events, knowledge);
        let (missed, mistaken) = (
            "paid twice, and no error bill",
            "an error bill that was never paid twice",
        );
        match (expected, classified) {
            (Expected::Classified, false) => finding.violated(bill, missed),
            (Expected::NotClassified, true) => finding.violated(bill, mistaken),
            (Expected::MayBeMistaken, true) => finding.happened(bill, mistaken),
            _ => {}
        }
        match expected {
            Expected::MayBeMistaken => finding.excused += 1,
            Expected::Classified | Expected::NotClassified => finding.judged += 1,
        }
        let standing = match (classified, is_paid(events.values())) {
            (true, _) => Standing::ErrorBill,
            (false, true) => Standing::Paid,
            (false, false) => Standing::Open,
        };
        standings.insert(bill, standing);
    }
    standings
}

/// A bill's events. In these runs every event of a bill has a time of its own.
type Known = BTreeMap<u64, PayEvent>;

fn events_by_bill(evidence: &Evidence) -> BTreeMap<Bill, Known> {
    let mut bills: BTreeMap<Bill, Known> = BTreeMap::new();
    for row in evidence.journals.iter().flatten() {
        let bill = Bill::of_user_key(&row.user_key).expect("a bill of this run");
        let event = PayEvent {
            pay_type: if row.pay_type == "P" { "P" } else { "C" },
            pay_id: row.pay_id,
            paid_at: row.paid_at,
            amount: row.amount,
        };
        bills.entry(bill).or_default().insert(row.paid_at, event);
    }
    bills
}

/// Whether a bill had to become an error bill.
#[derive(Clone, Copy)]
enum Expected {
    Classified,
    NotClassified,
    /// No double payment, but a node could not see that it is none.
    MayBeMistaken,
}

/// Two payments are always seen to be two, at the latest where the journals meet. A node that could
/// not hear of the cancel between them, which the other node took, may see two where only one counts.
fn expected(plan: &Plan, events: &Known, knowledge: &Knowledge<'_>) -> Expected {
    match plan.intent {
        Intent::Double if events.len() == 2 => Expected::Classified,
        Intent::PaidAgain if may_look_double(plan, knowledge) => Expected::MayBeMistaken,
        Intent::Plain | Intent::Double | Intent::PaidAgain => Expected::NotClassified,
    }
}
