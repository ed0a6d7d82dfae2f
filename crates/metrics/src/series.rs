//! The table of all series: name and help text. Units are in the names.

use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts};

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
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
        "Answers of the public listener, including those to refused calls."
    REQUEST_DURATION "relay_request_duration_seconds"
        "Time from a request's head to its answer, in seconds. The budget is the bound of one bucket."
    UPSTREAM_DURATION "relay_upstream_duration_seconds"
        "Time that a call spent on its upstream, including the connection setup, in seconds."
    OVERHEAD "relay_overhead_seconds"
        "Time of a call without the time of its upstream, in seconds. It includes the transfer of the caller's body."
    BUDGET "relay_budget_seconds"
        "The configured budget of a call, in seconds."
    BUDGET_EXCEEDED "relay_budget_exceeded_total"
        "Calls that took longer than the budget or timed out at its end."
    IN_FLIGHT "relay_in_flight_requests"
        "Admitted calls without an answer yet."
    PREPAY_SHORT_CIRCUITS "relay_prepay_short_circuits_total"
        "Prepays of paid bills, answered E403 without a call of the biller."
    PAY_RESULTS_REFUSED "relay_pay_results_refused_total"
        "Pay-results that a check refused, by the code of the answer. Their payments may have been made nevertheless."
    PAY_RESULTS_REFUSED_OPEN "relay_pay_results_refused_open"
        "Refused pay-results of Kakao Pay that are kept and neither delivered nor closed."
    PAY_RESULTS_REFUSED_NOT_KEPT "relay_pay_results_refused_not_kept_total"
        "Refused pay-results of Kakao Pay that are not on durable storage: too many are open, or the journal failed."
    REJECTED "relay_rejected_total"
        "Calls refused before they were relayed, by reason."
    CIRCUIT_STATE "relay_circuit_state"
        "State of an upstream's circuit breaker: 0 closed, 1 half-open, 2 open."
    LEDGER_OPERATION_DURATION "relay_ledger_operation_duration_seconds"
        "Duration of the ledger's operations, in seconds."
    LEDGER_UNAVAILABLE "relay_ledger_unavailable_total"
        "Ledger operations that failed because the journal or Redis was unavailable."
    PAYMENTS_UNDELIVERED "relay_payments_undelivered"
        "Payment events that their biller has not accepted and no operator has closed."
    UNSHARED_FACTS "relay_ledger_unshared_facts"
        "Facts in this node's journal that are not in Redis yet."
    STAMPS_AHEAD "relay_ledger_stamps_ahead_total"
        "Values of Redis, and facts of the journal at the start, with stamps more than 60 s ahead of this node's clock."
    VALUES_WITHOUT_CHECKSUM "relay_ledger_values_without_checksum_total"
        "Values of Redis without a valid checksum, with ledger.redis.key_file."
    ANSWER_BYTES "relay_answer_bytes_in_flight"
        "Bytes of a biller's answers above 64 KiB that are being read or relayed."
    LEDGER_BILLS "relay_ledger_bills"
        "Bills of a biller of which this node's journal has facts."
    LEDGER_CACHE_BYTES "relay_ledger_cache_bytes"
        "Bytes of the ledger's state in memory; at most ledger.cache."
    LEDGER_CACHE_REQUESTS "relay_ledger_cache_requests_total"
        "Look-ups of the ledger's state: in memory (hit), or read from the journal (miss)."
    DOUBLE_PAYMENTS "relay_double_payments_total"
        "Payments of bills that were already paid by another payment."
    STAGE_SECONDS "relay_stage_seconds_total"
        "Time that calls spent in each stage, in seconds. The sum of a call's stages is its duration."
    BILLER_INFO "relay_biller_info"
        "A registered biller and its name. Always 1."
    BILLER_SUSPENDED "relay_biller_suspended"
        "1 if a registered biller is suspended, else 0."
    BUILD_INFO "relay_build_info"
        "The gateway's version. Always 1."
    READY "relay_ready"
        "1 if the gateway is ready for traffic, as reported by /health/ready, else 0."
    JOURNAL_WRITABLE "relay_journal_writable"
        "1 if the journal is writable, else 0."
    JOURNAL_SIZE "relay_journal_size_bytes"
        "Size of the journal's file and write-ahead log, in bytes."
    JOURNAL_DISK_FREE "relay_journal_disk_free_bytes"
        "Free space of the journal's file system, in bytes."
    JOURNAL_COMMITS "relay_journal_commits_total"
        "Transactions committed by the journal, each with one disk sync."
    JOURNAL_BACKLOG_FACTS "relay_journal_owed_facts"
        "Facts in memory that are not in the journal yet."
    REDIS_UP "relay_ledger_redis_up"
        "1 if Redis is reachable, else 0. Absent if Redis is not configured."
    NODE_NUMBER_TAKEN "relay_node_number_taken"
        "1 if another process runs with this node's number, else 0. Absent if Redis is not configured."
    REPLICATION_LAG "relay_replication_lag_seconds"
        "How long this node has been without a fact that another node published, in seconds. 0 if it has all of them."
    REPLICATION_ENTRIES_REFUSED "relay_replication_entries_refused_total"
        "Entries of other nodes' streams that are forged, cut, foreign or unreadable."
    PAYMENTS_ON_ONE_DISK "relay_payments_on_one_disk_total"
        "Payments that were relayed while this node's disk alone had them, because Redis did not take them in time."
    UNSHARED_OLDEST "relay_ledger_unshared_oldest_seconds"
        "Age of the oldest fact in this node's journal that is not in Redis yet, in seconds. 0 if there is none."
    UNDELIVERED_OLDEST "relay_payments_undelivered_oldest_seconds"
        "Age of the oldest payment event that its biller has not accepted, in seconds. 0 if there is none."
    UNDELIVERED_BY_BILLER "relay_payments_undelivered_by_biller"
        "Payment events that this biller has not accepted. Absent if there are none."
    CERTIFICATE_EXPIRY "relay_certificate_expiry_timestamp_seconds"
        "End of a certificate's validity, in Unix seconds. Of several in one file: the first end."
    HANDSHAKE_FAILURES "relay_handshake_failures_total"
        "TLS handshakes that failed, by side: of the public listener (in), and with upstreams (out)."
    RELOADS "relay_reloads_total"
        "Reloads of the configuration, by result."
    RELOAD_LAST_SUCCESS "relay_reload_last_success_timestamp_seconds"
        "Time when the configuration was last applied, at the start or by a reload, in Unix seconds."
    CONNECTIONS_OPEN "relay_connections_open"
        "Open connections of the public listener."
    CONNECTIONS_REFUSED "relay_connections_refused_total"
        "Connections of the public listener that were closed on accept because too many were open."
    ADMIN_LOGIN_FAILURES "relay_admin_login_failures_total"
        "Failed log-ins at the admin API, by cause."
    LOG_LINES_DROPPED "relay_log_lines_dropped_total"
        "Log lines that were lost because standard output was too slow."
    TRACE_SPANS_DROPPED "relay_trace_spans_dropped_total"
        "Trace spans that were lost because no collector accepted them in time."
}

impl Series {
    fn options(&self, labels: &[LabelPair<'_>]) -> Opts {
        labels
            .iter()
            .fold(Opts::new(self.name, self.help), |options, (name, value)| {
                options.const_label(*name, *value)
            })
    }

    // The library's series are created at start-up only. The library refuses invalid names and help texts, which
    // are the constants above, and bounds that do not ascend, which `buckets.rs` sorts.

    pub(crate) fn counter(&self, labels: &[LabelPair<'_>]) -> IntCounter {
        IntCounter::with_opts(self.options(labels)).expect("names, help texts and bounds are valid")
    }

    pub(crate) fn gauge(&self, labels: &[LabelPair<'_>]) -> IntGauge {
        IntGauge::with_opts(self.options(labels)).expect("names, help texts and bounds are valid")
    }

    pub(crate) fn seconds_gauge(&self, labels: &[LabelPair<'_>]) -> Gauge {
        Gauge::with_opts(self.options(labels)).expect("names, help texts and bounds are valid")
    }

    pub(crate) fn histogram(&self, labels: &[LabelPair<'_>], bounds: &[f64]) -> Histogram {
        let options = HistogramOpts::from(self.options(labels)).buckets(bounds.to_vec());
        Histogram::with_opts(options).expect("names, help texts and bounds are valid")
    }
}
