//! The callers' log: every request and its outcome.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};

use crate::bill::Bill;
use crate::clock::{Clock, Moment, POLL_INTERVAL, until};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    Create,
    Recreate,
    Notice,
    Prepay,
    PayResult,
}

impl Api {
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Recreate,
        Self::Notice,
        Self::Prepay,
        Self::PayResult,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "link_create",
            Self::Recreate => "link_recreate",
            Self::Notice => "notice",
            Self::Prepay => "prepay",
            Self::PayResult => "pay_result",
        }
    }

    /// Returns the path at the gateway.
    pub fn path(self, bill: Bill) -> String {
        let biller = bill.biller_code();
        match self {
            Self::Create => format!("/external/inquiry-payment/one-time/url/{biller}"),
            Self::Recreate => format!("/external/inquiry-payment/one-time/url/re/{biller}"),
            Self::Notice => format!("/kakao/notice/{biller}"),
            Self::Prepay => format!("/kakao/prepay/{biller}"),
            Self::PayResult => format!("/kakao/pay-result/{biller}"),
        }
    }

    /// Returns the path at the upstream, for the link APIs without the biller at its end.
    pub const fn upstream_path(self) -> &'static str {
        match self {
            Self::Create => "/external/inquiry-payment/one-time/url/",
            Self::Recreate => "/external/inquiry-payment/one-time/url/re/",
            Self::Notice => "/kakao/notice",
            Self::Prepay => "/kakao/prepay",
            Self::PayResult => "/kakao/pay-result",
        }
    }
}

/// How a call ended for its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The connection failed, so that the request was not sent.
    NotSent,
    /// The connection broke before the answer, so that the outcome is unknown.
    NoAnswer,
    Answered(Answer),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub res_code: String,
    pub message: String,
    pub request_id: String,
    /// Whether it is a kept answer.
    pub replayed: bool,
}

impl Answer {
    /// Returns whether it is the party's `OK` in a 2xx.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status) && self.res_code == "OK"
    }
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its `X-Request-Id`.
    pub id: String,
    pub api: Api,
    pub bill: Bill,
    /// The echo in its body: the call's id, or the name of a pay-result's event.
    pub echo: String,
    pub node: usize,
    pub begun: Moment,
    pub ended: Moment,
    pub outcome: CallOutcome,
}

impl Call {
    pub const fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            CallOutcome::Answered(answer) => Some(answer),
            CallOutcome::NotSent | CallOutcome::NoAnswer => None,
        }
    }

    pub fn is_ok(&self) -> bool {
        self.answer().is_some_and(Answer::is_ok)
    }
}

/// Every call of a run.
#[derive(Debug)]
pub struct CallLog {
    clock: Clock,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    under_way: BTreeMap<u64, Moment>,
    next: u64,
}

impl CallLog {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Makes a call and logs it; it counts as under way until it ends.
    pub fn during(&self, make: impl FnOnce(Moment) -> Call) -> CallOutcome {
        let begun = self.clock.now();
        let ticket = {
            let mut state = self.state.lock().unwrap();
            state.next += 1;
            let ticket = state.next;
            state.under_way.insert(ticket, begun);
            ticket
        };
        let call = make(begun);
        let outcome = call.outcome.clone();
        let mut state = self.state.lock().unwrap();
        state.under_way.remove(&ticket);
        // The many attempts to reach a gateway that is down have no effect.
        if outcome != CallOutcome::NotSent {
            state.calls.push(call);
        }
        self.ended.notify_all();
        outcome
    }

    /// Waits until every call that began before `moment` has ended; calls `observe` meanwhile at every
    /// poll.
    pub fn await_end_of_all_begun_before(&self, moment: Moment, mut observe: impl FnMut()) {
        let under_way = |state: &mut State| state.under_way.values().any(|begun| *begun < moment);
        until("every call ends", || {
            let state = self.state.lock().unwrap();
            let waited = self
                .ended
                .wait_timeout_while(state, POLL_INTERVAL, under_way);
            let is_waiting = waited.unwrap().1.timed_out();
            if is_waiting {
                observe();
            }
            !is_waiting
        });
    }

    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }
}
