//! The one line of a call.

use std::time::Duration;

use metrics::ResCodeLabel;
use protocol::{Api, BillerCode, ResCode};

/// The target of calls' lines, for filters: `info,call=warn`.
pub(super) const CALL: &str = "call";

/// Stands for an API or a biller that is none of the registered ones.
const UNKNOWN: &str = "unknown";

/// Makes [`Outcome`] from one table: variant, word.
macro_rules! outcomes {
    ($($(#[$what:meta])* $variant:ident $word:literal)+) => {
        /// How a call went.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Outcome {
            $($(#[$what])* $variant,)+
        }

        impl Outcome {
            /// Every outcome.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it in the log.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

outcomes! {
    /// The upstream's answer was relayed, whatever its code.
    Relayed "relayed"
    /// A pay-result that the biller accepted before got the kept answer again.
    Replayed "replayed"
    /// A prepay of a paid bill was answered without the biller.
    ShortCircuit "short_circuit"
    /// The caller, its body, or the bill's state was refused.
    Refused "refused"
    /// No answer within the budget.
    Timeout "timeout"
    /// No whole answer from the upstream.
    NoAnswer "no_answer"
    /// An answer that is no JSON object, or too large.
    BadAnswer "bad_answer"
    /// Beyond the biller's rate or its calls in flight.
    Overload "overload"
    /// The upstream's circuit was open.
    Circuit "circuit"
    /// The gateway's own fault.
    Error "error"
}

/// What the log says of a call, with the keys of contract section 8.
#[derive(Clone, Copy, Debug)]
pub struct CallLine<'a> {
    /// `X-Request-Id`.
    pub request_id: &'a str,
    /// The 32 hex digits of the trace.
    pub trace_id: &'a str,
    /// `None` for an unknown route: `unknown`.
    pub api: Option<Api>,
    /// `None` where no registered biller is named: `unknown`, for a stranger's text stays outside.
    pub biller: Option<BillerCode>,
    /// The answer's code.
    pub res_code: ResCodeLabel,
    /// The answer's HTTP status.
    pub status: u16,
    /// From the request's head to the answer.
    pub total: Duration,
    /// The upstream's share of it; `None` where it was not called: `null`.
    pub upstream: Option<Duration>,
    /// How it went.
    pub outcome: Outcome,
}

impl CallLine<'_> {
    /// Writes the line.
    pub fn emit(&self) {
        // The level of an event must be known when it is compiled.
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

    /// Whether money moved and the gateway refused to hear of it (contract section 2, checks 5 to
    /// 8). Strangers, who are refused before, get no errors into the log.
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

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
