//! No biller is told again what it has accepted.

use std::collections::BTreeMap;

use crate::calls::{Api, Call};
use crate::clock::Moment;
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::party::Arrival;
use crate::trouble::{Stretch, took_the_whole_budget};

/// Checks that once a caller was answered with the biller's acceptance, no copy of that pay-result
/// reaches the biller any more: never from the node that relayed it, and from the other node unless a
/// trouble kept it from knowing.
pub fn check(evidence: &Evidence) -> Finding {
    let mut finding = Finding::of("told twice");
    let arrivals = evidence.arrivals(Api::PayResult);
    let arrivals: BTreeMap<&str, &Arrival> = arrivals
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
            let until = arrival.map_or(copy.ended, |arrival| arrival.at);
            if is_excused(evidence, &accepted, copy, until) {
                finding.excused += 1;
                finding.happened += u64::from(arrival.is_some());
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

fn is_excused(evidence: &Evidence, accepted: &[&Call], copy: &Call, until: Moment) -> bool {
    let deciding = Stretch {
        from: copy.begun,
        until,
    };
    let relayed = |call: &&&Call| call.answer().is_some_and(|answer| !answer.replayed);
    let mut relays = accepted.iter().filter(relayed);
    let is_own = relays.any(|call| call.node == copy.node && !is_late(call));
    if is_own {
        return false;
    }
    evidence.troubles.between_nodes_in(deciding) || accepted.iter().all(|call| is_late(call))
}

/// Its answer went out before the acceptance was settled.
fn is_late(call: &Call) -> bool {
    took_the_whole_budget(call.stretch())
}
