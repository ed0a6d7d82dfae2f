//! The table of all series: name, help text, labels. Units are in the names.

use prometheus::proto::{self, Metric, MetricType};
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts};

use crate::cells::Durations;
use crate::exposition::Exposition;

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
        "Time spent in each stage of the calls, in seconds; the stages of a call add up to its whole."
    BILLER_INFO "relay_biller_info"
        "A registered biller and its name; always 1."
    BILLER_SUSPENDED "relay_biller_suspended"
        "Whether a registered biller is suspended: 1, else 0."
    BUILD_INFO "relay_build_info"
        "The gateway's version; always 1."
    READY "relay_ready"
        "Whether the gateway wants traffic, as /health/ready says: 1, else 0."
    JOURNAL_WRITABLE "relay_journal_writable"
        "Whether the journal can be written: 1, else 0."
    JOURNAL_SIZE "relay_journal_size_bytes"
        "Size of the journal's file and its write-ahead log, in bytes."
    JOURNAL_DISK_FREE "relay_journal_disk_free_bytes"
        "Free space of the file system that the journal is on, in bytes."
    JOURNAL_COMMITS "relay_journal_commits_total"
        "Transactions that the journal has committed, with one disk sync each."
    JOURNAL_OWED_FACTS "relay_journal_owed_facts"
        "Facts in memory that the journal could not take yet."
    REDIS_UP "relay_ledger_redis_up"
        "Whether Redis can be reached: 1, else 0; absent where none is configured."
    UNSHARED_OLDEST "relay_ledger_unshared_oldest_seconds"
        "Age of the oldest fact that is journalled and not in Redis, in seconds; 0 for none."
    UNDELIVERED_OLDEST "relay_payments_undelivered_oldest_seconds"
        "Age of the oldest payment event that its biller has not accepted, in seconds; 0 for none."
    UNDELIVERED_BY_BILLER "relay_payments_undelivered_by_biller"
        "Payment events that this biller has not accepted; only billers that have some."
    CERTIFICATE_EXPIRY "relay_certificate_expiry_timestamp_seconds"
        "When the first certificate of a file ends, in Unix seconds."
    RELOADS "relay_reloads_total"
        "Reloads of the configuration, by result."
    RELOAD_LAST_SUCCESS "relay_reload_last_success_timestamp_seconds"
        "When the configuration was last taken, at the start or by a reload, in Unix seconds."
    CONNECTIONS_OPEN "relay_connections_open"
        "Open connections of the public listener."
    CONNECTIONS_REFUSED "relay_connections_refused_total"
        "Connections of the public listener that were closed at once because too many were open."
    LOG_LINES_DROPPED "relay_log_lines_dropped_total"
        "Log lines that were lost because standard output was slower than they came."
    TRACE_SPANS_DROPPED "relay_trace_spans_dropped_total"
        "Spans of traces that were lost because no collector took them in time."
}

impl Series {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn help(&self) -> &'static str {
        self.help
    }

    // What is counted elsewhere and shown by a scrape. The labels come in the order of their names; a label's
    // value may be any text.

    pub(crate) fn show(&self, labels: &[LabelPair<'_>], value: f64, exposition: &mut Exposition) {
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value);
        let mut metric = labelled(labels);
        metric.set_gauge(gauge);
        exposition.put(self, MetricType::GAUGE, metric);
    }

    pub(crate) fn show_counter(
        &self,
        labels: &[LabelPair<'_>],
        value: f64,
        exposition: &mut Exposition,
    ) {
        let mut counter = proto::Counter::default();
        counter.set_value(value);
        let mut metric = labelled(labels);
        metric.set_counter(counter);
        exposition.put(self, MetricType::COUNTER, metric);
    }

    pub(crate) fn show_durations<const N: usize>(
        &self,
        labels: &[LabelPair<'_>],
        edges: &[f64],
        durations: &Durations<N>,
        exposition: &mut Exposition,
    ) {
        let mut so_far = 0;
        let mut counts = durations.counts().map(|count| {
            so_far += count;
            so_far
        });
        let within = edges.iter().zip(&mut counts).map(|(edge, cumulative)| {
            let mut bucket = proto::Bucket::default();
            bucket.set_upper_bound(*edge);
            bucket.set_cumulative_count(cumulative);
            bucket
        });
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(within.collect());
        histogram.set_sample_count(counts.last().unwrap_or_default());
        histogram.set_sample_sum(durations.sum().as_secs_f64());
        let mut metric = labelled(labels);
        metric.set_histogram(histogram);
        exposition.put(self, MetricType::HISTOGRAM, metric);
    }

    fn options(&self, labels: &[LabelPair<'_>]) -> Opts {
        labels
            .iter()
            .fold(Opts::new(self.name, self.help), |options, (name, value)| {
                options.const_label(*name, *value)
            })
    }

    // The library's own series, made at start-up only. It refuses nothing but names and help texts, which are the
    // constants above, and edges that do not ascend, which `buckets.rs` sorts.

    pub(crate) fn counter(&self, labels: &[LabelPair<'_>]) -> IntCounter {
        IntCounter::with_opts(self.options(labels)).expect("valid by the table above")
    }

    pub(crate) fn gauge(&self, labels: &[LabelPair<'_>]) -> IntGauge {
        IntGauge::with_opts(self.options(labels)).expect("valid by the table above")
    }

    pub(crate) fn seconds_gauge(&self, labels: &[LabelPair<'_>]) -> Gauge {
        Gauge::with_opts(self.options(labels)).expect("valid by the table above")
    }

    pub(crate) fn histogram(&self, labels: &[LabelPair<'_>], edges: &[f64]) -> Histogram {
        let options = HistogramOpts::from(self.options(labels)).buckets(edges.to_vec());
        Histogram::with_opts(options).expect("valid by the table above")
    }
}

fn labelled(labels: &[LabelPair<'_>]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    });
    Metric::from_label(pairs.collect())
}

/// A whole number as the format has it, exact up to 2^53, which no count here reaches.
#[expect(clippy::cast_precision_loss, reason = "as said above")]
pub(crate) const fn whole(number: u64) -> f64 {
    number as f64
}

/// The same of one that may be below zero.
#[expect(clippy::cast_precision_loss, reason = "as with `whole`")]
pub(crate) const fn signed(number: i64) -> f64 {
    number as f64
}
