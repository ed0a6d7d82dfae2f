//! What the result of a call means to the party's circuit.

use std::time::Duration;

use super::{Answer, UpstreamFault};

/// The outcome of a call for the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitOutcome {
    /// The party answered.
    Success,
    /// The party failed.
    Failure,
    /// The call does not show whether the party works.
    Neutral,
}

/// The share of the budget that was left for the party when it was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetShare {
    /// At least nine tenths: a time-out counts as the party's failure.
    Full,
    /// Less, because the client used it up, for example with a slow body. A time-out does not count as the party's
    /// failure, so that one client cannot open another party's circuit.
    Partial,
}

impl BudgetShare {
    /// Returns the share that `left` is of `total`.
    pub fn of(left: Duration, total: Duration) -> Self {
        if left >= total.saturating_sub(total / 10) {
            Self::Full
        } else {
            Self::Partial
        }
    }
}

impl CircuitOutcome {
    /// Returns the outcome of a result. A whole answer of any status and an answer that is too large are successes:
    /// the party works.
    pub fn of(result: &Result<Answer, UpstreamFault>, share: BudgetShare) -> Self {
        match (result, share) {
            (Ok(_) | Err(UpstreamFault::TooLarge { .. }), _) => Self::Success,
            (Err(UpstreamFault::TimedOut { .. }), BudgetShare::Partial) => Self::Neutral,
            (Err(_), _) => Self::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_http::StatusCode;
    use bytes::Bytes;

    use super::*;
    use crate::upstream::{ConnectFailure, ConnectStep, Malformed, Sent};

    #[test]
    fn every_result_has_its_outcome() {
        use BudgetShare::{Full, Partial};
        use CircuitOutcome::{Failure, Neutral, Success};
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
        let failure = ConnectFailure {
            step: ConnectStep::Connect,
            detail: String::new(),
        };
        for (result, share, outcome) in [
            (answer(StatusCode::OK), Full, Success),
            (answer(StatusCode::INTERNAL_SERVER_ERROR), Partial, Success),
            (Err(UpstreamFault::TooLarge { status }), Full, Success),
            (Err(UpstreamFault::TimedOut { sent }), Full, Failure),
            (Err(UpstreamFault::TimedOut { sent }), Partial, Neutral),
            (Err(UpstreamFault::NotReached(failure)), Partial, Failure),
            (Err(UpstreamFault::Closed { sent }), Partial, Failure),
            (Err(UpstreamFault::CutShort { status }), Partial, Failure),
            (
                Err(UpstreamFault::Malformed(Malformed::NotHttp)),
                Partial,
                Failure,
            ),
        ] {
            assert_eq!(
                CircuitOutcome::of(&result, share),
                outcome,
                "{result:?} {share:?}"
            );
        }
    }

    #[test]
    fn nine_tenths_of_the_budget_are_a_full_share() {
        let budget = Duration::from_secs(3);
        assert_eq!(
            BudgetShare::of(Duration::from_millis(2700), budget),
            BudgetShare::Full
        );
        assert_eq!(
            BudgetShare::of(Duration::from_millis(2699), budget),
            BudgetShare::Partial
        );
    }
}
