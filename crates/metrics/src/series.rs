//! The table of all series: name, help text, labels. Units are in the names.

use prometheus::{Counter, Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts, Result};

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Series {
    name: &'static str,
    help: &'static str,
}

/// A label's name and value.
pub(crate) type LabelPair<'a> = (&'a str, &'a str);

macro_rules! series {
    ($($constant:ident $name:literal $help:literal)+) => {
        $(pub(crate) const $constant: Series = Series { name: $name, help: $help };)+
    };
}

series! {
    REQUESTS "relay_requests_total"
        "Answers of the public listener, refused ones too."
    REQUEST_DURATION "relay_request_duration_seconds"
        "Time from a request's head to its answer, in seconds; one bucket ends at the budget."
    UPSTREAM_DURATION "relay_upstream_duration_seconds"
        "Time that the upstream took of a call, connecting included, in seconds."
    OVERHEAD "relay_overhead_seconds"
        "Time of a call less its upstream's: what the gateway and the caller's body took, in seconds."
    BUDGET "relay_budget_seconds"
        "The budget of a call, in seconds, as configured."
    BUDGET_EXCEEDED "relay_budget_exceeded_total"
        "Calls that took longer than the budget, or timed out at its end."
    IN_FLIGHT "relay_in_flight_requests"
        "Admitted calls that are not answered yet."
    PREPAY_SHORT_CIRCUITS "relay_prepay_short_circuits_total"
        "Prepays of paid bills that were answered E403 without calling the biller."
    PAY_RESULTS_REFUSED "relay_pay_results_refused_total"
        "Pay-results refused for their body, although money moved."
    REJECTED "relay_rejected_total"
        "Calls turned away before they were relayed, by reason."
    CIRCUIT_STATE "relay_circuit_state"
        "Circuit of an upstream: 0 closed, 1 half-open, 2 open."
    LEDGER_OPERATION_DURATION "relay_ledger_operation_duration_seconds"
        "Time of the ledger's operations, in seconds."
    LEDGER_UNAVAILABLE "relay_ledger_unavailable_total"
        "Ledger operations that could not be done for want of journal or Redis."
    PAYMENTS_UNDELIVERED "relay_payments_undelivered"
        "Payment events that their biller has not accepted."
    UNSHARED_FACTS "relay_ledger_unshared_facts"
        "Facts in this node's journal that are not in Redis yet."
    DOUBLE_PAYMENTS "relay_double_payments_total"
        "Payments of bills that another payment had already paid."
    STAGE_SECONDS "relay_stage_seconds_total"
        "Time spent in each stage of the calls, in seconds."
}

impl Series {
    fn options(&self, labels: &[LabelPair<'_>]) -> Opts {
        labels
            .iter()
            .fold(Opts::new(self.name, self.help), |options, (name, value)| {
                options.const_label(*name, *value)
            })
    }

    pub(crate) fn try_counter(&self, labels: &[LabelPair<'_>]) -> Result<IntCounter> {
        IntCounter::with_opts(self.options(labels))
    }

    pub(crate) fn try_histogram(
        &self,
        labels: &[LabelPair<'_>],
        edges: &[f64],
    ) -> Result<Histogram> {
        let options = HistogramOpts::from(self.options(labels)).buckets(edges.to_vec());
        Histogram::with_opts(options)
    }

    // The following are called at start-up and at a reload only. The library refuses nothing but
    // names and help texts, which are the constants above, and edges that do not ascend, which
    // `buckets.rs` sorts.

    pub(crate) fn counter(&self, labels: &[LabelPair<'_>]) -> IntCounter {
        self.try_counter(labels).expect("valid by the table above")
    }

    pub(crate) fn seconds_counter(&self, labels: &[LabelPair<'_>]) -> Counter {
        Counter::with_opts(self.options(labels)).expect("valid by the table above")
    }

    pub(crate) fn gauge(&self, labels: &[LabelPair<'_>]) -> IntGauge {
        IntGauge::with_opts(self.options(labels)).expect("valid by the table above")
    }

    pub(crate) fn seconds_gauge(&self, labels: &[LabelPair<'_>]) -> Gauge {
        Gauge::with_opts(self.options(labels)).expect("valid by the table above")
    }

    pub(crate) fn histogram(&self, labels: &[LabelPair<'_>], edges: &[f64]) -> Histogram {
        self.try_histogram(labels, edges)
            .expect("valid by the table above")
    }
}
