//! How a bill stood to a node at a moment, as far as that is certain.

use std::collections::BTreeMap;

use crate::bill::PayEvent;
use crate::calls::Call;
use crate::deed::Deed;
use crate::knowledge::Knowledge;
use crate::plan::{Intent, Plan};

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    Yes,
    No,
    /// It depends on what the node had heard of.
    Maybe,
}

/// What a node must and may hold of a bill.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    pub paid: Certainty,
    pub error_bill: Certainty,
}

/// Whether any payment is above zero when its cancels are taken off. A cancel takes nothing from
/// another payment.
pub fn is_paid<'a>(events: impl IntoIterator<Item = &'a PayEvent>) -> bool {
    let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
    for event in events {
        let sign = if event.pay_type == "P" { 1 } else { -1 };
        *sums.entry(event.pay_id).or_default() += sign * event.amount;
    }
    sums.values().any(|sum| *sum > 0)
}

impl Stand {
    /// To the node that did `deed`.
    pub fn of(plan: &Plan, knowledge: &Knowledge<'_>, deed: Deed) -> Self {
        let has = |event: usize| knowledge.has(&Plan::echo(plan.bill, event), deed);
        let may_have = |event: usize| knowledge.may_have(&Plan::echo(plan.bill, event), deed);
        Self {
            paid: paid(plan, has, may_have),
            error_bill: error_bill(plan, knowledge, deed),
        }
    }

    /// Whether it was paid to whoever knew all that was told.
    pub fn is_paid_without_troubles(plan: &Plan, knowledge: &Knowledge<'_>, deed: Deed) -> bool {
        let was_told = |event: usize| knowledge.was_told(&Plan::echo(plan.bill, event), deed);
        let may_have = |event: usize| knowledge.may_have(&Plan::echo(plan.bill, event), deed);
        paid(plan, was_told, may_have) == Certainty::Yes
    }
}

/// At least what is certain is paid, at most what is possible; the other way round for cancels.
fn paid(plan: &Plan, has: impl Fn(usize) -> bool, may_have: impl Fn(usize) -> bool) -> Certainty {
    let events = || plan.events.iter().enumerate();
    let is_payment = |event: &PayEvent| event.pay_type == "P";
    let certain = |at: usize, counts: bool| if counts { has(at) } else { may_have(at) };
    let least = events().filter(|(at, event)| certain(*at, is_payment(event)));
    let most = events().filter(|(at, event)| certain(*at, !is_payment(event)));
    if is_paid(least.map(|(_, event)| event)) {
        Certainty::Yes
    } else if is_paid(most.map(|(_, event)| event)) {
        Certainty::Maybe
    } else {
        Certainty::No
    }
}

/// Only who takes the last payment classifies, by what it knows of those before.
fn error_bill(plan: &Plan, knowledge: &Knowledge<'_>, deed: Deed) -> Certainty {
    let Some(last) = plan.events.len().checked_sub(1) else {
        return Certainty::No;
    };
    let echo = |event: usize| Plan::echo(plan.bill, event);
    if !knowledge.may_have(&echo(last), deed) {
        return Certainty::No;
    }
    let takers = knowledge.calls(&echo(last));
    let all_knew = |before: usize| {
        let before = echo(before);
        let knew = |call: &&Call| knowledge.has(&before, Deed::of(call));
        takers.iter().all(knew)
    };
    match plan.intent {
        Intent::PaidAgain if may_look_double(plan, knowledge) => Certainty::Maybe,
        Intent::Plain | Intent::PaidAgain => Certainty::No,
        Intent::Double if !knowledge.may_have(&echo(0), deed) => Certainty::No,
        Intent::Double if knowledge.has(&echo(last), deed) => {
            if all_knew(0) {
                Certainty::Yes
            } else {
                Certainty::Maybe
            }
        }
        Intent::Double => Certainty::Maybe,
    }
}

/// Whether a node may have seen two payments of a bill that was paid, cancelled and paid again: who
/// took the second had not heard of the cancel, or who was told the first once more, behind the
/// second, had not heard of it before.
pub fn may_look_double(plan: &Plan, knowledge: &Knowledge<'_>) -> bool {
    let [first, cancel, second] = [0, 1, 2].map(|event| Plan::echo(plan.bill, event));
    let knew = |call: &Call, echo: &str| knowledge.has(echo, Deed::of(call));
    let seconds = knowledge.calls(&second);
    let begun = seconds.iter().map(|call| call.begun).min();
    let behind = |call: &&&Call| begun.is_some_and(|begun| call.ended > begun);
    let mut firsts = knowledge.calls(&first).iter().filter(behind);
    seconds.iter().any(|call| !knew(call, &cancel)) || firsts.any(|call| !knew(call, &first))
}
