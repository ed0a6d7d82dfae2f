//! The records of a run: the callers' log, the requests that the parties received, and the journals.

use std::collections::{BTreeMap, BTreeSet};

use crate::bill::Bill;
use crate::calls::{Api, Call};
use crate::clock::Moment;
use crate::faults::incident::Incidents;
use crate::journal::{Journal, JournalledEvent};
use crate::node::NODES;
use crate::party::IncomingRequest;
use crate::testbed::Testbed;

/// A request and the party that received it.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    pub party: &'static str,
    pub incoming: IncomingRequest,
}

#[derive(Debug)]
pub struct Records {
    pub seed: u64,
    pub incidents: Incidents,
    /// In the order in which they ended.
    pub calls: Vec<Call>,
    /// Party by party, in the order in which they came.
    pub received: Vec<ReceivedRequest>,
    /// The events of each node's journal, in its order.
    pub journals: [Vec<JournalledEvent>; NODES],
    /// The bills that a journal classifies as error bills.
    pub classified: BTreeSet<Bill>,
    journal_files: [Journal; NODES],
    by_id: BTreeMap<String, usize>,
}

impl Records {
    pub fn of(testbed: &Testbed, incidents: Incidents) -> Self {
        let journal_files = testbed
            .nodes
            .each_ref()
            .map(|node| Journal::open(&node.journal()));
        let classified = journal_files.iter().flat_map(Journal::classified);
        let received = testbed.parties().flat_map(|party| {
            let received = |incoming| ReceivedRequest {
                party: party.name(),
                incoming,
            };
            party.received().into_iter().map(received)
        });
        let calls = testbed.calls.take();
        Self {
            seed: testbed.seed,
            incidents,
            received: received.collect(),
            journals: journal_files.each_ref().map(Journal::events),
            classified: classified
                .filter_map(|key| Bill::of_user_key(&key))
                .collect(),
            journal_files,
            by_id: calls
                .iter()
                .enumerate()
                .map(|(index, call)| (call.id.clone(), index))
                .collect(),
            calls,
        }
    }

    /// Returns the call of a received request.
    pub fn call_of(&self, incoming: &IncomingRequest) -> Option<&Call> {
        self.by_id
            .get(&incoming.request_id)
            .map(|index| &self.calls[*index])
    }

    /// Returns the calls of an API by their echo.
    pub fn calls_by_echo(&self, api: Api) -> BTreeMap<&str, Vec<&Call>> {
        let mut calls: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.api == api) {
            calls.entry(&call.echo).or_default().push(call);
        }
        calls
    }

    /// Returns the requests of an API that the parties received.
    pub fn received(&self, api: Api) -> impl Iterator<Item = &IncomingRequest> {
        let received = self.received.iter().map(|received| &received.incoming);
        received.filter(move |incoming| incoming.api == Some(api))
    }

    /// Returns all records of a bill, in the order of time.
    pub fn timeline(&self, bill: Bill) -> String {
        let mut lines: Vec<(Moment, String)> = Vec::new();
        for call in self.calls.iter().filter(|call| call.bill == bill) {
            let what = format!("{} {} on node {}", call.id, call.api.name(), call.node);
            lines.push((call.begun, format!("{what}: sent ({})", call.echo)));
            lines.push((call.ended, format!("{what}: {:?}", call.outcome)));
        }
        for ReceivedRequest { party, incoming } in &self.received {
            if incoming.bill == Some(bill) {
                let (id, answered) = (&incoming.request_id, incoming.answered);
                let what = format!(
                    "{id} at {party}: {:?}, done at {answered:?}",
                    incoming.response
                );
                lines.push((incoming.at, what));
            }
        }
        let times = lines.iter().map(|line| line.0);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
            return "no records".to_owned();
        };
        for incident in self.incidents.all() {
            if incident.from <= last && first <= incident.until {
                let kind = incident.kind;
                lines.push((incident.from, format!("-- incident begins: {kind:?}")));
                lines.push((
                    incident.reconnected_at,
                    "-- all nodes reach Redis".to_owned(),
                ));
                lines.push((incident.until, format!("-- incident ends: {kind:?}")));
            }
        }
        lines.sort();
        let mut timeline: Vec<String> = lines
            .iter()
            .map(|(at, what)| format!("  {:9.3} {what}", at.as_secs_f64()))
            .collect();
        for (node, journal) in self.journal_files.iter().enumerate() {
            let facts = journal.facts_of(&bill.user_key());
            timeline.extend(facts.iter().map(|fact| format!("  journal {node}: {fact}")));
        }
        timeline.join("\n")
    }
}
