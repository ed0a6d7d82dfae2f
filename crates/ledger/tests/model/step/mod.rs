//! The steps and their effects.

mod action;
mod forget;
mod journal;
mod link_create;
mod pay_result;
mod resync;
mod settle;
mod swap;

pub(crate) use action::Action;
use swap::Swap;

use crate::broken::Broken;
use crate::call::{Kind, Phase};
use crate::note::{Note, What};
use crate::scenario::Scenario;
use crate::state::{Entry, Node, Place, Resync, State};
use crate::table::Table;
use crate::{HybridLogicalClock, Timestamp};

/// The system: production code, the scenario and a deliberate fault.
pub(crate) struct Model {
    pub(crate) table: Table,
    pub(crate) scenario: Scenario,
    pub(crate) broken: Option<Broken>,
}

impl Model {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self {
            table: Table::new(scenario.events.clone()),
            scenario,
            broken: None,
        }
    }

    pub(crate) fn broken(scenario: Scenario, broken: Broken) -> Self {
        Self {
            broken: Some(broken),
            ..Self::new(scenario)
        }
    }

    pub(crate) fn apply(&self, state: &mut State, action: Action) {
        match action {
            Action::Arrive(call, place) => self.arrive(state, call, place),
            Action::Advance(call) => self.advance(state, call),
            Action::SwapUnanswered(call) => self.swap_unanswered(state, call),
            Action::Answer(call, outcome) => {
                state.calls[usize::from(call)].phase = Phase::Answered(outcome);
                self.advance_once(state, call);
            }
            Action::Commit(place) => Self::commit(state, place),
            Action::Rewind(place) => self.rewind(state, place),
            Action::ResyncRead(place) => {
                self.resync_read(state, place);
                while !self.scenario.fine && state.nodes[place].resync != Resync::Idle {
                    self.resync_swap(state, place);
                }
            }
            Action::ResyncSwap(place) => self.resync_swap(state, place),
            Action::WriteCursor(place) => Self::write_cursor(state, place),
            Action::ForgetRefused(place) => self.forget_refused(state, place),
            Action::Expire => self.expire(state),
            Action::Crash(place) => Self::crash(state, place),
            Action::CrashBehindCursor(place) => {
                Self::write_cursor(state, place);
                Self::crash(state, place);
            }
            Action::Restart(place) => self.restart(state, place),
            Action::Wipe => Self::wipe(state),
            Action::OutOfReach => {
                state.left.outages -= 1;
                state.redis.up = false;
            }
            Action::InReach => state.redis.up = true,
            Action::Tick => {
                state.left.ticks -= 1;
                state.tick += 1;
            }
        }
    }

    /// `Book::claim`, or the beginning of `Ledger::reserve`.
    fn arrive(&self, state: &mut State, number: u8, place: Place) {
        let now = match state.calls[usize::from(number)].kind {
            Kind::Create => self.shared_now(state, place).millis(),
            Kind::PayResult(_) => self.now(state, place).millis(),
        };
        let node = &mut state.nodes[place];
        let call = &mut state.calls[usize::from(number)];
        call.place = place;
        call.now = now;
        call.phase = Phase::Reading;
        if let Kind::PayResult(message) = call.kind {
            if node.journal.answers.has(message) {
                call.forbidden =
                    Some("(b) a node delivered again what its journal has as accepted");
            }
            if node.accepted.has(message) {
                call.end(Phase::Done);
            } else {
                node.under_way.insert(message);
            }
        }
    }

    /// Makes a call's next step; in a coarse scenario, also the following ones up to the next effect that is
    /// durable or shared.
    fn advance(&self, state: &mut State, number: u8) {
        self.advance_once(state, number);
        while !self.scenario.fine && state.calls[usize::from(number)].phase.is_in_between() {
            self.advance_once(state, number);
        }
    }

    fn advance_once(&self, state: &mut State, number: u8) {
        let call = &state.calls[usize::from(number)];
        match (call.phase, call.kind) {
            (Phase::Reading, Kind::Create) => Self::read_for_create(state, number),
            (Phase::Reading, Kind::PayResult(message)) => {
                Self::read_for_payment(state, number, message);
            }
            (Phase::Deciding(read), Kind::Create) => self.decide_create(state, number, read),
            (Phase::Deciding(read), Kind::PayResult(message)) => {
                self.decide_payment(state, number, message, read);
            }
            (Phase::Reserving { read, joined, note }, _) => {
                self.reserve(state, number, (read, joined), note);
            }
            (Phase::Reserved(note), _) => self.reserved(state, number, note),
            (Phase::Committed { read, rows }, _) => {
                self.join_payment(state, number, read, rows);
            }
            (Phase::Swapping { read, joined, rows }, Kind::PayResult(message)) => {
                self.share_payment(state, (number, message), (read, joined), rows);
            }
            (Phase::Recorded, Kind::Create) => self.call_kakao(state, number),
            // The second only with a deliberate fault.
            (Phase::Recorded | Phase::Committing(_), Kind::PayResult(message)) => {
                Self::deliver(state, number, message);
            }
            (Phase::Answered(outcome), Kind::Create) => {
                self.settle_link(state, number, outcome);
            }
            (Phase::Answered(outcome), Kind::PayResult(message)) => {
                self.settle_delivery(state, number, message, outcome);
            }
            (Phase::Settled { rows }, _) => self.read_to_settle(state, number, rows),
            (Phase::SettledSwapping { read, joined, rows }, _) => {
                self.share_settled(state, number, (read, joined), rows);
            }
            (phase, kind) => unreachable!("{phase:?} of {kind:?}"),
        }
    }

    /// The time of a node's clock.
    pub(crate) fn now(&self, state: &State, place: Place) -> Timestamp {
        let ticks = i64::from(state.tick) - i64::from(self.scenario.behind[place]);
        Timestamp::from_millis(1_000 * (10 + ticks))
    }

    /// `Share::by_shared_clock`: the time of Redis's clock at a node.
    fn shared_now(&self, state: &State, place: Place) -> Timestamp {
        let mut behind = i64::from(self.scenario.behind[place]);
        if self.broken == Some(Broken::JudgeByOwnClock) {
            behind = 0;
        }
        let now = self.now(state, place).millis();
        Timestamp::from_millis(now + 1_000 * behind)
    }

    /// Whether the budget of a `link_create` is over.
    fn is_over(&self, state: &State, number: u8) -> bool {
        let call = &state.calls[usize::from(number)];
        let now = self.shared_now(state, call.place).millis();
        call.attempt.is_some_and(|attempt| now >= attempt.until)
    }

    /// `Node::fact`.
    pub(crate) fn note(node: &mut Node, place: Place, now: i64, what: What) -> Note {
        let clock = HybridLogicalClock::new(u32::try_from(place + 1).unwrap(), node.clock);
        let stamp = clock.next(Timestamp::from_millis(now));
        node.clock = stamp.time;
        Note { stamp, what }
    }

    /// `Node::tell`: folded and queued in one step.
    pub(crate) fn tell(&self, node: &mut Node, entry: Entry) {
        for note in &entry.notes {
            node.memory = self.table.fold(node.memory, *note);
        }
        node.queue.push(entry);
    }

    /// The call has its answer or is abandoned.
    fn done(state: &mut State, number: u8) {
        let call = &mut state.calls[usize::from(number)];
        if let Kind::PayResult(message) = call.kind {
            state.nodes[call.place].under_way.remove(message);
        }
        call.end(Phase::Done);
    }
}
