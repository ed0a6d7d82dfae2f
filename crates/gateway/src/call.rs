//! One call on its way through the relay: its names, its deadline, and where its time went.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::Uri;
use actix_web::http::header::{HeaderMap, HeaderValue};
use bytes::Bytes;
use ledger::{JournalError, Ledger, LinkRefusal, Timestamp};
use metrics::{LedgerOperation, Metrics};
use protocol::{Api, answer_res_code};
use tokio::time::{Instant, timeout_at};

use crate::flow::Admitted;
use crate::gateway::Worker;
use crate::registry::RegisteredBiller;
use crate::reply::{CheckedAnswer, Problem, Reply};
use crate::request_id::{TraceParent, request_id};
use crate::server::{Connection, InFlight};
use crate::upstream::{
    Admission, Answer, CircuitState, Fault, Outcome, Party, PartyTime, Permit, Repeat, Sent,
    UpstreamRequest,
};

/// The link APIs, relayed to Kakao Pay under the path they came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkCall {
    /// 청구서 링크 생성.
    Create,
    /// 청구서 링크 재생성.
    Recreate,
}

/// The APIs that are relayed to a biller, under the guide's bare paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToBiller {
    /// 청구서 조회.
    Notice,
    /// 납부 가능 조회.
    Prepay,
    /// 납부 결과 전달.
    PayResult,
}

/// An upstream call without a whole, readable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// What the caller is told.
    pub problem: Problem,
    /// Whether the upstream may have heard of the call.
    pub sent: Sent,
}

impl Unanswered {
    /// The upstream cannot have heard of it.
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

impl From<Unanswered> for Problem {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.problem
    }
}

/// One call. Lives on one worker, shared with the task that brings it to its end.
#[derive(Debug)]
pub struct Call {
    worker: Rc<Worker>,
    request_id: HeaderValue,
    trace: TraceParent,
    /// When the request's head was read: the budget runs from here.
    started: Instant,
    deadline: Instant,
    upstream: Cell<Option<Duration>>,
    /// A shutdown waits for the call's task even when the caller has hung up. A call of the
    /// gateway's own is waited for elsewhere.
    _under_way: Option<InFlight>,
}

impl Call {
    /// A call that came on `connection` and whose head was read at `started`.
    pub fn begin(
        worker: Rc<Worker>,
        connection: &Rc<Connection>,
        headers: &HeaderMap,
        started: Instant,
    ) -> Self {
        let deadline = started + worker.shared().budget;
        Self {
            request_id: request_id(headers),
            trace: TraceParent::of(headers),
            started,
            deadline,
            upstream: Cell::new(None),
            _under_way: Some(connection.enter()),
            worker,
        }
    }

    /// A call that the gateway makes by itself, beginning now, with names of its own.
    pub fn of_our_own(worker: Rc<Worker>) -> Self {
        let started = Instant::now();
        let nobody = HeaderMap::new();
        Self {
            request_id: request_id(&nobody),
            trace: TraceParent::of(&nobody),
            started,
            deadline: started + worker.shared().budget,
            upstream: Cell::new(None),
            _under_way: None,
            worker,
        }
    }

    /// The name that the caller, the upstream and the log know it by.
    pub fn request_id(&self) -> &str {
        // Only ASCII gets through `request_id`.
        self.request_id.to_str().unwrap_or_default()
    }

    /// The same, as a header's value.
    pub fn request_id_header(&self) -> HeaderValue {
        self.request_id.clone()
    }

    /// The 32 hex digits of its trace.
    pub fn trace_id(&self) -> &str {
        self.trace.trace_id()
    }

    /// When its budget is over.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// When its budget is over, by the wall clock.
    pub fn ends_at(&self) -> Timestamp {
        self.now()
            .plus(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// The wall clock.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// How long it has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the upstream took of that; `None` where it was not called.
    pub const fn upstream(&self) -> Option<Duration> {
        self.upstream.get()
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.worker.shared().ledger
    }

    /// The metrics.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.worker.shared().metrics
    }

    /// Waits for `work`, but not beyond the budget.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn within_budget<T>(&self, work: impl Future<Output = T>) -> Result<T, Problem> {
        timeout_at(self.deadline, work)
            .await
            .map_err(|_| Problem::TimedOut)
    }

    /// Runs `work` in a task of its own that ends even when the caller hangs up, and that a
    /// shutdown waits for.
    ///
    /// # Errors
    /// Those of `work`; [`Problem::Internal`] where it panicked.
    pub async fn to_its_end(
        &self,
        work: impl Future<Output = Result<Reply, Problem>> + 'static,
    ) -> Result<Reply, Problem> {
        actix_web::rt::spawn(work).await.unwrap_or_else(|error| {
            tracing::error!(request_id = self.request_id(), %error, "a call's task failed");
            Err(Problem::Internal)
        })
    }

    /// The problem that a refusal of the ledger is; one that is the ledger's own fault is counted.
    pub fn link_refused(&self, refusal: LinkRefusal, operation: LedgerOperation) -> Problem {
        if refusal == LinkRefusal::Unavailable {
            self.metrics().ledger_unavailable(operation);
        }
        Problem::Link(refusal)
    }

    /// Tells the log when something was settled in memory but not, or not yet, on disk.
    pub fn note_settled(
        &self,
        settled: Result<Result<(), Arc<JournalError>>, Problem>,
        what: &'static str,
    ) {
        match settled {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                self.metrics()
                    .ledger_unavailable(LedgerOperation::JournalCommit);
                tracing::error!(
                    request_id = self.request_id(), what, %error,
                    "settled in memory only: the journal cannot be written"
                );
            }
            Err(_) => tracing::warn!(
                request_id = self.request_id(),
                what,
                "answered before the journal had committed: the budget was over"
            ),
        }
    }

    /// Asks the biller.
    ///
    /// # Errors
    /// Where there is no whole, readable answer.
    pub async fn ask_biller(
        &self,
        biller: &RegisteredBiller,
        api: ToBiller,
        body: Bytes,
    ) -> Result<CheckedAnswer, Unanswered> {
        let (uri, api, asking) = match api {
            ToBiller::Notice => (&biller.uris.notice, Api::Notice, Asking::MAY_REPEAT),
            ToBiller::Prepay => (&biller.uris.prepay, Api::Prepay, Asking::MAY_REPEAT),
            ToBiller::PayResult => (&biller.uris.pay_result, Api::PayResult, Asking::ALWAYS_ONCE),
        };
        // `Authorization` never goes to a biller.
        let request = self.request(uri.clone(), None, body);
        self.ask(&biller.party, request, asking, (biller, api))
            .await
    }

    /// Asks Kakao Pay on a biller's behalf, with the biller's own `Authorization`.
    ///
    /// # Errors
    /// Where there is no whole, readable answer.
    pub async fn ask_kakao(
        &self,
        biller: &RegisteredBiller,
        link: LinkCall,
        admitted: &Admitted,
        body: Bytes,
    ) -> Result<CheckedAnswer, Unanswered> {
        let (uri, api) = match link {
            LinkCall::Create => (&biller.uris.link_create, Api::LinkCreate),
            LinkCall::Recreate => (&biller.uris.link_recreate, Api::LinkRecreate),
        };
        let request = self.request(uri.clone(), admitted.authorization.clone(), body);
        let kakao = &self.worker.shared().kakao().party;
        self.ask(kakao, request, Asking::ONCE, (biller, api)).await
    }

    fn request(
        &self,
        uri: Uri,
        authorization: Option<HeaderValue>,
        body: Bytes,
    ) -> UpstreamRequest {
        UpstreamRequest {
            uri,
            request_id: self.request_id.clone(),
            traceparent: self.trace.header().clone(),
            authorization,
            body,
        }
    }

    async fn ask(
        &self,
        party: &Arc<Party>,
        request: UpstreamRequest,
        asking: Asking,
        (biller, api): (&RegisteredBiller, Api),
    ) -> Result<CheckedAnswer, Unanswered> {
        let permit = self.pass_circuit(party, asking)?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let time = PartyTime::of(left, self.worker.shared().budget);
        let clients = self.worker.clients();
        let report = clients
            .call(party, request, self.deadline, asking.repeat)
            .await;
        self.upstream.set(Some(report.upstream));
        biller.series.upstream_answered(api, report.upstream);
        let outcome = Outcome::of(&report.result, time);
        self.show_circuit(party, permit.record(outcome, Instant::now().into_std()));
        report
            .result
            .map_err(|fault| self.unanswered(party, &fault))
            .and_then(check)
    }

    fn pass_circuit(&self, party: &Party, asking: Asking) -> Result<Permit, Unanswered> {
        if asking.circuit == CircuitRule::AlwaysTried {
            return Ok(party.circuit().admit_always());
        }
        match party.circuit().admit(Instant::now().into_std()) {
            Admission::Closed(permit) => Ok(permit),
            Admission::Probe(permit) => {
                self.show_circuit(party, Some(CircuitState::HalfOpen));
                Ok(permit)
            }
            Admission::Open { retry_after } => {
                Err(Unanswered::never_sent(Problem::CircuitOpen { retry_after }))
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

    fn unanswered(&self, party: &Party, fault: &Fault) -> Unanswered {
        tracing::warn!(
            request_id = self.request_id(), upstream = party.label(), %fault,
            "no whole answer from the upstream"
        );
        let problem = match fault {
            Fault::TimedOut { .. } => Problem::TimedOut,
            Fault::TooLarge { status } => Problem::BadAnswer { status: *status },
            Fault::NotReached(_)
            | Fault::Closed { .. }
            | Fault::CutShort { .. }
            | Fault::Unreadable => Problem::NoAnswer,
        };
        Unanswered {
            problem,
            sent: fault.sent(),
        }
    }
}

/// How an upstream is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asking {
    repeat: Repeat,
    circuit: CircuitRule,
}

impl Asking {
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
    /// `pay_result`: money moved, so the biller must hear of it, and its answer closes a circuit.
    const ALWAYS_ONCE: Self = Self {
        repeat: Repeat::Never,
        circuit: CircuitRule::AlwaysTried,
    };
}

/// Whether an open circuit keeps a call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CircuitRule {
    Respected,
    AlwaysTried,
}

/// Reads an answer's `res_code`; one that is empty or no JSON object is no answer to relay.
fn check(answer: Answer) -> Result<CheckedAnswer, Unanswered> {
    let status = answer.status;
    if answer.body.is_empty() {
        return Err(Unanswered::maybe_sent(Problem::EmptyAnswer { status }));
    }
    match answer_res_code(&answer.body) {
        Ok(res_code) => Ok(CheckedAnswer { answer, res_code }),
        Err(_) => Err(Unanswered::maybe_sent(Problem::BadAnswer { status })),
    }
}
