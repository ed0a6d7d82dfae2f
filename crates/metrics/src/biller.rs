//! The series of one biller.

use std::array;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::{Api, ResCode};

use crate::buckets::MAX_CALL_BOUNDS;
use crate::cells::{Count, Durations, Level};
use crate::exposition::{Exposition, signed, unsigned};
use crate::label::{ApiLabel, Label};
use crate::requests::{OtherAnswers, Pair};
use crate::series::{
    BUDGET_EXCEEDED, CIRCUIT_STATE, DOUBLE_PAYMENTS, IN_FLIGHT, LabelPair, PAY_RESULTS_REFUSED,
    PREPAY_SHORT_CIRCUITS, UPSTREAM_DURATION,
};

/// The codes of the contract's checks 5 to 8. Their counters exist from the start, so that the first
/// refusal is visible as an increase.
const REFUSALS_OF_PAY_RESULTS: [ResCode; 4] =
    [ResCode::E001, ResCode::E006, ResCode::E007, ResCode::E807];

/// The series of one registered biller, or of all unknown billers together.
pub struct BillerSeries {
    in_flight: Level,
    apis: [ApiSeries; ApiLabel::ALL.len()],
    prepay_short_circuits: Count,
    double_payments: Count,
    circuit_state: Level,
    pay_results_refused: Mutex<BTreeMap<ResCode, u64>>,
    call_bounds: Arc<[f64]>,
    label: Box<str>,
    has_circuit: bool,
    is_registered: bool,
}

/// The series of one biller and API. The counters of a fast `OK` come first, so that they are in one cache line.
#[derive(Default)]
#[repr(C, align(64))]
struct ApiSeries {
    ok: Count,
    upstream_duration: Durations<MAX_CALL_BOUNDS>,
    budget_exceeded: Count,
    other_answers: OtherAnswers,
}

/// The owner of a [`BillerSeries`].
#[derive(Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// A registered biller whose upstream has a circuit series.
    Biller(&'a str),
    /// A registered biller whose code is the upstream label of Kakao Pay.
    BillerWithoutCircuit(&'a str),
    /// Calls without a registered biller.
    Unknown,
}

impl BillerSeries {
    pub(crate) fn new(owner: Owner<'_>, call_bounds: Arc<[f64]>) -> Self {
        let (label, has_circuit) = match owner {
            Owner::Biller(code) => (code, true),
            Owner::BillerWithoutCircuit(code) => (code, false),
            Owner::Unknown => (ApiLabel::Unknown.text(), false),
        };
        debug_assert!(call_bounds.len() <= MAX_CALL_BOUNDS);
        Self {
            in_flight: Level::default(),
            apis: array::from_fn(|_| ApiSeries::default()),
            prepay_short_circuits: Count::default(),
            double_payments: Count::default(),
            circuit_state: Level::default(),
            pay_results_refused: Mutex::new(REFUSALS_OF_PAY_RESULTS.map(|code| (code, 0)).into()),
            call_bounds,
            label: label.into(),
            has_circuit,
            is_registered: !matches!(owner, Owner::Unknown),
        }
    }

    /// Counts a call as in flight until the returned value is dropped.
    pub fn enter(&self) -> InFlight<'_> {
        self.in_flight.add(1);
        InFlight(&self.in_flight)
    }

    /// Counts the upstream's time of one call, once per call, whether the upstream answered or not.
    pub fn upstream_answered(&self, api: Api, took: Duration) {
        self.api(ApiLabel::from(api))
            .upstream_duration
            .observe(took, &self.call_bounds);
    }

    /// Counts a prepay of a paid bill that was answered without a call of the biller.
    pub fn prepay_short_circuited(&self) {
        self.prepay_short_circuits.inc();
    }

    /// Counts a payment of a bill that was already paid by another payment.
    pub fn double_payment(&self) {
        self.double_payments.inc();
    }

    /// Counts a pay-result that a check refused.
    pub fn pay_result_refused(&self, code: ResCode) {
        let mut refused = self
            .pay_results_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Other codes are added at their first refusal. All codes are the guide's, so they are few.
        *refused.entry(code).or_default() += 1;
    }

    pub(crate) fn count_answer(&self, api: ApiLabel, pair: Pair) {
        let series = self.api(api);
        if pair == Pair::OK {
            series.ok.inc();
        } else {
            series.other_answers.count(pair);
        }
    }

    pub(crate) fn count_budget_exceeded(&self, api: ApiLabel) {
        self.api(api).budget_exceeded.inc();
    }

    pub(crate) fn set_circuit_state(&self, state: i64) {
        self.circuit_state.set(state);
    }

    fn api(&self, api: ApiLabel) -> &ApiSeries {
        // There is one for every value, and the index of a value is its place in `ALL`.
        &self.apis[api.index()]
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        let biller = ("biller", &*self.label);
        for (api, series) in ApiLabel::ALL.iter().zip(&self.apis) {
            // Calls of unknown routes do not have a registered biller.
            let is_unused = *api == ApiLabel::Unknown && self.is_registered;
            if !is_unused || !series.is_empty() {
                series.expose([("api", api.text()), biller], &self.call_bounds, exposition);
            }
        }
        exposition.gauge(&IN_FLIGHT, &[biller], signed(self.in_flight.get()));
        for (series, count) in [
            (PREPAY_SHORT_CIRCUITS, &self.prepay_short_circuits),
            (DOUBLE_PAYMENTS, &self.double_payments),
        ] {
            exposition.counter(&series, &[biller], unsigned(count.get()));
        }
        let refused = self
            .pay_results_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (code, count) in &*refused {
            let labels = [biller, ("res_code", code.code())];
            exposition.counter(&PAY_RESULTS_REFUSED, &labels, unsigned(*count));
        }
        if self.has_circuit {
            let upstream = ("upstream", &*self.label);
            exposition.gauge(
                &CIRCUIT_STATE,
                &[upstream],
                signed(self.circuit_state.get()),
            );
        }
    }
}

impl ApiSeries {
    /// Whether no answer was counted.
    fn is_empty(&self) -> bool {
        self.ok.get() == 0 && self.other_answers.is_empty()
    }

    fn expose(&self, labels: [LabelPair<'_>; 2], bounds: &[f64], exposition: &mut Exposition) {
        Pair::OK.expose(labels, &self.ok, exposition);
        self.other_answers.expose(labels, exposition);
        exposition.counter(
            &BUDGET_EXCEEDED,
            &labels,
            unsigned(self.budget_exceeded.get()),
        );
        // Histograms are large and most billers use few APIs, so it is exposed after the first upstream call.
        if self.upstream_duration.counts().any(|count| count > 0) {
            exposition.histogram(&UPSTREAM_DURATION, &labels, bounds, &self.upstream_duration);
        }
    }
}

impl fmt::Debug for BillerSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BillerSeries")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

/// A call in flight. The call ends when this value is dropped.
#[derive(Debug)]
#[must_use]
pub struct InFlight<'a>(&'a Level);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
