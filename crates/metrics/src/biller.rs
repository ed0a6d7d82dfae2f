//! What is counted per biller.

use std::array;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::{Api, ResCode};

use crate::buckets::MOST_CALL_EDGES;
use crate::cells::{Count, Durations, Level};
use crate::exposition::Exposition;
use crate::label::{ApiLabel, Label};
use crate::requests::{OtherAnswers, Pair};
use crate::series::{
    BUDGET_EXCEEDED, CIRCUIT_STATE, DOUBLE_PAYMENTS, IN_FLIGHT, LabelPair, PAY_RESULTS_REFUSED,
    PREPAY_SHORT_CIRCUITS, UPSTREAM_DURATION, signed, whole,
};

/// The codes of the contract's checks 5 to 8: a pay-result's first refusal must be seen as an
/// increase, so its counter is there before.
const REFUSALS_OF_PAY_RESULTS: [ResCode; 4] =
    [ResCode::E001, ResCode::E006, ResCode::E007, ResCode::E807];

/// The series of one registered biller, or of all others together (`unknown`).
pub struct BillerSeries {
    in_flight: Level,
    apis: [ApiSeries; ApiLabel::ALL.len()],
    prepay_short_circuits: Count,
    double_payments: Count,
    circuit_state: Level,
    pay_results_refused: Mutex<BTreeMap<ResCode, u64>>,
    call_edges: Arc<[f64]>,
    label: Box<str>,
    has_circuit: bool,
    is_registered: bool,
}

/// The series of one biller and API. What an `OK` that comes soon is counted in stands in front, in one line of a
/// processor's cache.
#[derive(Default)]
#[repr(C, align(64))]
struct ApiSeries {
    ok: Count,
    upstream_duration: Durations<MOST_CALL_EDGES>,
    budget_exceeded: Count,
    other_answers: OtherAnswers,
}

/// Who a [`BillerSeries`] is of.
#[derive(Clone, Copy)]
pub(crate) enum Of<'a> {
    /// A registered biller, with an upstream of its own.
    Biller(&'a str),
    /// A registered biller whose upstream would be labelled as Kakao Pay is.
    BillerWithoutCircuit(&'a str),
    /// Calls that name no registered biller.
    Unknown,
}

impl BillerSeries {
    pub(crate) fn new(of: Of<'_>, call_edges: Arc<[f64]>) -> Self {
        let (label, has_circuit) = match of {
            Of::Biller(code) => (code, true),
            Of::BillerWithoutCircuit(code) => (code, false),
            Of::Unknown => (ApiLabel::Unknown.text(), false),
        };
        debug_assert!(call_edges.len() <= MOST_CALL_EDGES);
        Self {
            in_flight: Level::default(),
            apis: array::from_fn(|_| ApiSeries::default()),
            prepay_short_circuits: Count::default(),
            double_payments: Count::default(),
            circuit_state: Level::default(),
            pay_results_refused: Mutex::new(REFUSALS_OF_PAY_RESULTS.map(|code| (code, 0)).into()),
            call_edges,
            label: label.into(),
            has_circuit,
            is_registered: !matches!(of, Of::Unknown),
        }
    }

    /// Counts a call as in flight until the guard is dropped.
    pub fn enter(&self) -> InFlight<'_> {
        self.in_flight.add(1);
        InFlight(&self.in_flight)
    }

    /// The upstream of one call took this long, whether it answered or not. Once per call.
    pub fn upstream_answered(&self, api: Api, took: Duration) {
        self.api(ApiLabel::from(api))
            .upstream_duration
            .observe(took, &self.call_edges);
    }

    /// A prepay of a paid bill was answered without the biller.
    pub fn prepay_short_circuited(&self) {
        self.prepay_short_circuits.inc();
    }

    /// A payment came for a bill that another payment had already paid.
    pub fn double_payment(&self) {
        self.double_payments.inc();
    }

    /// A pay-result was refused for its body.
    pub fn pay_result_refused(&self, code: ResCode) {
        let mut refused = self
            .pay_results_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Another code than the four comes with its first refusal. There are no more than the guide's.
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
        // There is one for every value, and an index is a place among the values.
        &self.apis[api.index()]
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        let biller = ("biller", &*self.label);
        for (api, series) in ApiLabel::ALL.iter().zip(&self.apis) {
            // A call on an unknown route names no registered biller.
            let is_of_no_api = *api == ApiLabel::Unknown && self.is_registered;
            if !is_of_no_api || !series.is_empty() {
                series.expose([("api", api.text()), biller], &self.call_edges, exposition);
            }
        }
        IN_FLIGHT.show(&[biller], signed(self.in_flight.get()), exposition);
        for (series, count) in [
            (PREPAY_SHORT_CIRCUITS, &self.prepay_short_circuits),
            (DOUBLE_PAYMENTS, &self.double_payments),
        ] {
            series.show_counter(&[biller], whole(count.get()), exposition);
        }
        let refused = self
            .pay_results_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for (code, count) in &*refused {
            let labels = [biller, ("res_code", code.code())];
            PAY_RESULTS_REFUSED.show_counter(&labels, whole(*count), exposition);
        }
        if self.has_circuit {
            let upstream = ("upstream", &*self.label);
            CIRCUIT_STATE.show(&[upstream], signed(self.circuit_state.get()), exposition);
        }
    }
}

impl ApiSeries {
    /// Whether no answer was counted.
    fn is_empty(&self) -> bool {
        self.ok.get() == 0 && self.other_answers.is_empty()
    }

    fn expose(&self, labels: [LabelPair<'_>; 2], edges: &[f64], exposition: &mut Exposition) {
        Pair::OK.expose(labels, &self.ok, exposition);
        self.other_answers.expose(labels, exposition);
        BUDGET_EXCEEDED.show_counter(&labels, whole(self.budget_exceeded.get()), exposition);
        // Histograms are large, and most billers use few APIs: shown from the first upstream call on.
        if self.upstream_duration.counts().any(|count| count > 0) {
            UPSTREAM_DURATION.show_durations(&labels, edges, &self.upstream_duration, exposition);
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

/// A call in flight; ends when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct InFlight<'a>(&'a Level);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
