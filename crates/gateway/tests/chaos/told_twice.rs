//! No biller is told again what it has accepted.

use std::collections::BTreeMap;

use crate::calls::Api;
use crate::deed::Deed;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::knowledge::Knowledge;
use crate::party::Arrival;

/// Checks that once a caller was answered with the biller's acceptance, no copy of that pay-result
/// reaches the biller any more: never from the node that relayed it, and from the other node unless a
/// trouble kept it from knowing.
pub fn check(evidence: &Evidence, knowledge: &Knowledge<'_>) -> Finding {
    let mut finding = Finding::of("told twice");
    let arrivals: BTreeMap<&str, &Arrival> = evidence
        .arrivals(Api::PayResult)
        .map(|arrival| (arrival.request_id.as_str(), arrival))
        .collect();
    for copy in evidence
        .calls
        .iter()
        .filter(|call| call.api == Api::PayResult)
    {
        let echo = &copy.echo;
        let mut calls = knowledge.calls(echo).iter();
        if !calls.any(|call| call.is_ok() && call.ended < copy.begun) {
            continue;
        }
        let arrival = arrivals.get(copy.id.as_str());
        let until = arrival.map_or(copy.ended, |arrival| arrival.at);
        let has_to_know = knowledge.has_accepted(echo, Deed::of(copy).ending(until));
        match (has_to_know, arrival.is_some()) {
            (true, false) => finding.judged += 1,
            (true, true) => {
                finding.judged += 1;
                finding.violated(copy.bill, format!("{} told {echo} again", copy.id));
            }
            (false, false) => finding.excused += 1,
            (false, true) => {
                finding.excused += 1;
                finding.happened(copy.bill, format!("{} told {echo} again", copy.id));
            }
        }
    }
    finding
}
