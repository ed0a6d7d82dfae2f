//! The data of a finished call's spans, before formatting.

use std::time::{Duration, SystemTime};

use actix_web::http::header::HeaderValue;
use metrics::{ResCodeLabel, StageTimes};
use protocol::{Api, BillerCode};

use crate::logging::Outcome;
use crate::request_id::TraceParent;

/// Start and duration of a call's upstream call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamTiming {
    /// The time from the request's head to the start of the upstream call.
    pub offset: Duration,
    /// The time until the answer was complete or failed, or until now if the upstream call is in flight.
    pub duration: Duration,
}

/// A call's spans: one of the call and, if the upstream was called, one of the upstream call.
///
/// The size is fixed except for the shared request id of at most 128 characters. `Authorization`, bodies and user keys
/// are never part of it.
#[derive(Clone, Debug)]
pub struct CallSpans {
    /// The trace, the caller's span, and the span that was sent to the upstream.
    pub trace: TraceParent,
    /// `X-Request-Id`.
    pub request_id: HeaderValue,
    /// `None` for an unknown route.
    pub api: Option<Api>,
    /// `None` unless the call names a registered biller.
    pub biller: Option<BillerCode>,
    /// The answer's code.
    pub res_code: ResCodeLabel,
    /// The answer's HTTP status.
    pub status: u16,
    /// The call's outcome.
    pub outcome: Outcome,
    /// When the answer was ready.
    pub ended_at: SystemTime,
    /// The time from the request's head to the answer.
    pub total: Duration,
    /// The total time by stage.
    pub stages: StageTimes,
    /// The upstream call; `None` if the upstream was not called.
    pub upstream: Option<UpstreamTiming>,
}

impl CallSpans {
    /// The most spans of a call.
    pub(super) const MAX_COUNT: usize = 2;

    /// Returns the number of spans.
    pub(super) fn count(&self) -> u64 {
        1 + u64::from(self.upstream.is_some())
    }

    /// Returns when the request's head was read.
    pub(super) fn started_at(&self) -> SystemTime {
        self.ended_at
            .checked_sub(self.total)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
