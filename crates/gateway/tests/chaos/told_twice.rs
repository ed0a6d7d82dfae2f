//! No biller is told again what it has accepted.

use std::collections::BTreeMap;

use crate::calls::{Api, Call};
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::party::Arrival;
use crate::trouble::Deed;

/// Checks that once a caller was answered with the biller's acceptance, no copy of that pay-result
/// reaches the biller any more: never from the node that relayed it, and from the other node unless a
/// trouble kept it from knowing.
pub fn check(evidence: &Evidence) -> Finding {
    let mut finding = Finding::of("told twice");
    let arrivals: BTreeMap<&str, &Arrival> = evidence
        .arrivals(Api::PayResult)
        .map(|arrival| (arrival.request_id.as_str(), arrival))
        .collect();
    for (echo, calls) in evidence.calls_by_echo(Api::PayResult) {
        for copy in &calls {
            let before = |call: &&&Call| call.is_ok() && call.ended < copy.begun;
            let accepted: Vec<&Call> = calls.iter().filter(before).copied().collect();
            if accepted.is_empty() {
                continue;
            }
            let arrival = arrivals.get(copy.id.as_str());
            let deed = Deed {
                until: arrival.map_or(copy.ended, |arrival| arrival.at),
                ..Deed::of(copy)
            };
            if !has_to_know(evidence, &accepted, deed) {
                finding.excused += 1;
                if arrival.is_some() {
                    finding.happened(copy.bill, format!("{} told {echo} again", copy.id));
                }
                continue;
            }
            finding.judged += 1;
            if arrival.is_some() {
                finding.violated(copy.bill, format!("{} told {echo} again", copy.id));
            }
        }
    }
    finding
}

/// Whether the node of a copy cannot but know of one of the acceptances. A kept answer was some
/// relay's, which may have been on either node, and that node may have died before it answered: then
/// it counts as the other's.
fn has_to_know(evidence: &Evidence, accepted: &[&Call], copy: Deed) -> bool {
    accepted
        .iter()
        .map(|call| (call, Deed::of(call)))
        .any(|(call, relay)| {
            let replayed = call.answer().is_some_and(|answer| answer.replayed);
            let relay = if replayed {
                Deed {
                    node: 1 - copy.node,
                    ..relay
                }
            } else {
                relay
            };
            !relay.took_the_whole_budget() && !evidence.troubles.hide_from_payment(relay, copy)
        })
}
