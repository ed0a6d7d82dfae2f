//! The invariants of every state.
//!
//! (a) A delivered payment was in a journal before its delivery. Once all nodes run, Redis is in reach and
//!     every resync has ended, every payment of any journal is visible on both nodes, and a bill is paid
//!     if and only if the sum is above zero.
//! (b) A node never delivers a pay-result again if its journal has the biller's answer. After the resync
//!     Redis has the answer, so that no node that reaches it delivers the pay-result again.
//! (c) A payment is visible on its own node from the fold on, before the journal has it. On every node
//!     that reaches Redis it is visible from the swap of its share step on, which precedes its delivery
//!     (or from the resync's swap, if Redis was out of reach), until a wipe; and again once its node has
//!     resynced. At a node a bill is paid if and only if the sum of its visible events is above zero.
//! (d) Two creations of one bill never both reach Kakao Pay; see `Model::check_alone`.
//! (e) After the resync, every delivery attempt has a delivery: `accepted`, or `unknown` if it was
//!     interrupted.
//! (f) After the resync, where every creation was refused, no link is registered once all budgets are over, also if
//!     nodes and Redis have forgotten the creations at different times.

use std::collections::BTreeMap;

use protocol::PayType;

use crate::call::Phase;
use crate::note::{Message, What};
use crate::state::{Place, Resync, State};
use crate::step::Model;
use crate::table::StateNumber;

impl Model {
    /// The violated invariant, in words.
    pub(crate) fn violation(&self, state: &State) -> Option<String> {
        if let Some(wrong) = state.seen.wrong {
            return Some(wrong.to_owned());
        }
        Self::unjournalled(state)
            .or_else(|| (0..2).find_map(|place| self.misjudged(state, place)))
            .or_else(|| {
                let at_rest = Self::is_at_rest(state);
                at_rest.then(|| (0..2).find_map(|place| self.not_resynced(state, place)))?
            })
    }

    /// (a), at any time.
    fn unjournalled(state: &State) -> Option<String> {
        let journalled = |message: Message| {
            let rows = state.nodes.iter().flat_map(|node| &node.journal.rows);
            rows.into_iter()
                .any(|note| note.what == What::Payment(message))
        };
        state
            .seen
            .delivered
            .iter()
            .find(|message| !journalled(*message))
            .map(|message| format!("(a) payment {message} was delivered and is in no journal"))
    }

    /// (c), at any time.
    fn misjudged(&self, state: &State, place: Place) -> Option<String> {
        let node = &state.nodes[place];
        if !node.up {
            return None;
        }
        let own = node.facts().filter_map(|note| match note.what {
            What::Payment(message) => Some(message),
            _ => None,
        });
        let mut visible: Vec<Message> = own.collect();
        let view = if state.redis.up {
            visible.extend(state.seen.shared.iter());
            self.table.join(state.redis.bill_group, node.memory)
        } else {
            node.memory
        };
        let now = self.now(state, place);
        if let Some(hidden) = visible
            .into_iter()
            .find(|message| !self.table.has(view, *message, now))
        {
            return Some(format!("(c) payment {hidden} is hidden from node {place}"));
        }
        (self.table.is_paid(view, now) != self.sum_is_above_zero(state, place, view))
            .then(|| format!("(c) node {place} misjudges whether the bill is paid"))
    }

    /// (a), (b) and (e), after the resync.
    fn not_resynced(&self, state: &State, place: Place) -> Option<String> {
        let now = self.now(state, place);
        let view = self
            .table
            .join(state.redis.bill_group, state.nodes[place].memory);
        for note in state.nodes.iter().flat_map(|node| &node.journal.rows) {
            if let What::Payment(message) = note.what
                && !self.table.has(view, message, now)
            {
                return Some(format!("(a) node {place} never gets payment {message}"));
            }
        }
        for message in state.seen.delivered.iter() {
            if !self.table.has_delivery(view, message) {
                return Some(format!("(e) payment {message} has no delivery on {place}"));
            }
        }
        for answer in state.nodes[place].journal.answers.iter() {
            if !state.redis.answers.has(answer) {
                return Some(format!("(b) Redis never gets the answer to {answer}"));
            }
        }
        let is_refused = self.scenario.forgets && !state.seen.not_refused;
        if is_refused && self.table.is_registered_in_the_end(view) {
            return Some(format!("(f) a refused link stays unknown to node {place}"));
        }
        let doubled =
            self.scenario.doubles_are_reported && self.payments_conflict(state, place, view);
        (doubled && !self.table.is_error_bill(view, now))
            .then(|| format!("two payments are in conflict, and node {place} has no error bill"))
    }

    /// Whether all nodes run, Redis is in reach, and nothing is left to do.
    fn is_at_rest(state: &State) -> bool {
        let nodes = state.nodes.iter().all(|node| {
            node.up
                && node.queue.is_empty()
                && node.resync == Resync::Idle
                && node.shared_with == state.redis.identity
                && node.unshared().next().is_none()
        });
        let calls = state
            .calls
            .iter()
            .all(|call| matches!(call.phase, Phase::Coming | Phase::Done | Phase::Dead));
        nodes && calls && state.redis.up
    }

    /// The sum of the visible events per `pay_id`, computed independently of the fold.
    fn sums(&self, state: &State, place: Place, view: StateNumber) -> BTreeMap<i128, i64> {
        let now = self.now(state, place);
        let mut sums = BTreeMap::new();
        for message in self.scenario.messages() {
            if self.table.has(view, message, now) {
                let event = &self.table.events()[usize::from(message)];
                let amount = event.pay_amount.abs().units();
                *sums.entry(event.pay_id.whole()).or_default() += match event.pay_type {
                    PayType::P => amount,
                    PayType::C => -amount,
                };
            }
        }
        sums
    }

    fn sum_is_above_zero(&self, state: &State, place: Place, view: StateNumber) -> bool {
        self.sums(state, place, view).values().any(|sum| *sum > 0)
    }

    fn payments_conflict(&self, state: &State, place: Place, view: StateNumber) -> bool {
        let sums = self.sums(state, place, view);
        sums.values().filter(|sum| **sum > 0).count() > 1
    }
}
