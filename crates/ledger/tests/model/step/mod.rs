//! The steps: which can be taken, and what each does.

mod catch_up;
mod journal;
mod link_create;
mod pay_result;
mod settle;

use crate::broken::Broken;
use crate::call::{Kind, Outcome, Phase};
use crate::note::{Message, Note, What};
use crate::scenario::Scenario;
use crate::state::{CatchUp, Entry, Node, Place, Read, State};
use crate::table::{Known, Table};
use crate::{StampClock, Timestamp};

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A call comes in on a node.
    Arrive(u8, Place),
    /// A call takes its next step.
    Advance(u8),
    /// Redis takes a call's swap, and is out of reach before the answer is back.
    SwapUnanswered(u8),
    /// The party that a call asked has made this of it.
    Answer(u8, Outcome),
    /// A node's journal takes the oldest entry that waits.
    Commit(Place),
    /// The catch-up finds that Redis is another.
    Rewind(Place),
    /// The catch-up reads what Redis has of the next row's bill.
    CatchUpRead(Place),
    /// The catch-up's swap arrives.
    CatchUpSwap(Place),
    /// The cursor is written down.
    WriteCursor(Place),
    Crash(Place),
    /// A crash right after the cursor was written down; only in a coarse scenario.
    CrashBehindCursor(Place),
    Restart(Place),
    Wipe,
    OutOfReach,
    InReach,
    Tick,
}

/// What came of a swap.
pub(crate) enum Swap {
    Done,
    Conflict,
}

/// The system: production code, the scenario, and what is broken in it.
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

    /// Every step that can be taken.
    pub(crate) fn actions(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::with_capacity(16);
        self.call_actions(state, &mut actions);
        for place in 0..2 {
            if state.nodes[place].up {
                if !state.nodes[place].queue.is_empty() {
                    actions.push(Action::Commit(place));
                }
                self.catch_up_actions(state, place, &mut actions);
            }
        }
        self.fault_actions(state, &mut actions);
        actions
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
            Action::Rewind(place) => Self::rewind(state, place),
            Action::CatchUpRead(place) => {
                self.catch_up_read(state, place);
                while !self.scenario.fine && state.nodes[place].catch_up != CatchUp::Idle {
                    self.catch_up_swap(state, place);
                }
            }
            Action::CatchUpSwap(place) => self.catch_up_swap(state, place),
            Action::WriteCursor(place) => Self::write_cursor(state, place),
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

    fn call_actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, call) in (0_u8..).zip(&state.calls) {
            match call.phase {
                Phase::Coming => {
                    // Equal calls come in in their order: which of them is first says nothing.
                    let twin = state.calls[..usize::from(number)]
                        .iter()
                        .any(|other| other.kind == call.kind && other.phase == Phase::Coming);
                    // Where the nodes are alike, the first call names them.
                    let first = state.calls.iter().all(|call| call.phase == Phase::Coming)
                        && state.nodes[0] == state.nodes[1]
                        && self.scenario.behind == [0; 2];
                    let places = (0..if first { 1 } else { 2 })
                        .filter(|place| Self::may_arrive(state, number, *place));
                    if !twin {
                        actions.extend(places.map(|place| Action::Arrive(number, place)));
                    }
                }
                Phase::Committing(_)
                    if self.broken == Some(Broken::RelayBeforeTheCommit)
                        && matches!(call.kind, Kind::PayResult(_)) =>
                {
                    actions.push(Action::Advance(number));
                }
                Phase::Done | Phase::Dead | Phase::Committing(_) | Phase::Settling => {}
                Phase::Told => {
                    let outcomes: &[Outcome] = match call.kind {
                        _ if self.is_over(state, number) => &[Outcome::Unknown],
                        Kind::Create => &[Outcome::Ok, Outcome::Refused, Outcome::Unknown],
                        Kind::PayResult(_) => &[Outcome::Ok, Outcome::Unknown],
                    };
                    actions.extend(
                        outcomes
                            .iter()
                            .map(|outcome| Action::Answer(number, *outcome)),
                    );
                }
                phase => {
                    actions.push(Action::Advance(number));
                    let swaps = phase.is_swap() || !self.scenario.fine && phase.leads_to_swap();
                    if swaps && state.redis.up && state.left.outages > 0 {
                        actions.push(Action::SwapUnanswered(number));
                    }
                }
            }
        }
    }

    /// A copy of a pay-result that is under way on this node waits.
    fn may_arrive(state: &State, call: u8, place: Place) -> bool {
        let node = &state.nodes[place];
        let call = &state.calls[usize::from(call)];
        let waits = matches!(call.kind, Kind::PayResult(message) if node.under_way.has(message));
        node.up && !waits
    }

    /// `Book::claim`, or the beginning of `Ledger::reserve`.
    fn arrive(&self, state: &mut State, number: u8, place: Place) {
        let now = self.now(state, place).millis();
        let node = &mut state.nodes[place];
        let call = &mut state.calls[usize::from(number)];
        call.place = place;
        call.now = now;
        call.phase = Phase::Reading;
        if let Kind::PayResult(message) = call.kind {
            if node.journal.answers.has(message) {
                call.forbidden = Some("(b) a node told again what its journal has as accepted");
            }
            if node.accepted.has(message) {
                call.end(Phase::Done);
            } else {
                node.under_way.insert(message);
            }
        }
    }

    /// Takes a call's next step; in a coarse scenario, with those behind it that nothing durable and
    /// nothing shared lies between.
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
            (Phase::Committing(_), Kind::PayResult(message)) => {
                self.tell_biller(state, number, message);
            }
            (Phase::Committed { read, rows }, _) => {
                self.join_payment(state, number, read, rows);
            }
            (Phase::Swapping { read, joined, rows }, Kind::PayResult(message)) => {
                self.share_payment(state, (number, message), (read, joined), rows);
            }
            (Phase::Recorded, Kind::Create) => self.tell_kakao(state, number),
            (Phase::Recorded, Kind::PayResult(message)) => {
                self.tell_biller(state, number, message);
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

    /// What a node's clock says.
    pub(crate) fn now(&self, state: &State, place: Place) -> Timestamp {
        let ticks = i64::from(state.tick) - i64::from(self.scenario.behind[place]);
        Timestamp::from_millis(1_000 * (10 + ticks))
    }

    /// Whether the budget of a `link_create` is over.
    fn is_over(&self, state: &State, number: u8) -> bool {
        let call = &state.calls[usize::from(number)];
        let now = self.now(state, call.place).millis();
        call.attempt.is_some_and(|attempt| now >= attempt.until)
    }

    /// `Node::fact`.
    pub(crate) fn note(node: &mut Node, place: Place, now: i64, what: What) -> Note {
        let clock = StampClock::new(u32::try_from(place + 1).unwrap(), node.clock);
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

    /// What a node and Redis know together.
    fn joined(&self, node: &Node, read: Read) -> Known {
        if self.broken == Some(Broken::ShareWithoutJoining) {
            return node.memory;
        }
        self.table.join(read.family, node.memory)
    }

    /// `Share::swap`: of the family, and of an accepted answer.
    fn swap(
        &self,
        state: &mut State,
        (read, joined): (Read, Known),
        answer: Option<Message>,
    ) -> Swap {
        if read.family == Some(joined) && (answer.is_none() || read.answer) {
            // Nothing is sent.
            return Swap::Done;
        }
        let redis = &mut state.redis;
        let same_answer = answer.is_none_or(|answer| redis.answers.has(answer) == read.answer);
        let same = redis.family == read.family && same_answer;
        if !same && self.broken != Some(Broken::SwapWithoutComparing) {
            return Swap::Conflict;
        }
        redis.family = Some(joined);
        if let Some(answer) = answer {
            redis.answers.insert(answer);
        }
        Swap::Done
    }

    /// For the invariants: of what this node told, Redis has now what was in `joined`. Where there
    /// was nothing to write, a wipe may have come since it was read.
    fn has_shared(&self, state: &mut State, place: Place, joined: Known) {
        if state.redis.family != Some(joined) {
            return;
        }
        let node = &state.nodes[place];
        for call in &mut state.calls {
            let Some(attempt) = &mut call.attempt else {
                continue;
            };
            for note in node.told().filter(|_| call.place == place) {
                let is_there = self.table.fold(joined, *note) == joined;
                if is_there && note.stamp == attempt.stamp {
                    attempt.wiped = false;
                }
                if is_there && note.what == What::Linked(attempt.stamp) {
                    attempt.outcome_shared = true;
                }
            }
        }
        for note in node.told() {
            if let What::Payment(message) = note.what
                && self.table.fold(joined, *note) == joined
            {
                state.seen.shared.insert(message);
            }
        }
    }

    /// The call has its answer, or is given up.
    fn done(state: &mut State, number: u8) {
        let call = &mut state.calls[usize::from(number)];
        if let Kind::PayResult(message) = call.kind {
            state.nodes[call.place].under_way.remove(message);
        }
        call.end(Phase::Done);
    }

    fn swap_unanswered(&self, state: &mut State, number: u8) {
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
