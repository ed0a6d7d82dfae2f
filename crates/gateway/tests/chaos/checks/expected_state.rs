//! The expected state of a bill at a node, as far as it is certain.

use std::collections::BTreeMap;

use crate::bill::PayEvent;
use crate::calls::Call;
use crate::checks::action::Action;
use crate::checks::visibility::Visibility;
use crate::load::plan::{Intent, Plan};

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    Yes,
    No,
    /// It depends on which events were visible to the node.
    Maybe,
}

/// The states that a node must and may derive for a bill.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedState {
    pub paid: Certainty,
    pub error_bill: Certainty,
}

/// Returns whether any payment less its cancels is above zero. A cancel does not reduce another
/// payment.
pub fn is_paid<'a>(events: impl IntoIterator<Item = &'a PayEvent>) -> bool {
    let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
    for event in events {
        let sign = if event.pay_type == "P" { 1 } else { -1 };
        *sums.entry(event.pay_id).or_default() += sign * event.amount;
    }
    sums.values().any(|sum| *sum > 0)
}

impl ExpectedState {
    /// Returns the state at the node and time of `action`.
    pub fn of(plan: &Plan, visibility: &Visibility<'_>, action: Action) -> Self {
        let echo = |event: usize| Plan::echo(plan.bill, event);
        let is_visible = |event: usize| visibility.is_visible(&echo(event), action);
        let may_be = |event: usize| visibility.may_be_visible(&echo(event), action);
        Self {
            paid: paid(plan, is_visible, may_be),
            error_bill: error_bill(plan, visibility, action),
        }
    }

    /// Returns whether the bill would certainly be paid without any incident.
    pub fn is_paid_without_incidents(
        plan: &Plan,
        visibility: &Visibility<'_>,
        action: Action,
    ) -> bool {
        let echo = |event: usize| Plan::echo(plan.bill, event);
        let is_visible =
            |event: usize| visibility.is_visible_without_incidents(&echo(event), action);
        let may_be = |event: usize| visibility.may_be_visible(&echo(event), action);
        paid(plan, is_visible, may_be) == Certainty::Yes
    }
}

/// The least sum has the certain payments and the possible cancels; the greatest has the possible
/// payments and the certain cancels.
fn paid(
    plan: &Plan,
    is_visible: impl Fn(usize) -> bool,
    may_be_visible: impl Fn(usize) -> bool,
) -> Certainty {
    let events = || plan.events.iter().enumerate();
    let is_payment = |event: &PayEvent| event.pay_type == "P";
    let counts = |at: usize, must: bool| {
        if must {
            is_visible(at)
        } else {
            may_be_visible(at)
        }
    };
    let least = events().filter(|(at, event)| counts(*at, is_payment(event)));
    let most = events().filter(|(at, event)| counts(*at, !is_payment(event)));
    if is_paid(least.map(|(_, event)| event)) {
        Certainty::Yes
    } else if is_paid(most.map(|(_, event)| event)) {
        Certainty::Maybe
    } else {
        Certainty::No
    }
}

/// Only the node that takes the last payment classifies, from the earlier payments that are visible
/// to it.
fn error_bill(plan: &Plan, visibility: &Visibility<'_>, action: Action) -> Certainty {
    let Some(last) = plan.events.len().checked_sub(1) else {
        return Certainty::No;
    };
    let echo = |event: usize| Plan::echo(plan.bill, event);
    if !visibility.may_be_visible(&echo(last), action) {
        return Certainty::No;
    }
    let reports = visibility.calls(&echo(last));
    let is_visible_to_all = |before: usize| {
        let before = echo(before);
        let is_visible = |call: &&Call| visibility.is_visible(&before, Action::of(call));
        reports.iter().all(is_visible)
    };
    match plan.intent {
        Intent::PaidAgain if may_look_double(plan, visibility) => Certainty::Maybe,
        Intent::Plain | Intent::PaidAgain => Certainty::No,
        Intent::Double if !visibility.may_be_visible(&echo(0), action) => Certainty::No,
        Intent::Double if visibility.is_visible(&echo(last), action) => {
            if is_visible_to_all(0) {
                Certainty::Yes
            } else {
                Certainty::Maybe
            }
        }
        Intent::Double => Certainty::Maybe,
    }
}

/// Returns whether a bill that was paid, cancelled and paid again may have looked like a double payment
/// to a node: the cancel was not visible to the node that took the second payment, or the first payment
/// was not visible to a node that got its copy after the second one.
pub fn may_look_double(plan: &Plan, visibility: &Visibility<'_>) -> bool {
    let [first, cancel, second] = [0, 1, 2].map(|event| Plan::echo(plan.bill, event));
    let is_visible = |call: &Call, echo: &str| visibility.is_visible(echo, Action::of(call));
    let seconds = visibility.calls(&second);
    let begun = seconds.iter().map(|call| call.begun).min();
    let is_after_second = |call: &&&Call| begun.is_some_and(|begun| call.ended > begun);
    let mut firsts = visibility.calls(&first).iter().filter(is_after_second);
    seconds.iter().any(|call| !is_visible(call, &cancel))
        || firsts.any(|call| !is_visible(call, &first))
}
