//! No biller is told again what it has accepted.

use std::collections::BTreeMap;

use crate::calls::Api;
use crate::deed::Deed;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::knowledge::Knowledge;
use crate::party::IncomingRequest;

/// Checks that once a caller was answered with the biller's acceptance, no copy of that pay-result
/// reaches the biller any more: never from the node that relayed it, and from the other node unless a
/// trouble kept it from knowing.
pub fn check(evidence: &Evidence, knowledge: &Knowledge<'_>) -> Finding {
    let mut finding = Finding::of("told twice");
    let arrivals: BTreeMap<&str, &IncomingRequest> = evidence
        .arrivals(Api::PayResult)
        .map(|incoming| (incoming.request_id.as_str(), incoming))
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
        let incoming = arrivals.get(copy.id.as_str());
        let until = incoming.map_or(copy.ended, |incoming| incoming.at);
        let has_to_know = knowledge.has_accepted(echo, Deed::of(copy).ending(until));
        match (has_to_know, incoming.is_some()) {
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
