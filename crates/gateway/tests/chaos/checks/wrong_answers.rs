//! Every notice and prepay gets the answer of its bill's state, also during faults.
//!
//! Contract section 4: a `prepay` of a paid bill is answered `E403` and its biller is not called; an
//! error bill is answered `E817` to `prepay` and `notice`; a call for an open bill is relayed. The check
//! uses what is certain: a payment counts once it was answered and no incident hid it from the node, a
//! cancel may count as soon as it was sent.

use std::collections::BTreeMap;

use crate::calls::{Api, Call};
use crate::checks::action::Action;
use crate::checks::check_result::CheckResult;
use crate::checks::expected_state::{Certainty, ExpectedState};
use crate::checks::visibility::Visibility;
use crate::clock::Moment;
use crate::load::plan::Plan;
use crate::records::Records;

pub fn check(records: &Records, visibility: &Visibility<'_>) -> CheckResult {
    let mut result = CheckResult::of("wrong answers");
    let received: BTreeMap<&str, Moment> = [Api::Notice, Api::Prepay]
        .into_iter()
        .flat_map(|api| records.received(api))
        .map(|incoming| (incoming.request_id.as_str(), incoming.at))
        .collect();
    let is_checked = |call: &&Call| matches!(call.api, Api::Notice | Api::Prepay);
    for call in records.calls.iter().filter(is_checked) {
        let relayed_at = received.get(call.id.as_str()).copied();
        let action = Action::of(call).ending(relayed_at.unwrap_or(call.ended));
        let plan = Plan::of(records.seed, call.bill);
        let expected = ExpectedState::of(&plan, visibility, action);
        let observed = Observed::of(call, relayed_at.is_some());
        result.checked += 1;
        if let Some(wrong) = wrong(call.api, expected, observed) {
            let (id, api, node) = (&call.id, call.api.name(), call.node);
            result.violation(call.bill, format!("{id} {api} on node {node}: {wrong}"));
        }
        if call.api == Api::Prepay
            && expected.paid != Certainty::Yes
            && ExpectedState::is_paid_without_incidents(&plan, visibility, action)
        {
            result.excused += 1;
            if observed == Observed::Relayed {
                result.excused_violation(call.bill, format!("{} relayed, although paid", call.id));
            }
        }
    }
    result
}

/// What the gateway did with a notice or prepay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Observed {
    /// The call was relayed to the biller.
    Relayed,
    Paid,
    ErrorBill,
    /// The budget ended or the connection broke, so the answer does not depend on the bill.
    NoDecision,
}

impl Observed {
    fn of(call: &Call, is_relayed: bool) -> Self {
        match call.answer().map(|answer| answer.res_code.as_str()) {
            // The biller's own codes are E402 and OK.
            _ if is_relayed => Self::Relayed,
            Some("OK") => Self::Relayed,
            Some("E403") => Self::Paid,
            Some("E817") => Self::ErrorBill,
            _ => Self::NoDecision,
        }
    }
}

fn wrong(api: Api, expected: ExpectedState, observed: Observed) -> Option<&'static str> {
    match observed {
        Observed::Relayed if expected.error_bill == Certainty::Yes => {
            Some("relayed, although an error bill")
        }
        Observed::Relayed if api == Api::Prepay && expected.paid == Certainty::Yes => {
            Some("relayed, although paid")
        }
        Observed::Paid if api == Api::Notice => Some("E403 to a notice"),
        Observed::Paid if expected.error_bill == Certainty::Yes => {
            Some("E403, although an error bill")
        }
        Observed::Paid if expected.paid == Certainty::No => Some("E403, although nothing is paid"),
        Observed::ErrorBill if expected.error_bill == Certainty::No => {
            Some("E817, although never paid twice")
        }
        Observed::NoDecision | Observed::Relayed | Observed::Paid | Observed::ErrorBill => None,
    }
}
