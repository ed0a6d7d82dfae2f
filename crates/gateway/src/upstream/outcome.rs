//! What a call tells of its party.

use std::time::Duration;

use super::{Answer, UpstreamFault};

/// What a call means to the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitOutcome {
    /// The party is alive.
    Success,
    /// The party failed.
    Failure,
    /// Says nothing about the party.
    Neutral,
}

/// How much of the budget was left for the party when it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartyTime {
    /// Nine tenths at least: a time-out is the party's.
    Fair,
    /// Less: the caller spent it, by a slow body for one. A time-out is nobody's, so that no
    /// caller can open somebody else's circuit, however slow the party happens to be.
    Short,
}

impl PartyTime {
    /// `left` of a budget of `total`.
    pub fn of(left: Duration, total: Duration) -> Self {
        if left >= total.saturating_sub(total / 10) {
            Self::Fair
        } else {
            Self::Short
        }
    }
}

impl CircuitOutcome {
    /// Any whole answer is a success, whatever its status or body, and so is one that is too large:
    /// the party is alive.
    pub fn of(result: &Result<Answer, UpstreamFault>, time: PartyTime) -> Self {
        match (result, time) {
            (Ok(_) | Err(UpstreamFault::TooLarge { .. }), _) => Self::Success,
            (Err(UpstreamFault::TimedOut { .. }), PartyTime::Short) => Self::Neutral,
            (Err(_), _) => Self::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_http::StatusCode;
    use bytes::Bytes;

    use super::*;
    use crate::upstream::{ConnectFailure, ConnectStep, Sent};

    #[test]
    fn what_a_result_tells_of_its_party() {
        use CircuitOutcome::{Failure, Neutral, Success};
        use PartyTime::{Fair, Short};
        let answer = |status| {
            Ok(Answer {
                status,
                content_type: None,
                retry_after: None,
                body: Bytes::new(),
            })
        };
        let status = StatusCode::OK;
        let sent = Sent::MaybeSent;
        let unreached = ConnectFailure {
            step: ConnectStep::Connect,
            detail: String::new(),
        };
        for (result, time, outcome) in [
            (answer(StatusCode::OK), Fair, Success),
            (answer(StatusCode::INTERNAL_SERVER_ERROR), Short, Success),
            (Err(UpstreamFault::TooLarge { status }), Fair, Success),
            (Err(UpstreamFault::TimedOut { sent }), Fair, Failure),
            (Err(UpstreamFault::TimedOut { sent }), Short, Neutral),
            (Err(UpstreamFault::NotReached(unreached)), Short, Failure),
            (Err(UpstreamFault::Closed { sent }), Short, Failure),
            (Err(UpstreamFault::CutShort { status }), Short, Failure),
            (Err(UpstreamFault::Unreadable), Short, Failure),
        ] {
            assert_eq!(
                CircuitOutcome::of(&result, time),
                outcome,
                "{result:?} {time:?}"
            );
        }
    }

    #[test]
    fn nearly_the_whole_budget_is_fair() {
        let budget = Duration::from_secs(3);
        assert_eq!(
            PartyTime::of(Duration::from_millis(2700), budget),
            PartyTime::Fair
        );
        assert_eq!(
            PartyTime::of(Duration::from_millis(2699), budget),
            PartyTime::Short
        );
    }
}
