//! What is known of one finished call, before it is text.

use std::time::{Duration, SystemTime};

use actix_web::http::header::HeaderValue;
use metrics::{ResCodeLabel, StageTimes};
use protocol::{Api, BillerCode};

use crate::logging::Outcome;
use crate::request_id::TraceParent;

/// When and for how long a call's upstream was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamTiming {
    /// Counted from when the request's head was read.
    pub after: Duration,
    /// Until the answer was whole or failed; up to now where it is still under way.
    pub took: Duration,
}

/// A call's spans: one of the call itself and, where the upstream was asked, one of that.
///
/// Of a fixed size but for the request id, which is at most 128 characters and shared. It has no room
/// for an `Authorization`, a body or a user key.
#[derive(Clone, Debug)]
pub struct CallSpans {
    /// The trace, the caller's span in it, and the span that the upstream was told of.
    pub trace: TraceParent,
    /// `X-Request-Id`.
    pub request_id: HeaderValue,
    /// `None` for an unknown route.
    pub api: Option<Api>,
    /// `None` where no registered biller is named.
    pub biller: Option<BillerCode>,
    /// The answer's code.
    pub res_code: ResCodeLabel,
    /// The answer's HTTP status.
    pub status: u16,
    /// How it went.
    pub outcome: Outcome,
    /// When the answer was ready.
    pub ended: SystemTime,
    /// From the request's head to the answer.
    pub total: Duration,
    /// The whole of it, by stage.
    pub stages: StageTimes,
    /// The upstream's part; `None` where it was not asked.
    pub upstream: Option<UpstreamTiming>,
}

impl CallSpans {
    /// No call has more spans than this.
    pub(super) const MOST: usize = 2;

    /// How many spans it has.
    pub(super) fn count(&self) -> u64 {
        1 + u64::from(self.upstream.is_some())
    }

    /// When the request's head was read.
    pub(super) fn began(&self) -> SystemTime {
        self.ended
            .checked_sub(self.total)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
