//! Which pay-results are visible to a node at the time of an action.

use std::collections::{BTreeMap, BTreeSet};

use crate::calls::{Api, Call};
use crate::checks::action::Action;
use crate::node::NODES;
use crate::records::Records;

pub struct Visibility<'a> {
    records: &'a Records,
    /// The calls that reported each event, by the event's name.
    reports: BTreeMap<&'a str, Vec<&'a Call>>,
    /// The calls that reached a biller.
    reached: BTreeSet<&'a str>,
}

impl<'a> Visibility<'a> {
    pub fn of(records: &'a Records) -> Self {
        let received = records.received(Api::PayResult);
        Self {
            records,
            reports: records.calls_by_echo(Api::PayResult),
            reached: received
                .map(|incoming| incoming.request_id.as_str())
                .collect(),
        }
    }

    /// Returns every call that reported an event.
    pub fn calls(&self, echo: &str) -> &[&'a Call] {
        self.reports
            .get(echo)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Returns whether the event is certainly visible when `action` begins.
    pub fn is_visible(&self, echo: &str, action: Action) -> bool {
        let incidents = &self.records.incidents;
        let mut recordings = self.recordings(echo, action);
        recordings.any(|recording| !incidents.can_hide(recording, action))
    }

    /// Returns whether the event would be visible without any incident.
    pub fn is_visible_without_incidents(&self, echo: &str, action: Action) -> bool {
        self.recordings(echo, action).next().is_some()
    }

    /// Returns whether the event may be visible before `action` ends.
    pub fn may_be_visible(&self, echo: &str, action: Action) -> bool {
        let mut calls = self.calls(echo).iter();
        calls.any(|call| call.begun <= action.until)
    }

    /// Returns whether the biller's acceptance of the event is certainly visible when `action` begins.
    pub fn acceptance_is_visible(&self, echo: &str, action: Action) -> bool {
        let incidents = &self.records.incidents;
        let accepted = self.calls(echo).iter().filter(|call| call.is_ok());
        let mut accepted = accepted.filter(|call| call.ended < action.from);
        accepted.any(|call| {
            let relay = self.relay(call, action);
            if is_replayed(call) || relay.node != action.node || incidents.can_lose(relay, action) {
                // An answer that used the whole budget is sent before its settling is shared.
                let relay = relay.ending(relay.settled_by());
                relay.until < action.from
                    && !incidents.can_interrupt(Action::of(call))
                    && !incidents.can_hide(relay, action)
            } else {
                !incidents.can_interrupt(relay) && !incidents.can_hide(relay, action)
            }
        })
    }

    /// Returns the actions that journalled the event before `action` began.
    fn recordings(&self, echo: &str, action: Action) -> impl Iterator<Item = Action> {
        let calls = self.calls(echo).iter();
        let before = calls.filter(move |call| call.ended < action.from && self.is_journalled(call));
        before.map(move |call| self.relay(call, action))
    }

    /// An answered pay-result was journalled and shared before it was sent to its biller, unless the
    /// budget ended before that.
    fn is_journalled(&self, call: &Call) -> bool {
        let in_time = !Action::of(call).used_whole_budget();
        call.answer().is_some() && (in_time || self.reached.contains(call.id.as_str()))
    }

    /// Returns the action that relayed the call's event. A kept answer is of an earlier relay, on any
    /// node and any time since the first report. It counts as another node's, because a node journals
    /// nothing when it only replays.
    fn relay(&self, call: &Call, action: Action) -> Action {
        let own = Action::of(call);
        if !is_replayed(call) {
            return own;
        }
        let first = self.calls(&call.echo).iter().map(|call| call.begun).min();
        Action {
            node: (action.node + 1) % NODES,
            from: first.unwrap_or(own.from),
            ..own
        }
    }
}

pub fn is_replayed(call: &Call) -> bool {
    call.answer().is_some_and(|answer| answer.replayed)
}
