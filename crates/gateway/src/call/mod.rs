//! One call on its way through the relay: its names, its deadline, and where its time went.

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
use ledger::{BillView, JournalError, Ledger, LinkRefusal, Timestamp};
use metrics::{LedgerOperation, LedgerTimer, Metrics, Stage, StageTimes};
use protocol::Bill;
use tokio::time::{Instant, timeout_at};

use crate::reply::{Problem, Reply};
use crate::request_id::{TraceParent, request_id};
use crate::server::{ClientConnection, WorkGuard};
use crate::state::Worker;
use crate::traces::UpstreamTiming;

pub use upstream_call::{BillerCall, LinkCall, UpstreamFailure};

use stopwatch::Stopwatch;

/// One call. Lives on one worker, shared with the task that brings it to its end.
#[derive(Debug)]
pub struct Call {
    worker: Rc<Worker>,
    request_id: HeaderValue,
    trace: TraceParent,
    /// Begins when the request's head was read, as the budget does.
    stopwatch: Stopwatch,
    deadline: Instant,
    upstream: Cell<Option<Duration>>,
    upstream_called_at: Cell<Option<Instant>>,
    /// A shutdown waits for the call's task even when the caller has hung up. A call of the
    /// gateway's own is waited for elsewhere.
    _under_way: Option<WorkGuard>,
}

impl Call {
    /// A call that came on `connection` and whose head was read at `started`.
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

    /// A call that the gateway makes by itself, beginning now, with names of its own.
    pub fn internal(worker: Rc<Worker>) -> Self {
        let started = Instant::now();
        let nobody = HeaderMap::new();
        Self {
            request_id: request_id(&nobody),
            trace: TraceParent::of(&nobody),
            stopwatch: Stopwatch::begin(started),
            deadline: started + worker.shared().budget,
            upstream: Cell::new(None),
            upstream_called_at: Cell::new(None),
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

    /// Its place in its trace.
    pub const fn trace(&self) -> &TraceParent {
        &self.trace
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

    /// From here on its time belongs to `stage`.
    pub fn enter(&self, stage: Stage) {
        self.stopwatch.enter(stage, Instant::now());
    }

    /// The same, and an operation of the ledger begins with it, timed until the timer is dropped.
    pub fn enter_ledger(&self, stage: Stage, operation: LedgerOperation) -> LedgerTimer<'_> {
        let now = Instant::now();
        self.stopwatch.enter(stage, now);
        self.metrics().time_ledger_from(operation, now.into_std())
    }

    /// It is about to be answered: how long it has taken up to `now`, and how much of that in each
    /// stage. What comes behind belongs to the reply.
    pub fn end(&self, now: Instant) -> (Duration, StageTimes) {
        self.stopwatch.enter(Stage::Reply, now);
        (self.stopwatch.total(now), self.stopwatch.times(now))
    }

    /// How long the upstream took of that; `None` where it was not called.
    pub const fn upstream(&self) -> Option<Duration> {
        self.upstream.get()
    }

    /// When and for how long the upstream was asked; `None` where it was not called.
    pub fn upstream_timing(&self) -> Option<UpstreamTiming> {
        let at = self.upstream_called_at.get()?;
        Some(UpstreamTiming {
            after: self.stopwatch.total(at),
            took: self.upstream.get().unwrap_or_else(|| at.elapsed()),
        })
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
    pub fn within_budget<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> impl Future<Output = Result<T, Problem>> {
        // Mapped rather than awaited here: an `async` block would hold the work twice.
        timeout_at(self.deadline, work).map(|done| done.map_err(|_| Problem::TimedOut))
    }

    /// Looks a bill up, but not beyond the budget.
    ///
    /// # Errors
    /// [`Problem::TimedOut`] when the budget is over first.
    pub async fn look_up(&self, bill: &Bill) -> Result<BillView, Problem> {
        let ledger = self.ledger();
        let looked_up = ledger.look_up(bill, self.now());
        // Setting a timer takes as long as the rest of this: it is set where it may ring.
        if ledger.longest_look_up()
            < self
                .deadline
                .saturating_duration_since(self.stopwatch.since())
        {
            return Ok(looked_up.await);
        }
        self.within_budget(looked_up).await
    }

    /// Waits for `work`, but not beyond the budget; what takes longer goes on behind the answer, and
    /// a shutdown waits for it.
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

    /// Runs `work` in a task of its own that ends even when the caller hangs up, and that a
    /// shutdown waits for.
    ///
    /// # Errors
    /// Those of `work`; [`Problem::Internal`] where it panicked.
    pub fn run_detached(
        &self,
        work: impl Future<Output = Result<Reply, Problem>> + 'static,
    ) -> impl Future<Output = Result<Reply, Problem>> {
        // Not held by whoever waits: a call that needs no task is not to be as large as one that does.
        let task = actix_web::rt::spawn(work);
        async {
            task.await.unwrap_or_else(|error| {
                tracing::error!(request_id = self.request_id(), %error, "a call's task failed");
                Err(Problem::Internal)
            })
        }
    }

    /// The problem that a refusal of the ledger is; one that is the ledger's own fault is counted.
    pub fn link_refused(&self, refusal: LinkRefusal, operation: LedgerOperation) -> Problem {
        if refusal == LinkRefusal::Unavailable {
            self.metrics().ledger_unavailable(operation);
        }
        Problem::Link(refusal)
    }

    /// Tells the log when something was settled in memory but not, or not yet, on disk.
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
