//! What is counted of an answer.

use std::time::Duration;

use protocol::{Api, ResCode};

use crate::label::ResCodeLabel;
use crate::stages::StageTimes;

/// The status with which the gateway says that the budget was over.
const GATEWAY_TIMEOUT: u16 = 504;

/// What an answer of the public listener was like.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// `None` for an unknown route.
    pub api: Option<Api>,
    /// The answer's code, ours or the upstream's.
    pub res_code: ResCodeLabel,
    /// The answer's HTTP status.
    pub status: u16,
    /// From the request's head to the answer.
    pub total: Duration,
    /// The upstream's share of it; `None` where it was not called.
    pub upstream: Option<Duration>,
    /// The whole of it, by stage.
    pub stages: StageTimes,
}

impl Answered {
    /// Whether the gateway gave up at the end of the budget, where the clock may have been read a
    /// moment before it.
    pub(crate) fn is_timed_out(&self) -> bool {
        self.status == GATEWAY_TIMEOUT && self.res_code == ResCodeLabel::from(ResCode::E806)
    }
}
