//! What is counted per biller.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};
use protocol::{Api, ResCode};

use crate::exposition::Exposition;
use crate::label::{ApiLabel, Label};
use crate::per_label::PerLabel;
use crate::requests::{Pair, Requests};
use crate::series::{
    BUDGET_EXCEEDED, CIRCUIT_STATE, DOUBLE_PAYMENTS, IN_FLIGHT, PAY_RESULTS_REFUSED,
    PREPAY_SHORT_CIRCUITS, UPSTREAM_DURATION,
};

/// The codes of the contract's checks 5 to 8: a pay-result's first refusal must be seen as an
/// increase, so its counter is there before.
const REFUSALS_OF_PAY_RESULTS: [ResCode; 4] =
    [ResCode::E001, ResCode::E006, ResCode::E007, ResCode::E807];

/// The series of one registered biller, or of all others together (`unknown`).
pub struct BillerSeries {
    label: Box<str>,
    call_edges: Arc<[f64]>,
    apis: PerLabel<ApiLabel, OnceLock<ApiSeries>>,
    in_flight: IntGauge,
    prepay_short_circuits: IntCounter,
    double_payments: IntCounter,
    pay_results_refused: Mutex<BTreeMap<ResCode, IntCounter>>,
    circuit_state: Option<IntGauge>,
}

/// The series of one biller and API.
struct ApiSeries {
    requests: Requests,
    budget_exceeded: IntCounter,
    /// Made with the first upstream call: histograms are large, and most billers use few APIs.
    upstream_duration: OnceLock<Option<Histogram>>,
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
        let biller = [("biller", label)];
        let refused = REFUSALS_OF_PAY_RESULTS.map(|code| {
            let labels = [("biller", label), ("res_code", code.code())];
            (code, PAY_RESULTS_REFUSED.counter(&labels))
        });
        Self {
            label: label.into(),
            call_edges,
            apis: PerLabel::new(|api| {
                // A call on an unknown route names no biller.
                if api == ApiLabel::Unknown && !matches!(of, Of::Unknown) {
                    OnceLock::new()
                } else {
                    OnceLock::from(ApiSeries::new(api, label))
                }
            }),
            in_flight: IN_FLIGHT.gauge(&biller),
            prepay_short_circuits: PREPAY_SHORT_CIRCUITS.counter(&biller),
            double_payments: DOUBLE_PAYMENTS.counter(&biller),
            pay_results_refused: Mutex::new(BTreeMap::from(refused)),
            circuit_state: has_circuit.then(|| CIRCUIT_STATE.gauge(&[("upstream", label)])),
        }
    }

    /// Counts a call as in flight until the guard is dropped.
    pub fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// The upstream of one call took this long, whether it answered or not. Once per call.
    pub fn upstream_answered(&self, api: Api, took: Duration) {
        let api = ApiLabel::from(api);
        let histogram = &self.api(api).upstream_duration;
        let made = histogram.get_or_init(|| {
            let labels = [("api", api.text()), ("biller", &*self.label)];
            UPSTREAM_DURATION
                .try_histogram(&labels, &self.call_edges)
                .ok()
        });
        if let Some(histogram) = made {
            histogram.observe(took.as_secs_f64());
        }
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
        if let Some(counter) = refused.get(&code) {
            counter.inc();
            return;
        }
        // Another code than the four has no counter yet. There are no more than the guide's.
        let labels = [("biller", &*self.label), ("res_code", code.code())];
        if let Ok(counter) = PAY_RESULTS_REFUSED.try_counter(&labels) {
            counter.inc();
            refused.insert(code, counter);
        }
    }

    pub(crate) fn count_answer(&self, api: ApiLabel, pair: Pair) {
        self.api(api).requests.count(pair);
    }

    pub(crate) fn count_budget_exceeded(&self, api: ApiLabel) {
        self.api(api).budget_exceeded.inc();
    }

    pub(crate) fn set_circuit_state(&self, state: i64) {
        if let Some(gauge) = &self.circuit_state {
            gauge.set(state);
        }
    }

    fn api(&self, api: ApiLabel) -> &ApiSeries {
        self.apis
            .get(api)
            .get_or_init(|| ApiSeries::new(api, &self.label))
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        for api in self.apis.iter().filter_map(OnceLock::get) {
            api.requests.expose(exposition);
            exposition.add(&api.budget_exceeded);
            if let Some(Some(histogram)) = api.upstream_duration.get() {
                exposition.add(histogram);
            }
        }
        exposition.add(&self.in_flight);
        exposition.add(&self.prepay_short_circuits);
        exposition.add(&self.double_payments);
        let refused = self
            .pay_results_refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused.values().for_each(|counter| exposition.add(counter));
        if let Some(gauge) = &self.circuit_state {
            exposition.add(gauge);
        }
    }
}

impl ApiSeries {
    fn new(api: ApiLabel, biller: &str) -> Self {
        Self {
            requests: Requests::new(api, biller),
            budget_exceeded: BUDGET_EXCEEDED.counter(&[("api", api.text()), ("biller", biller)]),
            upstream_duration: OnceLock::new(),
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
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
