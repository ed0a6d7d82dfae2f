//! Nothing is lost: what the journals must hold, and what both nodes must make of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::bill::{Bill, PayEvent};
use crate::calls::{Api, Call};
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::plan::{Intent, Plan};
use crate::trouble::Deed;

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
        .map(|arrival| arrival.echo.as_str())
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
pub fn model(evidence: &Evidence, bills: u64, finding: &mut Finding) -> BTreeMap<Bill, Standing> {
    let mut standings: BTreeMap<Bill, Standing> = (0..bills)
        .map(|number| (Bill(number), Standing::Open))
        .collect();
    let calls = calls_by_bill(evidence);
    for (bill, events) in events_by_bill(evidence) {
        let classified = evidence.classified.contains(&bill);
        let calls = calls.get(&bill).map(Vec::as_slice).unwrap_or_default();
        let judge = Judge {
            evidence,
            plan: Plan::of(evidence.seed, bill),
            events: &events,
            calls,
        };
        match judge.classification() {
            Expected::Classified if !classified => {
                finding.violated(bill, "paid twice, and no error bill");
            }
            Expected::NotClassified if classified => {
                finding.violated(bill, "an error bill that was never paid twice");
            }
            Expected::MayBeMissed => {
                finding.excused += 1;
                if !classified {
                    finding.happened(bill, "paid twice, and no error bill");
                }
            }
            Expected::MayBeMistaken => {
                finding.excused += 1;
                if classified {
                    finding.happened(bill, "an error bill that was never paid twice");
                }
            }
            Expected::Classified | Expected::NotClassified => finding.judged += 1,
        }
        let standing = match (classified, is_paid(&events)) {
            (true, _) => Standing::ErrorBill,
            (false, true) => Standing::Paid,
            (false, false) => Standing::Open,
        };
        standings.insert(bill, standing);
    }
    standings
}

/// An event that a journal holds.
struct KnownEvent {
    event: PayEvent,
    /// When, and on which node, it was taken first.
    first_stamp: i64,
    first_node: usize,
}

/// A bill's events. In these runs every event of a bill has a time of its own.
type Known = BTreeMap<u64, KnownEvent>;

/// Whether the sum of the events is above zero (contract section 4, "Payments").
fn is_paid(events: &Known) -> bool {
    let signed = |event: &PayEvent| match event.pay_type {
        "P" => event.amount,
        _ => -event.amount,
    };
    let signed = events.values().map(|known| signed(&known.event));
    signed.sum::<i64>() > 0
}

fn calls_by_bill(evidence: &Evidence) -> BTreeMap<Bill, Vec<&Call>> {
    let mut calls: BTreeMap<Bill, Vec<&Call>> = BTreeMap::new();
    for call in evidence
        .calls
        .iter()
        .filter(|call| call.api == Api::PayResult)
    {
        calls.entry(call.bill).or_default().push(call);
    }
    calls
}

fn events_by_bill(evidence: &Evidence) -> BTreeMap<Bill, Known> {
    let mut bills: BTreeMap<Bill, Known> = BTreeMap::new();
    for (node, journal) in evidence.journals.iter().enumerate() {
        for row in journal {
            let bill = Bill::of_user_key(&row.user_key).expect("a bill of this run");
            let event = PayEvent {
                pay_type: if row.pay_type == "P" { "P" } else { "C" },
                pay_id: row.pay_id,
                paid_at: row.paid_at,
                amount: row.amount,
            };
            let known = KnownEvent {
                event,
                first_stamp: row.stamp,
                first_node: node,
            };
            let bill = bills.entry(bill).or_default();
            match bill.get(&row.paid_at) {
                Some(other) if other.first_stamp < known.first_stamp => {}
                _ => drop(bill.insert(row.paid_at, known)),
            }
        }
    }
    bills
}

/// Whether a bill had to become an error bill.
enum Expected {
    Classified,
    NotClassified,
    /// A double payment that no node could see to be one.
    MayBeMissed,
    /// No double payment, but a node could not see that it is none.
    MayBeMistaken,
}

struct Judge<'a> {
    evidence: &'a Evidence,
    plan: Plan,
    events: &'a Known,
    calls: &'a [&'a Call],
}

impl Judge<'_> {
    fn classification(&self) -> Expected {
        match self.plan.intent {
            Intent::Plain => Expected::NotClassified,
            Intent::PaidAgain => self.of_paid_again(),
            Intent::Double => self.of_double(),
        }
    }

    /// A node that could not hear of the cancel, which the other node took, sees two payments.
    fn of_paid_again(&self) -> Expected {
        let troubles = &self.evidence.troubles;
        let deeds = || self.calls.iter().map(|call| Deed::of(call));
        let hidden = |deed| deeds().any(|earlier| troubles.hide_from_payment(earlier, deed));
        if deeds().any(hidden) {
            Expected::MayBeMistaken
        } else {
            Expected::NotClassified
        }
    }

    /// Two payments that one node took first are always seen to be two. Of two nodes each may have
    /// taken one while it could not hear of the other; who hears of both later takes them for known.
    fn of_double(&self) -> Expected {
        let known: Vec<&KnownEvent> = self.events.values().collect();
        let [one, other] = known[..] else {
            return Expected::NotClassified;
        };
        if one.first_node == other.first_node {
            return Expected::Classified;
        }
        let deeds = |event: usize| {
            let suffix = format!(".e{event}");
            let told = |call: &&&Call| call.echo.ends_with(&suffix);
            let calls = self.calls.iter().filter(told);
            calls.map(|call| Deed::of(call)).collect::<Vec<_>>()
        };
        let (one, other) = (deeds(0), deeds(1));
        let troubles = &self.evidence.troubles;
        let hidden = |(one, other): (&Deed, &Deed)| {
            troubles.hide_from_payment(*one, *other) || troubles.hide_from_payment(*other, *one)
        };
        let mut pairs = one
            .iter()
            .flat_map(|one| other.iter().map(move |other| (one, other)));
        if pairs.any(hidden) {
            Expected::MayBeMissed
        } else {
            Expected::Classified
        }
    }
}
