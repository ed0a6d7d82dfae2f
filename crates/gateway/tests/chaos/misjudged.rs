//! A bill is answered as it stands, also while everything fails.
//!
//! Contract section 4: a `prepay` of a paid bill is `E403` and its biller is not called; an error bill
//! is `E817` to `prepay` and `notice`; an open one is its biller's affair. Judged is what is certain: a
//! payment counts once it was answered and no trouble kept the node from knowing, a cancel may count
//! as soon as it was sent.

use std::collections::BTreeMap;

use crate::calls::{Api, Call};
use crate::clock::Moment;
use crate::deed::Deed;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::knowledge::Knowledge;
use crate::plan::Plan;
use crate::stand::{Certainty, Stand};

pub fn check(evidence: &Evidence, knowledge: &Knowledge<'_>) -> Finding {
    let mut finding = Finding::of("misjudged");
    let arrivals: BTreeMap<&str, Moment> = [Api::Notice, Api::Prepay]
        .into_iter()
        .flat_map(|api| evidence.arrivals(api))
        .map(|incoming| (incoming.request_id.as_str(), incoming.at))
        .collect();
    let questions = |call: &&Call| matches!(call.api, Api::Notice | Api::Prepay);
    for call in evidence.calls.iter().filter(questions) {
        let asked = arrivals.get(call.id.as_str()).copied();
        let deed = Deed::of(call).ending(asked.unwrap_or(call.ended));
        let plan = Plan::of(evidence.seed, call.bill);
        let stand = Stand::of(&plan, knowledge, deed);
        let said = Said::of(call, asked.is_some());
        finding.judged += 1;
        if let Some(wrong) = wrong(call.api, stand, said) {
            let (id, api, node) = (&call.id, call.api.name(), call.node);
            finding.violated(call.bill, format!("{id} {api} on node {node}: {wrong}"));
        }
        if call.api == Api::Prepay
            && stand.paid != Certainty::Yes
            && Stand::is_paid_without_troubles(&plan, knowledge, deed)
        {
            finding.excused += 1;
            if said == Said::UpstreamTiming {
                finding.happened(call.bill, format!("{} asked, although paid", call.id));
            }
        }
    }
    finding
}

/// What the gateway made of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// The biller was asked.
    UpstreamTiming,
    Paid,
    ErrorBill,
    /// Nothing of the bill: the budget was over, the connection broke.
    Nothing,
}

impl Said {
    fn of(call: &Call, asked: bool) -> Self {
        match call.answer().map(|answer| answer.res_code.as_str()) {
            // Its own codes are E402 and OK.
            _ if asked => Self::UpstreamTiming,
            Some("OK") => Self::UpstreamTiming,
            Some("E403") => Self::Paid,
            Some("E817") => Self::ErrorBill,
            _ => Self::Nothing,
        }
    }
}

fn wrong(api: Api, stand: Stand, said: Said) -> Option<&'static str> {
    match said {
        Said::UpstreamTiming if stand.error_bill == Certainty::Yes => {
            Some("asked, although an error bill")
        }
        Said::UpstreamTiming if api == Api::Prepay && stand.paid == Certainty::Yes => {
            Some("asked, although paid")
        }
        Said::Paid if api == Api::Notice => Some("E403 to a notice"),
        Said::Paid if stand.error_bill == Certainty::Yes => Some("E403, although an error bill"),
        Said::Paid if stand.paid == Certainty::No => Some("E403, although nothing is paid"),
        Said::ErrorBill if stand.error_bill == Certainty::No => {
            Some("E817, although never paid twice")
        }
        Said::Nothing | Said::UpstreamTiming | Said::Paid | Said::ErrorBill => None,
    }
}
