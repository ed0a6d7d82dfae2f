//! A call's request to its upstream: endpoint, circuit, repetition, and the check of the answer.

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use metrics::{HandshakeReason, Stage};
use protocol::{Api, NotAnObject, answer_res_code};
use tokio::time::Instant;

use super::Call;
use crate::admission::Admitted;
use crate::registry::RegisteredBiller;
use crate::reply::{CheckedAnswer, Problem};
use crate::upstream::{
    Answer, ApiEndpoint, BudgetShare, CircuitDecision, CircuitOutcome, CircuitPermit, CircuitState,
    Party, Repeat, Sent, UpstreamFault, UpstreamRequest,
};

/// A link API, which is relayed to Kakao Pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCall {
    /// 청구서 링크 생성.
    Create,
    /// 청구서 링크 재생성.
    Recreate,
}

/// An API that is relayed to a biller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillerCall {
    /// 청구서 조회.
    Notice,
    /// 납부 가능 조회.
    Prepay,
    /// 납부 결과 전달.
    PayResult,
}

/// An upstream call that brought no complete JSON answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamFailure {
    /// The problem that answers the caller.
    pub problem: Problem,
    /// Whether bytes of the request can have reached the upstream.
    pub sent: Sent,
}

impl UpstreamFailure {
    /// Returns a failure before any byte was sent.
    pub const fn never_sent(problem: Problem) -> Self {
        Self {
            problem,
            sent: Sent::NotSent,
        }
    }

    const fn maybe_sent(problem: Problem) -> Self {
        Self {
            problem,
            sent: Sent::MaybeSent,
        }
    }
}

impl From<UpstreamFailure> for Problem {
    fn from(upstream_failure: UpstreamFailure) -> Self {
        upstream_failure.problem
    }
}

impl Call {
    /// Calls the biller's `api` with `body`.
    ///
    /// # Errors
    /// [`UpstreamFailure`] if there is no complete JSON answer.
    pub async fn call_biller(
        &self,
        biller: &RegisteredBiller,
        api: BillerCall,
        body: &[u8],
    ) -> Result<CheckedAnswer, UpstreamFailure> {
        let (endpoint, api, policy) = match api {
            BillerCall::Notice => (
                &biller.endpoints.notice,
                Api::Notice,
                CallPolicy::MAY_REPEAT,
            ),
            BillerCall::Prepay => (
                &biller.endpoints.prepay,
                Api::Prepay,
                CallPolicy::MAY_REPEAT,
            ),
            BillerCall::PayResult => (
                &biller.endpoints.pay_result,
                Api::PayResult,
                CallPolicy::ALWAYS_ONCE,
            ),
        };
        // `Authorization` never goes to a biller.
        let request = self.request(endpoint, None, body);
        self.call_upstream(&biller.upstream.party, request, policy, (biller, api))
            .await
    }

    /// Calls Kakao Pay with the biller's `Authorization` and `body`.
    ///
    /// # Errors
    /// [`UpstreamFailure`] if there is no complete JSON answer.
    pub async fn call_kakao(
        &self,
        biller: &RegisteredBiller,
        link: LinkCall,
        admitted: &Admitted,
        body: &[u8],
    ) -> Result<CheckedAnswer, UpstreamFailure> {
        let (endpoint, api) = match link {
            LinkCall::Create => (&biller.endpoints.link_create, Api::LinkCreate),
            LinkCall::Recreate => (&biller.endpoints.link_recreate, Api::LinkRecreate),
        };
        let request = self.request(endpoint, admitted.authorization.as_ref(), body);
        let parties = self.worker.shared().parties();
        let kakao = &parties.kakao.upstream.party;
        self.call_upstream(kakao, request, CallPolicy::ONCE, (biller, api))
            .await
    }

    const fn request<'a>(
        &'a self,
        endpoint: &'a ApiEndpoint,
        authorization: Option<&'a HeaderValue>,
        body: &'a [u8],
    ) -> UpstreamRequest<'a> {
        UpstreamRequest {
            endpoint,
            request_id: &self.request_id,
            traceparent: &self.trace,
            authorization,
            body,
        }
    }

    async fn call_upstream(
        &self,
        party: &Arc<Party>,
        request: UpstreamRequest<'_>,
        policy: CallPolicy,
        (biller, api): (&RegisteredBiller, Api),
    ) -> Result<CheckedAnswer, UpstreamFailure> {
        let begin = Instant::now();
        let permit = self.admit_by_circuit(party, policy, begin)?;
        self.stopwatch.enter(Stage::Upstream, begin);
        self.upstream_called_at.set(Some(begin));
        let left = self.deadline.saturating_duration_since(begin);
        let share = BudgetShare::of(left, self.worker.shared().budget);
        let clients = self.worker.clients();
        let report = clients
            .call(party, request, self.deadline, policy.repeat)
            .await;
        let end = report.ended_at;
        self.stopwatch.split_off(
            Stage::Connect,
            report.connect_duration.unwrap_or_default(),
            end,
        );
        self.stopwatch.enter(Stage::Reply, end);
        self.upstream.set(Some(report.duration));
        biller.series.upstream_answered(api, report.duration);
        let outcome = CircuitOutcome::of(&report.result, share);
        self.show_circuit(party, permit.record(outcome, end.into_std()));
        report
            .result
            .map_err(|fault| self.upstream_failure(party, &fault))
            .and_then(|answer| self.check(party, answer))
    }

    fn admit_by_circuit(
        &self,
        party: &Party,
        policy: CallPolicy,
        now: Instant,
    ) -> Result<CircuitPermit, UpstreamFailure> {
        if policy.circuit == CircuitRule::AlwaysTried {
            return Ok(party.circuit().admit_always());
        }
        match party.circuit().admit(now.into_std()) {
            CircuitDecision::Closed(permit) => Ok(permit),
            CircuitDecision::Probe(permit) => {
                self.show_circuit(party, Some(CircuitState::HalfOpen));
                Ok(permit)
            }
            CircuitDecision::Open { retry_after } => {
                Err(UpstreamFailure::never_sent(Problem::CircuitOpen {
                    retry_after,
                }))
            }
        }
    }

    fn show_circuit(&self, party: &Party, changed: Option<CircuitState>) {
        let Some(state) = changed else {
            return;
        };
        self.metrics()
            .set_circuit_state(party.label(), state.gauge());
        match state {
            CircuitState::Open => tracing::error!(upstream = party.label(), "circuit open"),
            CircuitState::HalfOpen => tracing::warn!(upstream = party.label(), "circuit half-open"),
            CircuitState::Closed => tracing::info!(upstream = party.label(), "circuit closed"),
        }
    }

    /// Reads the answer's `res_code`. An empty body, or one that is no JSON object, is a failure.
    fn check(&self, party: &Party, answer: Answer) -> Result<CheckedAnswer, UpstreamFailure> {
        let status = answer.status;
        let (problem, reason) = match answer_res_code(&answer.body) {
            Ok(res_code) => return Ok(CheckedAnswer { answer, res_code }),
            Err(_) if answer.body.is_empty() => (Problem::EmptyAnswer { status }, "it is empty"),
            Err(NotAnObject(reason)) => (Problem::BadAnswer { status }, reason),
        };
        tracing::warn!(
            request_id = self.request_id(),
            upstream = party.label(),
            status = status.as_u16(),
            reason,
            "the upstream's answer is no JSON object"
        );
        Err(UpstreamFailure::maybe_sent(problem))
    }

    fn upstream_failure(&self, party: &Party, fault: &UpstreamFault) -> UpstreamFailure {
        tracing::warn!(
            request_id = self.request_id(), upstream = party.label(), %fault,
            "no complete answer from the upstream"
        );
        if matches!(fault, UpstreamFault::RefusedByTls { .. }) {
            // The handshake itself was counted as a good one.
            self.metrics()
                .outbound_handshakes()
                .count(HandshakeReason::Alert);
        }
        let problem = match fault {
            UpstreamFault::TimedOut { .. } => Problem::TimedOut,
            UpstreamFault::TooLarge { status } => Problem::BadAnswer { status: *status },
            UpstreamFault::NotReached(_)
            | UpstreamFault::Closed { .. }
            | UpstreamFault::RefusedByTls { .. }
            | UpstreamFault::CutShort { .. }
            | UpstreamFault::Malformed(_) => Problem::NoAnswer,
        };
        UpstreamFailure {
            problem,
            sent: fault.sent(),
        }
    }
}

/// Whether a request may be sent twice, and whether an open circuit stops it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CallPolicy {
    repeat: Repeat,
    circuit: CircuitRule,
}

impl CallPolicy {
    /// `notice` and `prepay`.
    const MAY_REPEAT: Self = Self {
        repeat: Repeat::Safe,
        circuit: CircuitRule::Respected,
    };
    /// The link APIs.
    const ONCE: Self = Self {
        repeat: Repeat::Never,
        circuit: CircuitRule::Respected,
    };
    /// `pay_result`: money moved, so an open circuit does not stop it, and its success closes the circuit.
    const ALWAYS_ONCE: Self = Self {
        repeat: Repeat::Never,
        circuit: CircuitRule::AlwaysTried,
    };
}

/// Whether an open circuit stops a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CircuitRule {
    Respected,
    AlwaysTried,
}
