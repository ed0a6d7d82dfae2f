//! All series of a gateway, and the functions that count in them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use prometheus::process_collector::ProcessCollector;
use prometheus::{Gauge, Histogram, IntCounter, IntGauge};
use protocol::BillerCode;

use crate::biller::{BillerSeries, Owner};
use crate::buckets::{Buckets, seconds_exactly};
use crate::exposition::Exposition;
use crate::handshakes::HandshakeFailures;
use crate::label::{
    ApiLabel, Label, LedgerOperation, LoginFailure, PerLabel, RejectedReason, ReloadResult,
    StatusLabel,
};
use crate::ledger::{LedgerSeries, LedgerTimer};
use crate::reloads::Reloads;
use crate::requests::{AnsweredCall, Pair};
use crate::series::{
    ADMIN_LOGIN_FAILURES, BUDGET, BUILD_INFO, CIRCUIT_STATE, OVERHEAD,
    PAY_RESULTS_REFUSED_NOT_KEPT, REJECTED, REQUEST_DURATION,
};
use crate::stages::StageSeconds;
use crate::status::GatewayStatus;

/// The label of Kakao Pay as an upstream.
const KAKAO: &str = "kakao";

/// All series of one gateway.
pub struct Metrics {
    budget: Duration,
    call_bounds: Arc<[f64]>,
    budget_seconds: Gauge,
    request_duration: PerLabel<ApiLabel, Histogram>,
    overhead: PerLabel<ApiLabel, Histogram>,
    stage_seconds: PerLabel<ApiLabel, StageSeconds>,
    rejected: PerLabel<RejectedReason, IntCounter>,
    login_failures: PerLabel<LoginFailure, IntCounter>,
    ledger: LedgerSeries,
    kakao_circuit_state: IntGauge,
    unknown_biller: Arc<BillerSeries>,
    billers: RwLock<BTreeMap<BillerCode, Arc<BillerSeries>>>,
    inbound_handshakes: HandshakeFailures,
    outbound_handshakes: HandshakeFailures,
    reloads: Reloads,
    pay_results_not_kept: IntCounter,
    process: ProcessCollector,
}

impl Metrics {
    /// Returns the series of a gateway with this budget. All counters are zero.
    pub fn new(budget: Duration) -> Arc<Self> {
        let bounds = Buckets::new(budget);
        let call_bounds: Arc<[f64]> = bounds.call.into();
        let api = |api: ApiLabel| [("api", api.text())];
        let budget_seconds = BUDGET.seconds_gauge(&[]);
        budget_seconds.set(seconds_exactly(budget));
        Arc::new(Self {
            budget,
            budget_seconds,
            request_duration: PerLabel::new(|label| {
                REQUEST_DURATION.histogram(&api(label), &call_bounds)
            }),
            overhead: PerLabel::new(|label| OVERHEAD.histogram(&api(label), &bounds.own)),
            stage_seconds: PerLabel::new(StageSeconds::new),
            rejected: PerLabel::new(|reason: RejectedReason| {
                REJECTED.counter(&[("reason", reason.text())])
            }),
            login_failures: PerLabel::new(|cause: LoginFailure| {
                ADMIN_LOGIN_FAILURES.counter(&[("cause", cause.text())])
            }),
            ledger: LedgerSeries::new(&bounds.own),
            kakao_circuit_state: CIRCUIT_STATE.gauge(&[("upstream", KAKAO)]),
            unknown_biller: Arc::new(BillerSeries::new(Owner::Unknown, Arc::clone(&call_bounds))),
            billers: RwLock::default(),
            inbound_handshakes: HandshakeFailures::of_side("in"),
            outbound_handshakes: HandshakeFailures::of_side("out"),
            reloads: Reloads::new(),
            pay_results_not_kept: PAY_RESULTS_REFUSED_NOT_KEPT.counter(&[]),
            process: ProcessCollector::for_self(),
            call_bounds,
        })
    }

    /// Returns the series of a registered biller and creates them for a new one.
    ///
    /// The labels `unknown` and `kakao` are reserved: a biller with the code `unknown` shares the series of
    /// unknown billers, and a biller with the code `kakao` has no `relay_circuit_state`.
    pub fn biller(&self, code: BillerCode) -> Arc<BillerSeries> {
        let owner = match code.as_str() {
            KAKAO => Owner::BillerWithoutCircuit(KAKAO),
            code if code == ApiLabel::Unknown.text() => return self.unknown_biller(),
            code => Owner::Biller(code),
        };
        let mut billers = self.billers.write().unwrap_or_else(PoisonError::into_inner);
        let series = billers
            .entry(code)
            .or_insert_with(|| Arc::new(BillerSeries::new(owner, Arc::clone(&self.call_bounds))));
        Arc::clone(series)
    }

    /// Returns the series of calls without a registered biller.
    pub fn unknown_biller(&self) -> Arc<BillerSeries> {
        Arc::clone(&self.unknown_biller)
    }

    /// Removes the series of a biller that is no longer registered. Calls in flight still count in
    /// them, without effect on the exposition.
    pub fn remove_biller(&self, code: BillerCode) {
        self.billers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&code);
    }

    /// Counts a conflict of two payments of one bill that two nodes recorded. The biller may be registered
    /// on the other node only; the conflict is then counted as `unknown`.
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

    /// Counts an answered call. [`BillerSeries::upstream_answered`] counts the upstream's time; here it
    /// is only subtracted for the overhead.
    pub fn answered(&self, biller: &BillerSeries, call: &AnsweredCall) {
        let api = ApiLabel::from(call.api);
        let pair = Pair {
            res_code: call.res_code,
            status: StatusLabel::of(call.status),
        };
        biller.count_answer(api, pair);
        self.request_duration
            .get(api)
            .observe(call.total.as_secs_f64());
        let overhead = call.total.saturating_sub(call.upstream.unwrap_or_default());
        self.overhead.get(api).observe(overhead.as_secs_f64());
        self.stage_seconds.get(api).count(&call.stages);
        if call.total > self.budget || call.is_timed_out() {
            biller.count_budget_exceeded(api);
        }
    }

    /// Counts a call that was refused before it was relayed.
    pub fn rejected(&self, reason: RejectedReason) {
        self.rejected.get(reason).inc();
    }

    /// Counts a failed log-in at the admin API.
    pub fn login_failed(&self, cause: LoginFailure) {
        self.login_failures.get(cause).inc();
    }

    /// Measures an operation of the ledger until the timer is dropped.
    pub fn time_ledger(&self, operation: LedgerOperation) -> LedgerTimer<'_> {
        self.time_ledger_from(operation, Instant::now())
    }

    /// As [`time_ledger`](Self::time_ledger), for an operation that began at `started`.
    pub fn time_ledger_from(
        &self,
        operation: LedgerOperation,
        started: Instant,
    ) -> LedgerTimer<'_> {
        self.ledger.time_from(operation, started)
    }

    /// Counts an operation of the ledger with its duration.
    pub fn ledger_operation(&self, operation: LedgerOperation, took: Duration) {
        self.ledger.count(operation, took);
    }

    /// Counts an operation of the ledger that failed because the journal or Redis was unavailable.
    pub fn ledger_unavailable(&self, operation: LedgerOperation) {
        self.ledger.count_unavailable(operation);
    }

    /// Counts values or facts with stamps more than a minute ahead of this node's clock.
    pub fn stamps_ahead(&self, number: u64) {
        self.ledger.stamps_ahead.inc_by(number);
    }

    /// Counts a value of Redis without a valid checksum.
    pub fn value_without_checksum(&self) {
        self.ledger.values_without_checksum.inc();
    }

    /// Counts a payment that was relayed while this node's disk alone had it.
    pub fn payment_on_one_disk(&self) {
        self.ledger.payments_on_one_disk.inc();
    }

    /// Counts an entry of another node's stream that was refused.
    pub fn replication_entry_refused(&self) {
        self.ledger.replication_entries_refused.inc();
    }

    /// Sets the state of the circuit of an upstream, `kakao` or a registered biller: closed (0), half-open
    /// (1) or open (2). Other names are ignored.
    pub fn set_circuit_state(&self, upstream: &str, state: i64) {
        if upstream == KAKAO {
            self.kakao_circuit_state.set(state);
        } else if let Some(code) = BillerCode::parse(upstream)
            && let Some(biller) = self.registered(code)
        {
            biller.set_circuit_state(state);
        }
    }

    /// Counts a refused pay-result that is not on durable storage.
    pub fn refused_pay_result_not_kept(&self) {
        self.pay_results_not_kept.inc();
    }

    /// Counts a reload of the configuration.
    pub fn reloaded(&self, result: ReloadResult) {
        self.reloads.count(result);
    }

    /// The counters of failed handshakes of the public listener.
    pub fn inbound_handshakes(&self) -> HandshakeFailures {
        self.inbound_handshakes.clone()
    }

    /// The counters of failed handshakes with upstreams.
    pub fn outbound_handshakes(&self) -> HandshakeFailures {
        self.outbound_handshakes.clone()
    }

    /// Returns all series in version 0.0.4 of Prometheus' text format.
    pub fn encode(&self, status: &GatewayStatus<'_>) -> String {
        let mut exposition = Exposition::default();
        let version = ("version", env!("CARGO_PKG_VERSION"));
        exposition.gauge(&BUILD_INFO, &[version], 1.0);
        status.expose(&mut exposition);
        exposition.collector(&self.budget_seconds);
        self.request_duration
            .iter()
            .for_each(|series| exposition.collector(series));
        self.overhead
            .iter()
            .for_each(|series| exposition.collector(series));
        self.stage_seconds
            .iter()
            .for_each(|stages| stages.expose(&mut exposition));
        self.rejected
            .iter()
            .for_each(|series| exposition.collector(series));
        self.login_failures
            .iter()
            .for_each(|series| exposition.collector(series));
        self.ledger.expose(&mut exposition);
        self.inbound_handshakes.expose(&mut exposition);
        self.outbound_handshakes.expose(&mut exposition);
        self.reloads.expose(&mut exposition);
        exposition.collector(&self.kakao_circuit_state);
        exposition.collector(&self.pay_results_not_kept);
        exposition.collector(&self.process);
        self.unknown_biller.expose(&mut exposition);
        let billers = self
            .billers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // The lock is released first, because a scrape of many billers must not delay calls.
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
