//! Everything that was written down, side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::bill::Bill;
use crate::calls::{Api, Call};
use crate::clock::Moment;
use crate::journal::{Journal, JournalledEvent};
use crate::party::IncomingRequest;
use crate::trouble::Troubles;
use crate::world::World;

/// A call as one of the parties saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub party: &'static str,
    pub incoming: IncomingRequest,
}

#[derive(Debug)]
pub struct Evidence {
    pub seed: u64,
    pub troubles: Troubles,
    /// In the order in which they ended.
    pub calls: Vec<Call>,
    /// Of each party, in the order in which they came.
    pub seen: Vec<Seen>,
    /// Of each node, in the order in which they were written down.
    pub journals: [Vec<JournalledEvent>; 2],
    /// Bills that a journal knows as error bills.
    pub classified: BTreeSet<Bill>,
    stories: [Journal; 2],
    by_id: BTreeMap<String, usize>,
}

impl Evidence {
    pub fn of(world: &World, troubles: Troubles) -> Self {
        let stories = world
            .nodes
            .each_ref()
            .map(|node| Journal::open(&node.journal()));
        let classified = stories.iter().flat_map(Journal::classified);
        let seen = world.parties().flat_map(|party| {
            let seen = |incoming| Seen {
                party: party.name(),
                incoming,
            };
            party.arrivals().into_iter().map(seen)
        });
        let calls = world.calls.take();
        Self {
            seed: world.seed,
            troubles,
            seen: seen.collect(),
            journals: stories.each_ref().map(Journal::events),
            classified: classified
                .filter_map(|key| Bill::of_user_key(&key))
                .collect(),
            stories,
            by_id: calls
                .iter()
                .enumerate()
                .map(|(index, call)| (call.id.clone(), index))
                .collect(),
            calls,
        }
    }

    /// The call that an arrival is of.
    pub fn call_of(&self, incoming: &IncomingRequest) -> Option<&Call> {
        self.by_id
            .get(&incoming.request_id)
            .map(|index| &self.calls[*index])
    }

    /// The calls of an API, by what they are echoed by.
    pub fn calls_by_echo(&self, api: Api) -> BTreeMap<&str, Vec<&Call>> {
        let mut calls: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.api == api) {
            calls.entry(&call.echo).or_default().push(call);
        }
        calls
    }

    /// What the parties saw of an API.
    pub fn arrivals(&self, api: Api) -> impl Iterator<Item = &IncomingRequest> {
        let arrivals = self.seen.iter().map(|seen| &seen.incoming);
        arrivals.filter(move |incoming| incoming.api == Some(api))
    }

    /// All that is known of a bill, in the order of time.
    pub fn story(&self, bill: Bill) -> String {
        let mut lines: Vec<(Moment, String)> = Vec::new();
        for call in self.calls.iter().filter(|call| call.bill == bill) {
            let what = format!("{} {} on node {}", call.id, call.api.name(), call.node);
            lines.push((call.begun, format!("{what}: sent ({})", call.echo)));
            lines.push((call.ended, format!("{what}: {:?}", call.outcome)));
        }
        for Seen { party, incoming } in &self.seen {
            if incoming.bill == Some(bill) {
                let (id, act, answered) = (&incoming.request_id, incoming.act, incoming.answered);
                let what = format!("{id} at {party}: {act:?}, done at {answered:?}");
                lines.push((incoming.at, what));
            }
        }
        let times = lines.iter().map(|line| line.0);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
            return "nothing is known".to_owned();
        };
        for trouble in self.troubles.all() {
            if trouble.from <= last && first <= trouble.until {
                let breach = trouble.breach;
                lines.push((trouble.from, format!("-- trouble begins: {breach:?}")));
                lines.push((trouble.in_touch, "-- both in touch".to_owned()));
                lines.push((trouble.until, format!("-- trouble is over: {breach:?}")));
            }
        }
        lines.sort();
        let mut story: Vec<String> = lines
            .iter()
            .map(|(at, what)| format!("  {:9.3} {what}", at.as_secs_f64()))
            .collect();
        for (node, journal) in self.stories.iter().enumerate() {
            let facts = journal.story(&bill.user_key());
            story.extend(facts.iter().map(|fact| format!("  journal {node}: {fact}")));
        }
        story.join("\n")
    }
}
