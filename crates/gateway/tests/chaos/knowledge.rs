//! What a node cannot but know of the pay-results, and what it may know, when it does something.

use std::collections::{BTreeMap, BTreeSet};

use crate::calls::{Api, Call};
use crate::deed::Deed;
use crate::evidence::Evidence;

pub struct Knowledge<'a> {
    evidence: &'a Evidence,
    /// The pay-results, by their event's name.
    told: BTreeMap<&'a str, Vec<&'a Call>>,
    /// The calls that reached a biller.
    reached: BTreeSet<&'a str>,
}

impl<'a> Knowledge<'a> {
    pub fn of(evidence: &'a Evidence) -> Self {
        let arrivals = evidence.arrivals(Api::PayResult);
        Self {
            evidence,
            told: evidence.calls_by_echo(Api::PayResult),
            reached: arrivals
                .map(|incoming| incoming.request_id.as_str())
                .collect(),
        }
    }

    /// Every call that told an event.
    pub fn calls(&self, echo: &str) -> &[&'a Call] {
        self.told.get(echo).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the node knows the event for certain when `deed` begins.
    pub fn has(&self, echo: &str, deed: Deed) -> bool {
        let troubles = &self.evidence.troubles;
        let mut sources = self.sources(echo, deed);
        sources.any(|source| !troubles.hide(source, deed))
    }

    /// Whether it would, had there been no trouble.
    pub fn was_told(&self, echo: &str, deed: Deed) -> bool {
        self.sources(echo, deed).next().is_some()
    }

    /// Whether it may know the event before `deed` ends.
    pub fn may_have(&self, echo: &str, deed: Deed) -> bool {
        let mut calls = self.calls(echo).iter();
        calls.any(|call| call.begun <= deed.until)
    }

    /// Whether an event's being accepted by its biller must be known when `deed` begins.
    pub fn has_accepted(&self, echo: &str, deed: Deed) -> bool {
        let troubles = &self.evidence.troubles;
        let accepted = self.calls(echo).iter().filter(|call| call.is_ok());
        let mut accepted = accepted.filter(|call| call.ended < deed.from);
        accepted.any(|call| {
            let relay = self.relay(call, deed);
            if is_replayed(call) || relay.node != deed.node {
                // The settling is shared behind an answer that took the whole budget.
                let relay = relay.ending(relay.settled_by());
                relay.until < deed.from && !troubles.cut_off(Deed::of(call)) && {
                    !troubles.hide(relay, deed)
                }
            } else {
                !troubles.cut_off(relay)
            }
        })
    }

    /// What took the event down before `deed` began.
    fn sources(&self, echo: &str, deed: Deed) -> impl Iterator<Item = Deed> {
        let calls = self.calls(echo).iter();
        let before = calls.filter(move |call| call.ended < deed.from && self.took_down(call));
        before.map(move |call| self.relay(call, deed))
    }

    /// An answered pay-result was journalled and shared before its biller was told. Only where the
    /// budget was over before that, it may not have been.
    fn took_down(&self, call: &Call) -> bool {
        let in_time = !Deed::of(call).took_the_whole_budget();
        call.answer().is_some() && (in_time || self.reached.contains(call.id.as_str()))
    }

    /// A kept answer was some relay's, any time since the event was told first and on either node:
    /// then it counts as the other's, for a node takes nothing down where it only repeats.
    fn relay(&self, call: &Call, deed: Deed) -> Deed {
        let own = Deed::of(call);
        if !is_replayed(call) {
            return own;
        }
        let first = self.calls(&call.echo).iter().map(|call| call.begun).min();
        Deed {
            node: 1 - deed.node,
            from: first.unwrap_or(own.from),
            ..own
        }
    }
}

fn is_replayed(call: &Call) -> bool {
    call.answer().is_some_and(|answer| answer.replayed)
}
