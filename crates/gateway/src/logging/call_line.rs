//! The log line of a call.

use std::time::Duration;

use metrics::ResCodeLabel;
use protocol::{Api, BillerCode, ResCode};

use super::reason::Reason;

/// The `tracing` target of calls' lines, for filters such as `info,call=warn`.
pub(super) const CALL: &str = "call";

/// Stands for an unknown API or an unregistered biller.
const UNKNOWN: &str = "unknown";

/// Defines [`Outcome`] by a table of variants and words.
macro_rules! outcomes {
    ($($(#[$what:meta])* $variant:ident $word:literal)+) => {
        /// The outcome of a call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Outcome {
            $($(#[$what])* $variant,)+
        }

        impl Outcome {
            /// Every outcome.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the word in the log.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

outcomes! {
    /// The upstream's answer was relayed, with any code.
    Relayed "relayed"
    /// A pay-result that the biller had accepted before got the kept answer.
    Replayed "replayed"
    /// A prepay of a paid bill was answered without calling the biller.
    ShortCircuit "short_circuit"
    /// The caller, its body, or the bill's state was refused.
    Refused "refused"
    /// There was no answer within the budget.
    Timeout "timeout"
    /// There was no complete answer from the upstream.
    NoAnswer "no_answer"
    /// The upstream's answer was no JSON object, or too large.
    BadAnswer "bad_answer"
    /// The call exceeded the biller's rate or its bound of calls in flight.
    Overload "overload"
    /// The upstream's circuit was open.
    Circuit "circuit"
    /// The gateway or its ledger failed.
    Error "error"
}

/// The log line of a call, with the keys of contract section 8.
#[derive(Clone, Copy, Debug)]
pub struct CallLine<'a> {
    /// `X-Request-Id`.
    pub request_id: &'a str,
    /// The 32 hex digits of the trace.
    pub trace_id: &'a str,
    /// `None` for an unknown route; written as `unknown`.
    pub api: Option<Api>,
    /// `None` unless the call names a registered biller; written as `unknown`, because an unknown caller's text is not
    /// logged.
    pub biller: Option<BillerCode>,
    /// The answer's code.
    pub res_code: ResCodeLabel,
    /// The answer's HTTP status.
    pub status: u16,
    /// The time from the request's head to the answer.
    pub total: Duration,
    /// The duration of the upstream call; `None` without one; written as `null`.
    pub upstream: Option<Duration>,
    /// The call's outcome.
    pub outcome: Outcome,
    /// Why the gateway answered itself; its keys are absent from the lines of other answers.
    pub reason: Option<Reason>,
}

impl CallLine<'_> {
    /// Writes the line.
    pub fn emit(&self) {
        // `tracing` needs the level at compile time.
        macro_rules! emit {
            ($level:ident) => {
                tracing::$level!(
                    target: CALL,
                    request_id = self.request_id,
                    trace_id = self.trace_id,
                    api = self.api.map_or(UNKNOWN, Api::label),
                    biller = self.biller.as_ref().map_or(UNKNOWN, BillerCode::as_str),
                    res_code = self.res_code.as_str(),
                    status = self.status,
                    total_ms = milliseconds(self.total),
                    upstream_ms = self.upstream.map_or(f64::NAN, milliseconds),
                    outcome = self.outcome.label(),
                    reason = self.reason.map(|reason| reason.token),
                    check = self.reason.and_then(|reason| reason.check),
                    member = self.reason.and_then(|reason| reason.member),
                    rule = self.reason.and_then(|reason| reason.rule),
                    source = self.reason.and_then(|reason| reason.source).map(tracing::field::display),
                )
            };
        }
        match self.level() {
            CallLevel::Info => emit!(info),
            CallLevel::Warn => emit!(warn),
            CallLevel::Error => emit!(error),
        }
    }

    fn level(&self) -> CallLevel {
        match self.outcome {
            Outcome::Refused if self.is_refused_pay_result() => CallLevel::Error,
            Outcome::Timeout
            | Outcome::NoAnswer
            | Outcome::BadAnswer
            | Outcome::Circuit
            | Outcome::Error => CallLevel::Warn,
            _ => CallLevel::Info,
        }
    }

    /// Returns whether a pay-result, which reports money that moved, was refused by checks 5 to 8 (contract section 2).
    /// Callers that earlier checks refuse cannot cause errors in the log.
    fn is_refused_pay_result(&self) -> bool {
        self.api == Some(Api::PayResult)
            && (self.status == 200 || self.res_code == ResCodeLabel::from(ResCode::E807))
    }
}

#[derive(Clone, Copy)]
enum CallLevel {
    Info,
    Warn,
    Error,
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
