//! `Share::swap`: one compare-and-swap.

use super::Model;
use crate::broken::Broken;
use crate::call::Phase;
use crate::journal::Rows;
use crate::note::{Message, Note, What};
use crate::state::{Entry, Node, Place, Read, State};
use crate::table::StateNumber;

/// The result of a swap.
pub(crate) enum Swap {
    Done,
    Conflict,
}

impl Model {
    /// `Share::join`: the merge of a node's state and the remote state; its conflicts are reported.
    pub(super) fn joined(&self, node: &mut Node, read: Read) -> StateNumber {
        if self.broken == Some(Broken::ShareWithoutJoining) {
            return node.memory;
        }
        if self.broken != Some(Broken::LeaveConflictsUnreported)
            && let Some(stamp) = self.table.conflict(read.bill_group, node.memory)
        {
            let classification = Note {
                stamp,
                what: What::Classified,
            };
            let entry = Entry {
                notes: vec![classification],
                answer: None,
                waits: None,
            };
            self.tell(node, entry);
        }
        self.table.join(read.bill_group, node.memory)
    }

    /// `Share::swap`: of the bill group and of an accepted answer.
    pub(super) fn swap(
        &self,
        state: &mut State,
        (read, joined): (Read, StateNumber),
        answer: Option<Message>,
    ) -> Swap {
        if read.bill_group == Some(joined) && (answer.is_none() || read.answer) {
            // Nothing is sent.
            return Swap::Done;
        }
        let redis = &mut state.redis;
        let same_answer = answer.is_none_or(|answer| redis.answers.has(answer) == read.answer);
        let same = redis.bill_group == read.bill_group && same_answer;
        if !same && self.broken != Some(Broken::SwapWithoutComparing) {
            return Swap::Conflict;
        }
        redis.bill_group = Some(joined);
        if let Some(answer) = answer {
            redis.answers.insert(answer);
        }
        Swap::Done
    }

    /// `Marks::shared`, with the epoch in which Redis was read.
    pub(super) fn mark(&self, node: &mut Node, read: Read, first: i64, last: i64) {
        let epoch = if self.broken == Some(Broken::MarkAcrossRewinds) {
            node.marks.epoch()
        } else {
            read.epoch
        };
        node.marks.shared(epoch, Rows { first, last });
    }

    /// `HybridLogicalClock::observe`.
    pub(super) fn observe(&self, node: &mut Node, read: Read) {
        if self.broken != Some(Broken::StampWithoutObserving) {
            let latest = read
                .bill_group
                .map(|bill_state| self.table.latest(bill_state));
            node.clock = node.clock.max(latest.unwrap_or_default().time);
        }
    }

    /// For the invariants: records which facts of this node Redis has, those in `joined`. Without a write, a
    /// wipe may have followed the read.
    pub(super) fn has_shared(&self, state: &mut State, place: Place, joined: StateNumber) {
        if state.redis.bill_group != Some(joined) {
            return;
        }
        let node = &state.nodes[place];
        for call in &mut state.calls {
            let Some(attempt) = &mut call.attempt else {
                continue;
            };
            for note in node.facts().filter(|_| call.place == place) {
                let is_there = self.table.fold(joined, *note) == joined;
                if is_there && note.stamp == attempt.stamp {
                    attempt.wiped = false;
                }
                if is_there && note.what == What::Linked(attempt.stamp) {
                    attempt.outcome_shared = true;
                }
            }
        }
        for note in node.facts() {
            if let What::Payment(message) = note.what
                && self.table.fold(joined, *note) == joined
            {
                state.seen.shared.insert(message);
            }
        }
    }

    pub(super) fn swap_unanswered(&self, state: &mut State, number: u8) {
        if !state.calls[usize::from(number)].phase.is_swap() {
            self.advance_once(state, number);
        }
        let call = &state.calls[usize::from(number)];
        let node = &state.nodes[call.place];
        let (swap, answer) = match call.phase {
            Phase::Reserving { read, joined, .. } | Phase::Swapping { read, joined, .. } => {
                ((read, joined), None)
            }
            Phase::SettledSwapping { read, joined, .. } => {
                ((read, joined), call.accepted(node.accepted))
            }
            // A creation that was refused.
            _ => return,
        };
        let _ = self.swap(state, swap, answer);
        state.left.outages -= 1;
        state.redis.up = false;
        self.advance(state, number);
    }
}
