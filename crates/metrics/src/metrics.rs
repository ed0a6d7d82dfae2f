//! All series, and how they are told of what happens.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use prometheus::process_collector::ProcessCollector;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge};
use protocol::BillerCode;

use crate::answered::Answered;
use crate::biller::{BillerSeries, Of};
use crate::buckets::{Buckets, seconds_exactly};
use crate::certificates::{Certificate, Certificates};
use crate::exposition::Exposition;
use crate::label::{ApiLabel, Label, LedgerOperation, RejectedReason, ReloadResult, StatusLabel};
use crate::per_label::PerLabel;
use crate::reloads::Reloads;
use crate::requests::Pair;
use crate::series::{
    BUDGET, BUILD_INFO, CIRCUIT_STATE, LEDGER_OPERATION_DURATION, LEDGER_UNAVAILABLE, OVERHEAD,
    REJECTED, REQUEST_DURATION,
};
use crate::stages::StageSeconds;
use crate::vitals::Vitals;

/// Label of Kakao Pay as an upstream.
const KAKAO: &str = "kakao";

/// All series of one gateway.
pub struct Metrics {
    budget: Duration,
    call_edges: Arc<[f64]>,
    budget_seconds: Gauge,
    request_duration: PerLabel<ApiLabel, Histogram>,
    overhead: PerLabel<ApiLabel, Histogram>,
    stage_seconds: PerLabel<ApiLabel, StageSeconds>,
    rejected: PerLabel<RejectedReason, IntCounter>,
    ledger_operation_duration: PerLabel<LedgerOperation, Histogram>,
    ledger_unavailable: PerLabel<LedgerOperation, IntCounter>,
    kakao_circuit_state: IntGauge,
    unknown_biller: Arc<BillerSeries>,
    billers: RwLock<BTreeMap<BillerCode, Arc<BillerSeries>>>,
    certificates: Certificates,
    reloads: Reloads,
    process: ProcessCollector,
}

impl Metrics {
    /// The series of a gateway with this budget, at zero.
    pub fn new(budget: Duration) -> Arc<Self> {
        let edges = Buckets::new(budget);
        let call_edges: Arc<[f64]> = edges.call.into();
        let api = |api: ApiLabel| [("api", api.text())];
        let operation = |operation: LedgerOperation| [("operation", operation.text())];
        let budget_seconds = BUDGET.seconds_gauge(&[]);
        budget_seconds.set(seconds_exactly(budget));
        Arc::new(Self {
            budget,
            budget_seconds,
            request_duration: PerLabel::new(|label| {
                REQUEST_DURATION.histogram(&api(label), &call_edges)
            }),
            overhead: PerLabel::new(|label| OVERHEAD.histogram(&api(label), &edges.own)),
            stage_seconds: PerLabel::new(StageSeconds::new),
            rejected: PerLabel::new(|reason: RejectedReason| {
                REJECTED.counter(&[("reason", reason.text())])
            }),
            ledger_operation_duration: PerLabel::new(|label| {
                LEDGER_OPERATION_DURATION.histogram(&operation(label), &edges.own)
            }),
            ledger_unavailable: PerLabel::new(|label| {
                LEDGER_UNAVAILABLE.counter(&operation(label))
            }),
            kakao_circuit_state: CIRCUIT_STATE.gauge(&[("upstream", KAKAO)]),
            unknown_biller: Arc::new(BillerSeries::new(Of::Unknown, Arc::clone(&call_edges))),
            billers: RwLock::default(),
            certificates: Certificates::default(),
            reloads: Reloads::new(),
            process: ProcessCollector::for_self(),
            call_edges,
        })
    }

    /// The series of a registered biller; made when it is registered first.
    ///
    /// A biller whose code is `unknown` shares the series of the unknown ones, and one whose code
    /// is `kakao` has no `relay_circuit_state`: those labels are taken.
    pub fn biller(&self, code: BillerCode) -> Arc<BillerSeries> {
        let of = match code.as_str() {
            KAKAO => Of::BillerWithoutCircuit(KAKAO),
            code if code == ApiLabel::Unknown.text() => return self.unknown_biller(),
            code => Of::Biller(code),
        };
        let mut billers = self.billers.write().unwrap_or_else(PoisonError::into_inner);
        let series = billers
            .entry(code)
            .or_insert_with(|| Arc::new(BillerSeries::new(of, Arc::clone(&self.call_edges))));
        Arc::clone(series)
    }

    /// The series of calls that name no registered biller.
    pub fn unknown_biller(&self) -> Arc<BillerSeries> {
        Arc::clone(&self.unknown_biller)
    }

    /// Takes the series of a biller away that is no longer registered. What its last calls still
    /// count is not shown.
    pub fn forget_biller(&self, code: BillerCode) {
        self.billers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&code);
        self.certificates.forget(Certificate::Biller(code));
    }

    /// Two payments of a bill of this biller met that were taken on two nodes. Counted as
    /// `unknown` where the biller is registered there and not here.
    pub fn double_payment_of(&self, code: BillerCode) {
        let registered = self.registered(code);
        registered
            .unwrap_or_else(|| self.unknown_biller())
            .double_payment();
    }

    fn registered(&self, code: BillerCode) -> Option<Arc<BillerSeries>> {
        let billers = self.billers.read().unwrap_or_else(PoisonError::into_inner);
        billers.get(&code).cloned()
    }

    /// Counts an answer. The upstream's time goes into the overhead only: it is counted by
    /// [`BillerSeries::upstream_answered`].
    pub fn answered(&self, biller: &BillerSeries, answered: &Answered) {
        let api = ApiLabel::from(answered.api);
        let pair = Pair {
            res_code: answered.res_code,
            status: StatusLabel::of(answered.status),
        };
        biller.count_answer(api, pair);
        self.request_duration
            .get(api)
            .observe(answered.total.as_secs_f64());
        let overhead = answered
            .total
            .saturating_sub(answered.upstream.unwrap_or_default());
        self.overhead.get(api).observe(overhead.as_secs_f64());
        self.stage_seconds.get(api).count(&answered.stages);
        if answered.total > self.budget || answered.is_timed_out() {
            biller.count_budget_exceeded(api);
        }
    }

    /// A call was turned away.
    pub fn rejected(&self, reason: RejectedReason) {
        self.rejected.get(reason).inc();
    }

    /// Times an operation of the ledger until the timer is dropped.
    pub fn time_ledger(&self, operation: LedgerOperation) -> LedgerTimer<'_> {
        self.time_ledger_from(operation, Instant::now())
    }

    /// The same for one that began at `started`.
    pub fn time_ledger_from(
        &self,
        operation: LedgerOperation,
        started: Instant,
    ) -> LedgerTimer<'_> {
        LedgerTimer {
            histogram: self.ledger_operation_duration.get(operation),
            started,
        }
    }

    /// An operation of the ledger took this long.
    pub fn ledger_operation(&self, operation: LedgerOperation, took: Duration) {
        self.ledger_operation_duration
            .get(operation)
            .observe(took.as_secs_f64());
    }

    /// An operation of the ledger could not be done for want of journal or Redis.
    pub fn ledger_unavailable(&self, operation: LedgerOperation) {
        self.ledger_unavailable.get(operation).inc();
    }

    /// The circuit of `kakao` or of a registered biller's upstream is now closed (0), half-open (1)
    /// or open (2). Other labels are no upstream's, and make no series.
    pub fn set_circuit_state(&self, upstream: &str, state: i64) {
        if upstream == KAKAO {
            self.kakao_circuit_state.set(state);
        } else if let Some(code) = BillerCode::parse(upstream)
            && let Some(biller) = self.registered(code)
        {
            biller.set_circuit_state(state);
        }
    }

    /// The configuration was read anew, or a fault of it found.
    pub fn reloaded(&self, result: ReloadResult) {
        self.reloads.count(result);
    }

    /// The first of a file's certificates ends at `not_after`, in Unix seconds. A biller must be
    /// registered: others make no series.
    pub fn set_certificate_expiry(&self, certificate: Certificate, not_after: i64) {
        let is_known = match certificate {
            Certificate::Biller(code) => self.registered(code).is_some(),
            _ => true,
        };
        if is_known {
            self.certificates.set(certificate, not_after);
        }
    }

    /// A file of certificates is not in use any more.
    pub fn forget_certificate(&self, certificate: Certificate) {
        self.certificates.forget(certificate);
    }

    /// All series in version 0.0.4 of Prometheus' text format; `vitals` is how the gateway stands.
    pub fn encode(&self, vitals: &Vitals<'_>) -> String {
        let mut exposition = Exposition::default();
        BUILD_INFO.show(
            &[("version", env!("CARGO_PKG_VERSION"))],
            1.0,
            &mut exposition,
        );
        vitals.expose(&mut exposition);
        exposition.add(&self.budget_seconds);
        self.request_duration
            .iter()
            .for_each(|series| exposition.add(series));
        self.overhead
            .iter()
            .for_each(|series| exposition.add(series));
        self.stage_seconds
            .iter()
            .for_each(|stages| stages.expose(&mut exposition));
        self.rejected
            .iter()
            .for_each(|series| exposition.add(series));
        self.ledger_operation_duration
            .iter()
            .for_each(|series| exposition.add(series));
        self.ledger_unavailable
            .iter()
            .for_each(|series| exposition.add(series));
        self.certificates.expose(&mut exposition);
        self.reloads.expose(&mut exposition);
        exposition.add(&self.kakao_circuit_state);
        exposition.add(&self.process);
        self.unknown_biller.expose(&mut exposition);
        let billers = self
            .billers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // Without the lock: a scrape of many billers must not hold up a call.
        for biller in billers.values() {
            biller.expose(&mut exposition);
        }
        exposition.text()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Times one operation of the ledger; ends when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct LedgerTimer<'a> {
    histogram: &'a Histogram,
    started: Instant,
}

impl Drop for LedgerTimer<'_> {
    fn drop(&mut self) {
        self.histogram.observe(self.started.elapsed().as_secs_f64());
    }
}
