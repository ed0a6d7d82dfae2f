//! `Ledger::reserve` and the call to Kakao Pay.

use super::{Model, Swap};
use crate::broken::Broken;
use crate::call::{Attempt, Phase};
use crate::note::{Note, What};
use crate::state::{Entry, Read, State};
use crate::table::StateNumber;
use crate::{LinkState, Timestamp};

impl Model {
    pub(super) fn read_for_create(state: &mut State, number: u8) {
        if state.redis.up {
            let place = state.calls[usize::from(number)].place;
            let read = state.redis.read(None, state.nodes[place].marks.epoch());
            state.calls[usize::from(number)].phase = Phase::Deciding(Some(read));
        } else {
            Self::done(state, number);
        }
    }

    pub(super) fn decide_create(&self, state: &mut State, number: u8, read: Option<Read>) {
        // A create that did not reach Redis has been refused.
        let read = read.unwrap();
        let (place, now) = {
            let call = &state.calls[usize::from(number)];
            (call.place, call.now)
        };
        let node = &mut state.nodes[place];
        self.observe(node, read);
        let joined = if self.broken == Some(Broken::DecideWithoutLocalKnowledge) {
            self.table.join(read.bill_group, crate::table::NOTHING)
        } else {
            self.joined(node, read)
        };
        let may = self.table.may_create(joined, Timestamp::from_millis(now));
        let Ok(before) = may else {
            Self::done(state, number);
            return;
        };
        // A node has its own creations, also after a wipe.
        let knows_better = state.calls.iter().any(|call| {
            call.place == place
                && call.attempt.is_some_and(|attempt| {
                    let has_attempt = node.facts().any(|note| note.stamp == attempt.stamp);
                    has_attempt && attempt.keeps_out(now)
                })
        });
        if knows_better {
            state.seen.wrong = Some("(d) a node created what it knew to be created");
        }
        let until = now + self.scenario.budget_millis();
        let what = What::Reserved {
            until: Timestamp::from_millis(until),
            after_unknown: before == LinkState::Unknown,
        };
        let reserved = Self::note(node, place, now, what);
        let joined = self.table.fold(joined, reserved);
        state.calls[usize::from(number)].phase = Phase::Reserving {
            read,
            joined,
            note: reserved,
        };
    }

    pub(super) fn reserve(
        &self,
        state: &mut State,
        number: u8,
        swap: (Read, StateNumber),
        note: Note,
    ) {
        if !state.redis.up {
            Self::done(state, number);
            return;
        }
        match self.swap(state, swap, None) {
            Swap::Conflict => {
                let read = state.redis.read(None, swap.0.epoch);
                state.calls[usize::from(number)].phase = Phase::Deciding(Some(read));
            }
            Swap::Done => {
                Self::check_alone(state, number);
                let call = &mut state.calls[usize::from(number)];
                let What::Reserved {
                    until,
                    after_unknown,
                } = note.what
                else {
                    unreachable!("{note:?}");
                };
                call.phase = Phase::Reserved(note);
                // Whatever comes of it, the first attempt stays unknown.
                state.seen.not_refused |= after_unknown;
                call.attempt = Some(Attempt {
                    stamp: note.stamp,
                    after_unknown,
                    until: until.millis(),
                    wiped: false,
                    outcome: None,
                    outcome_shared: false,
                });
            }
        }
    }

    pub(super) fn reserved(&self, state: &mut State, number: u8, note: Note) {
        let place = state.calls[usize::from(number)].place;
        let entry = Entry {
            notes: vec![note],
            answer: None,
            waits: Some(number),
        };
        self.tell(&mut state.nodes[place], entry);
        state.calls[usize::from(number)].phase = Phase::Committing(None);
    }

    /// Nothing is sent once the budget is over.
    pub(super) fn call_kakao(&self, state: &mut State, number: u8) {
        if self.is_over(state, number) {
            state.seen.not_refused = true;
            Self::done(state, number);
        } else {
            state.calls[usize::from(number)].phase = Phase::Sent;
        }
    }

    /// Invariant (d): two creations never both reach Kakao Pay, unless the outcome of the first
    /// is unknown, or a wipe took it out of Redis and its node has not written it again.
    fn check_alone(state: &mut State, number: u8) {
        let now = state.calls[usize::from(number)].now;
        let has_conflict = (0_u8..).zip(&state.calls).any(|(other, call)| {
            let stands = |attempt: Attempt| attempt.keeps_out(now) && !attempt.wiped;
            other != number && call.attempt.is_some_and(stands)
        });
        if has_conflict {
            state.seen.wrong = Some("(d) two creations of one bill went on to Kakao Pay");
        }
    }
}
