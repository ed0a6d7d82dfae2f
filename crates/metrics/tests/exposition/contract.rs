//! Names, types and labels of contract section 7.

use std::collections::BTreeSet;
use std::time::Duration;

use metrics::{Answered, LedgerOperation, Metrics, RejectedReason, ResCodeLabel, Stage};
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
const OURS: &[(&str, &str, &[&str])] =
    &[("relay_stage_seconds_total", "counter", &["api", "stage"])];

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
        &Answered {
            api: Some(Api::Notice),
            res_code: ResCodeLabel::from(ResCode::E806),
            status: 504,
            total: Duration::from_secs(3),
            upstream: Some(Duration::from_millis(2_999)),
        },
    );
    metrics.rejected(RejectedReason::Rate);
    metrics.stage(Some(Api::Notice), Stage::Parse, Duration::from_micros(20));
    drop(metrics.time_ledger(LedgerOperation::Lookup));
    metrics.ledger_operation(LedgerOperation::Redis, Duration::from_micros(90));
    metrics.ledger_unavailable(LedgerOperation::Redis);
    metrics.set_circuit_state("kakao", 1);
    Page::read(&metrics.encode())
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
fn reasons_are_those_of_the_contract_and_each_is_there_from_the_start() {
    let page = Page::read(&Metrics::new(Duration::from_secs(3)).encode());
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
    let page = Page::read(&metrics.encode());
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
