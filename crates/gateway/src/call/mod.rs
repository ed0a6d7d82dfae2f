//! One call: its request id, trace, deadline and stage times.

mod stopwatch;
mod upstream_call;

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderValue};
use futures_util::FutureExt;
use ledger::{BillView, FactContext, JournalError, Ledger, LinkRefusal, Timestamp};
use metrics::{LedgerOperation, LedgerTimer, Metrics, Stage, StageTimes};
use protocol::Bill;
use tokio::time::{Instant, timeout_at};

use crate::registry::RegisteredBiller;
use crate::reply::{Problem, Reply};
use crate::request_id::{TraceParent, request_id};
use crate::server::{ClientConnection, WorkGuard};
use crate::state::{GatewayState, Worker};
use crate::traces::UpstreamTiming;

pub use upstream_call::{BillerCall, LinkCall, UpstreamFailure};

use stopwatch::Stopwatch;

/// One call of a caller, or of the gateway itself. It stays on one worker.
#[derive(Debug)]
pub struct Call {
    worker: Rc<Worker>,
    request_id: HeaderValue,
    trace: TraceParent,
    /// Starts when the request's head was read, as the budget does.
    stopwatch: Stopwatch,
    deadline: Instant,
    upstream: Cell<Option<Duration>>,
    upstream_called_at: Cell<Option<Instant>>,
    /// Makes a shutdown wait for the call's task even when the caller has hung up. `None` for an internal
    /// call: `GatewayState::redeliveries` counts those.
    _under_way: Option<WorkGuard>,
}

impl Call {
    /// Returns the call of a request that came on `connection` and whose head was read at `started`.
    pub fn begin(
        worker: Rc<Worker>,
        connection: &Rc<ClientConnection>,
        headers: &HeaderMap,
        started: Instant,
    ) -> Self {
        let deadline = started + worker.shared().budget;
        Self {
            request_id: request_id(headers),
            trace: TraceParent::of(headers),
            stopwatch: Stopwatch::begin(started),
            deadline,
            upstream: Cell::new(None),
            upstream_called_at: Cell::new(None),
            _under_way: Some(connection.begin_work()),
            worker,
        }
    }

    /// Returns a call that the gateway itself makes, with a new request id and trace; its budget starts now.
    pub fn internal(worker: Rc<Worker>) -> Self {
        let started = Instant::now();
        let no_headers = HeaderMap::new();
        Self {
            request_id: request_id(&no_headers),
            trace: TraceParent::of(&no_headers),
            stopwatch: Stopwatch::begin(started),
            deadline: started + worker.shared().budget,
            upstream: Cell::new(None),
            upstream_called_at: Cell::new(None),
            _under_way: None,
            worker,
        }
    }

    /// Returns the value of `X-Request-Id`.
    pub fn request_id(&self) -> &str {
        // Only ASCII gets through `request_id`.
        self.request_id.to_str().unwrap_or_default()
    }

    /// Returns what the journal keeps beside the facts of this call.
    pub fn fact_context(&self) -> FactContext {
        FactContext::of_request(self.request_id())
    }

    /// Returns the request id as a header value.
    pub fn request_id_header(&self) -> HeaderValue {
        self.request_id.clone()
    }

    /// Returns the 32 hex digits of the trace id.
    pub fn trace_id(&self) -> &str {
        self.trace.trace_id()
    }

    /// Returns the call's `traceparent`.
    pub const fn trace(&self) -> &TraceParent {
        &self.trace
    }

    /// Returns the moment when the budget ends.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the wall-clock time when the budget ends.
    pub fn ends_at(&self) -> Timestamp {
        self.now()
            .plus(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// Returns the wall-clock time.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Starts `stage`; the time from now on counts for it.
    pub fn enter(&self, stage: Stage) {
        self.stopwatch.enter(stage, Instant::now());
    }

    /// Starts `stage` and times a ledger operation, until the returned timer is dropped.
    pub fn enter_ledger(&self, stage: Stage, operation: LedgerOperation) -> LedgerTimer<'_> {
        let now = Instant::now();
        self.stopwatch.enter(stage, now);
        self.metrics().time_ledger_from(operation, now.into_std())
    }

    /// Returns the call's duration up to `now` and its share per stage, and starts [`Stage::Reply`].
    pub fn end(&self, now: Instant) -> (Duration, StageTimes) {
        self.stopwatch.enter(Stage::Reply, now);
        (self.stopwatch.total(now), self.stopwatch.times(now))
    }

    /// Returns the duration of the upstream call; `None` if the upstream was not called.
    pub const fn upstream(&self) -> Option<Duration> {
        self.upstream.get()
    }

    /// Returns start and duration of the upstream call; `None` if the upstream was not called.
    pub fn upstream_timing(&self) -> Option<UpstreamTiming> {
        let at = self.upstream_called_at.get()?;
        Some(UpstreamTiming {
            offset: self.stopwatch.total(at),
            duration: self.upstream.get().unwrap_or_else(|| at.elapsed()),
        })
    }

    /// Returns the state that all workers share.
    pub fn shared(&self) -> &GatewayState {
        self.worker.shared()
    }

    /// Returns the ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.worker.shared().ledger
    }

    /// Returns the metrics.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.worker.shared().metrics
    }

    /// Waits for `work` until the budget ends.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub fn within_budget<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, Problem>> {
        // Mapped, not awaited: an `async` block would store `work` twice.
        timeout_at(self.deadline, work).map(|done| done.map_err(|_| Problem::TimedOut))
    }

    /// Looks a bill up in the ledger, until the budget ends. Where the ledger cannot be read, that is logged and counted,
    /// and the biller is asked.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn look_up(&self, bill: &Bill) -> Result<BillView, Problem> {
        let ledger = self.ledger();
        let looked_up = ledger.look_up(bill, self.now());
        // A timer costs as much as the whole look-up, so it is set only if it can fire.
        let left = self
            .deadline
            .saturating_duration_since(self.stopwatch.since());
        let looked_up = if ledger.longest_look_up() < left {
            looked_up.await
        } else {
            self.within_budget(looked_up).await?
        };
        Ok(looked_up.unwrap_or_else(|error| self.unreadable(bill, &error)))
    }

    #[cold]
    fn unreadable(&self, bill: &Bill, error: &JournalError) -> BillView {
        self.metrics().ledger_unavailable(LedgerOperation::Lookup);
        tracing::error!(
            request_id = self.request_id(), biller = bill.biller_code().as_str(), %error,
            "the ledger cannot be read: the biller is asked whether a bill is paid"
        );
        BillView::NOTHING
    }

    /// Asks the ledger whether a bill was paid before its biller's identity parameters changed.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn is_paid_in_former_identity(
        &self,
        biller: &RegisteredBiller,
        bill: &Bill,
    ) -> Result<bool, Problem> {
        let Some(change) = &biller.settings.identity_parameters_changed_on else {
            return Ok(false);
        };
        let before = change.payments_before;
        let asked = (self.ledger()).is_paid_under_another_identity(bill, before, self.now());
        // Boxed, because few billers ever change their parameters.
        let paid = self.within_budget(Box::pin(asked)).await?;
        Ok(paid.unwrap_or_else(|error| self.unreadable(bill, &error).paid))
    }

    /// Waits for `work` until the budget ends. Work that takes longer continues in a task of its own, for
    /// which a shutdown waits.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn within_budget_or_detached<T: 'static>(
        self: &Rc<Self>,
        mut work: Pin<Box<impl Future<Output = T> + 'static>>,
    ) -> Result<T, Problem> {
        let done = self.within_budget(work.as_mut()).await;
        if done.is_err() {
            let call = Rc::clone(self);
            actix_web::rt::spawn(async move {
                work.await;
                drop(call);
            });
        }
        done
    }

    /// Runs `work` in a task that completes even when the caller hangs up. A shutdown waits for it.
    ///
    /// # Errors
    /// Those of `work`; [`Problem::Internal`] where it panicked.
    pub fn run_detached(
        &self,
        work: impl Future<Output = Result<Reply, Problem>> + 'static,
    ) -> impl Future<Output = Result<Reply, Problem>> {
        // Spawned here, not in the returned future: that keeps the future of every call small.
        let task = actix_web::rt::spawn(work);
        async {
            task.await.unwrap_or_else(|error| {
                tracing::error!(request_id = self.request_id(), %error, "a call's task failed");
                Err(Problem::Internal)
            })
        }
    }

    /// Returns the problem for a refusal by the ledger, and counts the ledger's own failures.
    pub fn link_refused(&self, refusal: LinkRefusal, operation: LedgerOperation) -> Problem {
        if refusal == LinkRefusal::Unavailable {
            self.metrics().ledger_unavailable(operation);
        }
        Problem::Link(refusal)
    }

    /// Logs a settlement that is in memory but not, or not yet, in the journal.
    pub fn log_settlement(
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
}
