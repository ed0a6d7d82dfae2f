//! What the callers sent and got: the callers' log.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};

use crate::bill::Bill;
use crate::clock::{Clock, LOOK_EVERY, Moment, until};

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

    /// Where the gateway is called.
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

    /// Where the gateway calls a party, without the biller that the link APIs have at the end.
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

/// What a caller got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CircuitOutcome {
    /// The connection could not be made: nobody heard of the call.
    NotSent,
    /// The connection broke: nobody knows.
    Silence,
    Answered(Answer),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub res_code: String,
    pub message: String,
    pub request_id: String,
    /// It is a kept answer.
    pub replayed: bool,
}

impl Answer {
    /// The party's `OK` in 2xx.
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
    /// What its body carries: the call's id, or for a pay-result the name of its event.
    pub echo: String,
    pub node: usize,
    pub begun: Moment,
    pub ended: Moment,
    pub outcome: CircuitOutcome,
}

impl Call {
    pub const fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            CircuitOutcome::Answered(answer) => Some(answer),
            CircuitOutcome::NotSent | CircuitOutcome::Silence => None,
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
    named: u64,
}

impl CallLog {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            ended: Condvar::new(),
        }
    }

    /// Makes a call, known as under way until it ends.
    pub fn during(&self, make: impl FnOnce(Moment) -> Call) -> CircuitOutcome {
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
        // A gateway that is down is tried often; it heard of none of these.
        if outcome != CircuitOutcome::NotSent {
            state.calls.push(call);
        }
        self.ended.notify_all();
        outcome
    }

    /// Waits until every call has ended that was under way at `moment`; meanwhile looks at something
    /// else now and then.
    pub fn await_end_of_all_begun_before(&self, moment: Moment, mut look: impl FnMut()) {
        let under_way = |state: &mut State| state.under_way.values().any(|begun| *begun < moment);
        until("every call ends", || {
            let state = self.state.lock().unwrap();
            let waited = self.ended.wait_timeout_while(state, LOOK_EVERY, under_way);
            let goes_on = waited.unwrap().1.timed_out();
            if goes_on {
                look();
            }
            !goes_on
        });
    }

    /// A name for a call that no bill's plan knows of.
    pub fn next_id(&self) -> String {
        let mut state = self.state.lock().unwrap();
        state.named += 1;
        format!("canary.{}", state.named)
    }

    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }
}
