//! Names, types and labels of contract section 7.

use std::collections::BTreeSet;
use std::time::Duration;

use metrics::{
    AnsweredCall, BillerStatus, Certificate, GatewayStatus, JournalStatus, LedgerOperation,
    Metrics, RedisStatus, RejectedReason, ResCodeLabel, StageTimes, UndeliveredStatus,
};
use protocol::{Api, BillerCode, ResCode};

use crate::page::Page;

/// name | type | labels, in alphabetical order.
const CONTRACT: &[(&str, &str, &[&str])] = &[
    (
        "relay_requests_total",
        "counter",
        &["api", "biller", "res_code", "status"],
    ),
    ("relay_request_duration_seconds", "histogram", &["api"]),
    (
        "relay_upstream_duration_seconds",
        "histogram",
        &["api", "biller"],
    ),
    ("relay_overhead_seconds", "histogram", &["api"]),
    ("relay_budget_seconds", "gauge", &[]),
    ("relay_budget_exceeded_total", "counter", &["api", "biller"]),
    ("relay_in_flight_requests", "gauge", &["biller"]),
    ("relay_prepay_short_circuits_total", "counter", &["biller"]),
    (
        "relay_pay_results_refused_total",
        "counter",
        &["biller", "res_code"],
    ),
    ("relay_rejected_total", "counter", &["reason"]),
    ("relay_circuit_state", "gauge", &["upstream"]),
    (
        "relay_ledger_operation_duration_seconds",
        "histogram",
        &["operation"],
    ),
    ("relay_ledger_unavailable_total", "counter", &["operation"]),
    ("relay_payments_undelivered", "gauge", &[]),
    ("relay_ledger_unshared_facts", "gauge", &[]),
    ("relay_double_payments_total", "counter", &["biller"]),
];

/// Beyond the contract.
const OURS: &[(&str, &str, &[&str])] = &[
    ("relay_stage_seconds_total", "counter", &["api", "stage"]),
    ("relay_biller_info", "gauge", &["biller", "name"]),
    ("relay_biller_suspended", "gauge", &["biller"]),
    ("relay_build_info", "gauge", &["version"]),
    ("relay_ready", "gauge", &[]),
    ("relay_journal_writable", "gauge", &[]),
    ("relay_journal_size_bytes", "gauge", &[]),
    ("relay_journal_disk_free_bytes", "gauge", &[]),
    ("relay_journal_commits_total", "counter", &[]),
    ("relay_journal_owed_facts", "gauge", &[]),
    ("relay_ledger_redis_up", "gauge", &[]),
    ("relay_ledger_unshared_oldest_seconds", "gauge", &[]),
    ("relay_payments_undelivered_oldest_seconds", "gauge", &[]),
    ("relay_payments_undelivered_by_biller", "gauge", &["biller"]),
    (
        "relay_certificate_expiry_timestamp_seconds",
        "gauge",
        &["certificate"],
    ),
    ("relay_reloads_total", "counter", &["result"]),
    ("relay_reload_last_success_timestamp_seconds", "gauge", &[]),
    ("relay_connections_open", "gauge", &[]),
    ("relay_connections_refused_total", "counter", &[]),
    ("relay_log_lines_dropped_total", "counter", &[]),
    ("relay_trace_spans_dropped_total", "counter", &[]),
];

/// A gateway of which everything can be told.
fn everything_known() -> GatewayStatus<'static> {
    GatewayStatus {
        billers: vec![BillerStatus {
            code: BillerCode::parse("B0001").unwrap(),
            name: "B0001",
            is_suspended: true,
        }],
        journal: JournalStatus {
            size_bytes: Some(4_096),
            disk_free_bytes: Some(1 << 40),
            ..JournalStatus::default()
        },
        undelivered: UndeliveredStatus {
            events: 3,
            oldest: Duration::from_millis(1_500),
            by_biller: vec![(BillerCode::parse("B0001"), 2), (None, 1)],
        },
        redis: RedisStatus {
            is_up: Some(false),
            ..RedisStatus::default()
        },
        ..GatewayStatus::default()
    }
}

fn everything_happened() -> Page {
    let metrics = Metrics::new(Duration::from_secs(3));
    let biller = metrics.biller(BillerCode::parse("B0001").unwrap());
    biller.upstream_answered(Api::Notice, Duration::from_millis(2));
    biller.pay_result_refused(ResCode::E007);
    biller.prepay_short_circuited();
    biller.double_payment();
    let _in_flight = biller.enter();
    metrics.answered(
        &biller,
        &AnsweredCall {
            api: Some(Api::Notice),
            res_code: ResCodeLabel::from(ResCode::E806),
            status: 504,
            total: Duration::from_secs(3),
            upstream: Some(Duration::from_millis(2_999)),
            stages: StageTimes::default(),
        },
    );
    metrics.rejected(RejectedReason::Rate);
    drop(metrics.time_ledger(LedgerOperation::Lookup));
    metrics.ledger_operation(LedgerOperation::Redis, Duration::from_micros(90));
    metrics.ledger_unavailable(LedgerOperation::Redis);
    metrics.set_circuit_state("kakao", 1);
    metrics.set_certificate_expiry(Certificate::Listener, 1_900_000_000);
    Page::read(&metrics.encode(&everything_known()))
}

#[test]
fn every_series_of_the_contract_is_there_with_its_type_and_labels_and_no_other() {
    let page = everything_happened();
    let mut expected = BTreeSet::new();
    for (name, kind, labels) in CONTRACT.iter().chain(OURS) {
        let family = page
            .families
            .get(*name)
            .unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(family.kind, *kind, "{name}");
        assert!(
            family.labels.iter().eq(labels.iter()),
            "{name}: {:?}",
            family.labels
        );
        expected.insert(*name);
    }
    let beyond = page
        .families
        .keys()
        .filter(|name| !name.starts_with("process_"));
    assert_eq!(
        beyond.map(String::as_str).collect::<BTreeSet<_>>(),
        expected
    );
}

#[test]
fn the_usual_series_of_the_process_are_there() {
    let page = everything_happened();
    for name in [
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
        "process_start_time_seconds",
        "process_threads",
    ] {
        assert!(page.families.contains_key(name), "{name}");
    }
    assert!(page.value("process_resident_memory_bytes") > 0.0);
}

#[test]
fn how_the_gateway_stands_is_told_as_it_is() {
    let page = everything_happened();
    for (series, value) in [
        ("relay_ready", 0.0),
        (r#"relay_biller_info{biller="B0001",name="B0001"}"#, 1.0),
        (r#"relay_biller_suspended{biller="B0001"}"#, 1.0),
        ("relay_journal_size_bytes", 4_096.0),
        ("relay_journal_disk_free_bytes", 1_099_511_627_776.0),
        ("relay_payments_undelivered", 3.0),
        ("relay_payments_undelivered_oldest_seconds", 1.5),
        (
            r#"relay_payments_undelivered_by_biller{biller="B0001"}"#,
            2.0,
        ),
        (
            r#"relay_payments_undelivered_by_biller{biller="unknown"}"#,
            1.0,
        ),
        ("relay_ledger_redis_up", 0.0),
    ] {
        assert_eq!(page.value(series), value, "{series}");
    }
}

#[test]
fn what_is_not_known_or_not_configured_has_no_series() {
    let page = Page::read(&Metrics::new(Duration::from_secs(3)).encode(&GatewayStatus::default()));
    for series in [
        "relay_ledger_redis_up",
        "relay_journal_size_bytes",
        "relay_journal_disk_free_bytes",
        "relay_certificate_expiry_timestamp_seconds",
        "relay_payments_undelivered_by_biller",
    ] {
        assert_eq!(page.count(series), 0, "{series}");
    }
}

#[test]
fn reasons_are_those_of_the_contract_and_each_is_there_from_the_start() {
    let page = Page::read(&Metrics::new(Duration::from_secs(3)).encode(&GatewayStatus::default()));
    for reason in [
        "address",
        "authorization",
        "rate",
        "body",
        "overload",
        "circuit",
    ] {
        assert_eq!(
            page.value(&format!(r#"relay_rejected_total{{reason="{reason}"}}"#)),
            0.0
        );
    }
    assert_eq!(page.count("relay_rejected_total"), 6);
}

#[test]
fn what_can_be_at_zero_is_at_zero_from_the_start() {
    let metrics = Metrics::new(Duration::from_millis(2_500));
    metrics.biller(BillerCode::parse("B0001").unwrap());
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    assert_eq!(page.value("relay_budget_seconds"), 2.5);
    for series in [
        "relay_payments_undelivered",
        "relay_ledger_unshared_facts",
        r#"relay_circuit_state{upstream="kakao"}"#,
        r#"relay_circuit_state{upstream="B0001"}"#,
        r#"relay_in_flight_requests{biller="B0001"}"#,
        r#"relay_prepay_short_circuits_total{biller="B0001"}"#,
        r#"relay_double_payments_total{biller="B0001"}"#,
        r#"relay_budget_exceeded_total{api="pay_result",biller="B0001"}"#,
        r#"relay_pay_results_refused_total{biller="B0001",res_code="E007"}"#,
        r#"relay_ledger_unavailable_total{operation="redis"}"#,
        r#"relay_requests_total{api="notice",biller="B0001",res_code="OK",status="200"}"#,
        r#"relay_requests_total{api="unknown",biller="unknown",res_code="OK",status="200"}"#,
    ] {
        assert_eq!(page.value(series), 0.0, "{series}");
    }
    assert_eq!(
        page.count(r#"relay_requests_total{api="unknown",biller="B0001""#),
        0
    );
}
