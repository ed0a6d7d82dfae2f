//! Every node has the bytes of every pay-result, and the same facts.

use std::collections::BTreeSet;

use ledger::Fact;
use ledger::journal::Reader;

use crate::calls::Api;
use crate::checks::check_result::CheckResult;
use crate::checks::lost_payments::body_of;
use crate::node::Node;
use crate::records::Records;
use crate::testbed::Testbed;

/// Checks that the bytes of every pay-result that is on some node's disk are on that of every node. The time for which
/// they are kept is longer than any run.
pub fn check(records: &Records) -> CheckResult {
    let mut result = CheckResult::of("bytes lost");
    let journals = records.journals.each_ref().map(|events| {
        let bodies = events.iter().map(|event| event.body.as_str());
        bodies.collect::<BTreeSet<&str>>()
    });
    for (echo, calls) in records.calls_by_echo(Api::PayResult) {
        let body = body_of(records.seed, calls[0]);
        if !journals.iter().any(|bodies| bodies.contains(body.as_str())) {
            continue;
        }
        for (node, bodies) in journals.iter().enumerate() {
            result.checked += 1;
            if !bodies.contains(body.as_str()) {
                result.violation(calls[0].bill, format!("node {node} has no bytes of {echo}"));
            }
        }
    }
    result
}

/// Checks that all journals have the same facts.
pub fn check_facts(testbed: &Testbed) -> CheckResult {
    let mut result = CheckResult::of("facts that not every node has");
    let [first, others @ ..] = testbed.nodes.each_ref().map(facts);
    result.checked = first.len() as u64;
    for (node, other) in others.iter().enumerate() {
        let (one, other) = (
            Differences::of(&first, other),
            Differences::of(other, &first),
        );
        for fact in one.0 {
            result.violation(None, format!("node {} lacks {fact:?}", node + 1));
        }
        for fact in other.0 {
            result.violation(None, format!("node 0 lacks {fact:?}"));
        }
    }
    result
}

/// The facts of a journal in an order of their own, each once: a journal that was restored, or written anew by a former
/// version, is another author, of which the others have the same facts again.
fn facts(node: &Node) -> Vec<Fact> {
    let reader = Reader::read_only(&node.ledger()).unwrap();
    let facts = reader.facts_after(0, usize::MAX).unwrap();
    let facts = facts.into_iter().map(|(_, fact)| fact);
    let mut keyed: Vec<_> = facts
        .map(|fact| (fact.stamp, format!("{fact:?}"), fact))
        .collect();
    keyed.sort_unstable_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    keyed.dedup_by(|one, other| one.2 == other.2);
    keyed.into_iter().map(|(_, _, fact)| fact).collect()
}

/// The facts of one journal that another one lacks.
struct Differences<'a>(Vec<&'a Fact>);

impl<'a> Differences<'a> {
    fn of(one: &'a [Fact], other: &[Fact]) -> Self {
        let key = |fact: &Fact| (fact.stamp, format!("{fact:?}"));
        let lacks = |fact: &&Fact| {
            let wanted = key(fact);
            let found = other.partition_point(|known| key(known) < wanted);
            other.get(found) != Some(fact)
        };
        Self(one.iter().filter(lacks).collect())
    }
}
