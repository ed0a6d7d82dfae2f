//! What a call tells of its party.

use std::time::Duration;

use super::{Answer, Fault};

/// What a call means to the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
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

impl Outcome {
    /// Any whole answer is a success, whatever its status or body, and so is one that is too large:
    /// the party is alive.
    pub fn of(result: &Result<Answer, Fault>, time: PartyTime) -> Self {
        match (result, time) {
            (Ok(_) | Err(Fault::TooLarge { .. }), _) => Self::Success,
            (Err(Fault::TimedOut { .. }), PartyTime::Short) => Self::Neutral,
            (Err(_), _) => Self::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_http::StatusCode;
    use bytes::Bytes;

    use super::*;
    use crate::upstream::{Sent, Step, Unreached};

    #[test]
    fn what_a_result_tells_of_its_party() {
        use Outcome::{Failure, Neutral, Success};
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
        let unreached = Unreached {
            step: Step::Connect,
            detail: String::new(),
        };
        for (result, time, outcome) in [
            (answer(StatusCode::OK), Fair, Success),
            (answer(StatusCode::INTERNAL_SERVER_ERROR), Short, Success),
            (Err(Fault::TooLarge { status }), Fair, Success),
            (Err(Fault::TimedOut { sent }), Fair, Failure),
            (Err(Fault::TimedOut { sent }), Short, Neutral),
            (Err(Fault::NotReached(unreached)), Short, Failure),
            (Err(Fault::Closed { sent }), Short, Failure),
            (Err(Fault::CutShort { status }), Short, Failure),
            (Err(Fault::Unreadable), Short, Failure),
        ] {
            assert_eq!(Outcome::of(&result, time), outcome, "{result:?} {time:?}");
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
