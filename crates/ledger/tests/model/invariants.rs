//! What must hold in every state.
//!
//! (a) A payment that a biller was told is in a journal, from before it was told. Once all nodes
//!     are up, Redis is in reach and everything has caught up, both nodes know of every payment in
//!     any journal, and say paid if and only if the sum is above zero.
//! (b) A pay-result of which a node's journal has the biller's answer is never told again by that
//!     node. Once caught up, Redis has the answer, so that no node that reaches it tells it again.
//! (c) A payment is visible on its own node from the fold on, before the journal has it. On every
//!     node that reaches Redis it is visible from the swap of its share step on, which comes before
//!     its biller is told (or from the catch-up's, where Redis was out of reach), until a wipe; and
//!     again once its node has caught up. A node says paid if and only if the sum of the events
//!     that are visible to it is above zero.
//! (d) Two creations of one bill never both go on to Kakao Pay; see `Model::check_alone`.
//! (e) What was told has a delivery once caught up: `accepted`, or `unknown` where it was cut off.

use std::collections::BTreeMap;

use protocol::PayType;

use crate::call::Phase;
use crate::note::{Message, What};
use crate::state::{CatchUp, Place, State};
use crate::step::Model;
use crate::table::Known;

impl Model {
    /// The invariant that does not hold, in words.
    pub(crate) fn violation(&self, state: &State) -> Option<String> {
        if let Some(wrong) = state.seen.wrong {
            return Some(wrong.to_owned());
        }
        Self::forgotten(state)
            .or_else(|| (0..2).find_map(|place| self.misjudged(state, place)))
            .or_else(|| {
                let at_rest = Self::is_at_rest(state);
                at_rest.then(|| (0..2).find_map(|place| self.not_caught_up(state, place)))?
            })
    }

    /// (a), at any time.
    fn forgotten(state: &State) -> Option<String> {
        let journalled = |message: Message| {
            let rows = state.nodes.iter().flat_map(|node| &node.journal.rows);
            rows.into_iter()
                .any(|note| note.what == What::Payment(message))
        };
        state
            .seen
            .told
            .iter()
            .find(|message| !journalled(*message))
            .map(|message| format!("(a) payment {message} was told and is in no journal"))
    }

    /// (c), at any time.
    fn misjudged(&self, state: &State, place: Place) -> Option<String> {
        let node = &state.nodes[place];
        if !node.up {
            return None;
        }
        let own = node.told().filter_map(|note| match note.what {
            What::Payment(message) => Some(message),
            _ => None,
        });
        let mut visible: Vec<Message> = own.collect();
        let view = if state.redis.up {
            visible.extend(state.seen.shared.iter());
            self.table.join(state.redis.family, node.memory)
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

    /// (a), (b) and (e), once everything has caught up.
    fn not_caught_up(&self, state: &State, place: Place) -> Option<String> {
        let now = self.now(state, place);
        let view = self
            .table
            .join(state.redis.family, state.nodes[place].memory);
        for note in state.nodes.iter().flat_map(|node| &node.journal.rows) {
            if let What::Payment(message) = note.what
                && !self.table.has(view, message, now)
            {
                return Some(format!(
                    "(a) node {place} never learns of payment {message}"
                ));
            }
        }
        for message in state.seen.told.iter() {
            if !self.table.is_delivery_known(view, message) {
                return Some(format!("(e) payment {message} has no delivery on {place}"));
            }
        }
        for answer in state.nodes[place].journal.answers.iter() {
            if !state.redis.answers.has(answer) {
                return Some(format!("(b) Redis never gets the answer to {answer}"));
            }
        }
        let doubled = self.scenario.doubles_are_told && self.payments_met(state, place, view);
        (doubled && !self.table.is_error_bill(view, now))
            .then(|| format!("two payments met, and node {place} knows of no error bill"))
    }

    /// All up, in reach, and nothing left to do.
    fn is_at_rest(state: &State) -> bool {
        let nodes = state.nodes.iter().all(|node| {
            node.up
                && node.queue.is_empty()
                && node.catch_up == CatchUp::Idle
                && node.shared_with == state.redis.identity
                && node.unshared().next().is_none()
        });
        let calls = state
            .calls
            .iter()
            .all(|call| matches!(call.phase, Phase::Coming | Phase::Done | Phase::Dead));
        nodes && calls && state.redis.up
    }

    /// The sum of the events that are visible, per `pay_id`, counted here once more and simply.
    fn sums(&self, state: &State, place: Place, view: Known) -> BTreeMap<i64, i64> {
        let now = self.now(state, place);
        let mut sums = BTreeMap::new();
        for message in self.scenario.messages() {
            if self.table.has(view, message, now) {
                let event = &self.table.events()[usize::from(message)];
                let amount = event.pay_amount.abs().units();
                *sums.entry(event.pay_id.units()).or_default() += match event.pay_type {
                    PayType::P => amount,
                    PayType::C => -amount,
                };
            }
        }
        sums
    }

    fn sum_is_above_zero(&self, state: &State, place: Place, view: Known) -> bool {
        self.sums(state, place, view).values().any(|sum| *sum > 0)
    }

    fn payments_met(&self, state: &State, place: Place, view: Known) -> bool {
        let sums = self.sums(state, place, view);
        sums.values().filter(|sum| **sum > 0).count() > 1
    }
}
