//! No payment is lost: the journals hold every reported event, and give every bill its state. Disks that were destroyed
//! count for nothing; excused is what was on such a disk alone when Redis was gone in the same moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::bill::{Bill, PayEvent};
use crate::calls::{Api, Call};
use crate::checks::action::Action;
use crate::checks::check_result::CheckResult;
use crate::checks::expected_state::{is_paid, may_look_double};
use crate::checks::visibility::{Visibility, is_replayed};
use crate::load::plan::{Intent, Plan};
use crate::records::Records;

/// The state of a bill that decides the answer to a prepay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillState {
    /// The biller is called.
    Open,
    /// `E403`
    Paid,
    /// `E817`
    ErrorBill,
}

impl BillState {
    /// Returns the code of the answer to a prepay.
    pub const fn res_code(self) -> &'static str {
        match self {
            Self::Open => "OK",
            Self::Paid => "E403",
            Self::ErrorBill => "E817",
        }
    }
}

/// The name of the check in the report.
pub const NAME: &str = "lost payments";

/// Checks that every pay-result that reached its biller, or that was answered, is in a journal, byte
/// for byte. One that was not answered and did not reach its biller may be there or not.
pub fn check_journals(records: &Records) -> CheckResult {
    let mut result = CheckResult::of(NAME);
    let journalled = journalled(records);
    let reached: BTreeSet<&str> = records
        .received(Api::PayResult)
        .map(|incoming| incoming.echo.as_str())
        .collect();
    let mut sent = BTreeSet::new();
    for (echo, calls) in records.calls_by_echo(Api::PayResult) {
        let body = body_of(records.seed, calls[0]);
        let answered = calls.iter().any(|call| call.answer().is_some());
        let is_excused = lost_with_redis(records, &calls).is_some();
        if (answered || reached.contains(echo)) && !is_excused {
            result.checked += 1;
            if !journalled.contains(body.as_str()) {
                result.violation(calls[0].bill, format!("{echo} is in no journal"));
            }
        }
        sent.insert(body);
    }
    for body in journalled.iter().filter(|body| !sent.contains(**body)) {
        result.violation(
            None,
            format!("the journal holds a pay-result that was not sent: {body}"),
        );
    }
    result
}

fn journalled(records: &Records) -> BTreeSet<&str> {
    let events = records.journals.iter().flatten();
    events.map(|event| event.body.as_str()).collect()
}

/// The payments that a disk and Redis may have lost in the same moment.
#[derive(Debug, Default)]
pub struct LostWithRedis {
    /// Those of the last second before, that no other node had reported.
    pub reported: usize,
    /// How long before they were reported last, of those that are in no journal.
    pub lost: Vec<Duration>,
}

impl LostWithRedis {
    pub fn of(records: &Records) -> Self {
        let journalled = journalled(records);
        let mut lost_with_redis = Self::default();
        for calls in records.calls_by_echo(Api::PayResult).values() {
            let Some(before) = self::lost_with_redis(records, calls) else {
                continue;
            };
            lost_with_redis.reported += 1;
            let body = body_of(records.seed, calls[0]);
            if !journalled.contains(body.as_str()) {
                lost_with_redis.lost.push(before);
            }
        }
        lost_with_redis
    }
}

/// Returns how long before the loss of a disk and Redis together an event was reported last, where the node that lost
/// them may have been the only one to have it.
fn lost_with_redis(records: &Records, calls: &[&Call]) -> Option<Duration> {
    let relays = calls.iter().filter(|call| !is_replayed(call));
    let before = relays.map(|call| {
        let lost_at = records.incidents.lost_at(Action::of(call))?;
        Some(lost_at.saturating_sub(call.ended))
    });
    let before: Option<Vec<Duration>> = before.collect();
    before?.into_iter().min()
}

pub fn body_of(seed: u64, call: &Call) -> String {
    let plan = Plan::of(seed, call.bill);
    let number = call.echo.rsplit_once(".e").unwrap().1;
    let event = &plan.events[number.parse::<usize>().unwrap()];
    call.bill.pay_result(&call.echo, event)
}

/// Returns the reference state of every bill, from the events that the journals hold. A bill is an error
/// bill if a journal classifies it; this checks whether the classification was due.
pub fn reference_states(
    records: &Records,
    visibility: &Visibility<'_>,
    bills: u64,
    result: &mut CheckResult,
) -> BTreeMap<Bill, BillState> {
    let mut states: BTreeMap<Bill, BillState> = (0..bills)
        .map(|number| (Bill(number), BillState::Open))
        .collect();
    for (bill, events) in events_by_bill(records) {
        let classified = records.classified.contains(&bill);
        let expected = expected_classification(&Plan::of(records.seed, bill), &events, visibility);
        let (missed, not_due) = (
            "paid twice, but no error bill",
            "an error bill, although never paid twice",
        );
        match (expected, classified) {
            (ExpectedClassification::Classified, false) => result.violation(bill, missed),
            (ExpectedClassification::NotClassified, true) => result.violation(bill, not_due),
            (ExpectedClassification::MayBeClassified, true) => {
                result.excused_violation(bill, not_due);
            }
            _ => {}
        }
        match expected {
            ExpectedClassification::MayBeClassified => result.excused += 1,
            ExpectedClassification::Classified | ExpectedClassification::NotClassified => {
                result.checked += 1;
            }
        }
        let state = match (classified, is_paid(events.values())) {
            (true, _) => BillState::ErrorBill,
            (false, true) => BillState::Paid,
            (false, false) => BillState::Open,
        };
        states.insert(bill, state);
    }
    states
}

/// The events of a bill by `paid_at`, which is unique within a bill in these runs.
type Events = BTreeMap<u64, PayEvent>;

fn events_by_bill(records: &Records) -> BTreeMap<Bill, Events> {
    let mut bills: BTreeMap<Bill, Events> = BTreeMap::new();
    for row in records.journals.iter().flatten() {
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

/// Whether a bill must have become an error bill.
#[derive(Clone, Copy)]
enum ExpectedClassification {
    Classified,
    NotClassified,
    /// No double payment, but the cancel between the payments was perhaps not visible to a node.
    MayBeClassified,
}

/// A double payment is always recognized, at the latest when the nodes' facts are merged. If the cancel
/// between two payments was taken by the other node and is not visible, a node may take them for a double payment.
fn expected_classification(
    plan: &Plan,
    events: &Events,
    visibility: &Visibility<'_>,
) -> ExpectedClassification {
    match plan.intent {
        Intent::Double if events.len() == 2 => ExpectedClassification::Classified,
        Intent::PaidAgain if may_look_double(plan, visibility) => {
            ExpectedClassification::MayBeClassified
        }
        Intent::Plain | Intent::Double | Intent::PaidAgain => ExpectedClassification::NotClassified,
    }
}
