//! The exposition against the tables of contract section 7: names, types, labels and their values.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics::{
    AnsweredCall, BillerStatus, CacheStatus, CertificateExpiry, CertificateUse, GatewayStatus,
    HandshakeReason, JournalStatus, LedgerOperation, Metrics, RedisStatus, RejectedReason,
    ResCodeLabel, StageTimes, UndeliveredStatus,
};
use protocol::{Api, BillerCode, ResCode};

use crate::document::{assert_agree, code, codes, contract, rows, under};
use crate::page::Page;

const HEADING: &str = "## 7. Ops listener";

/// A gateway whose every value is set.
fn everything_known() -> GatewayStatus<'static> {
    GatewayStatus {
        billers: vec![BillerStatus {
            code: BillerCode::parse("B0001").unwrap(),
            name: "B0001",
            is_suspended: true,
            answer_bytes: 4_096,
        }],
        bills: vec![(BillerCode::parse("B0001"), 2), (None, 1)],
        journal: JournalStatus {
            size_bytes: Some(4_096),
            disk_free_bytes: Some(1 << 40),
            ..JournalStatus::default()
        },
        cache: CacheStatus {
            bytes: 65_536,
            hits: 5,
            misses: 2,
        },
        undelivered: UndeliveredStatus {
            events: 3,
            oldest: Duration::from_millis(1_500),
            by_biller: vec![(BillerCode::parse("B0001"), 2), (None, 1)],
        },
        certificates: vec![CertificateExpiry {
            party: "public",
            usage: CertificateUse::Server,
            not_after: 1_900_000_000,
        }],
        redis: RedisStatus {
            is_up: Some(false),
            is_number_taken: Some(true),
            replication_lag: vec![(2, Duration::from_millis(1_500)), (3, Duration::ZERO)],
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
    metrics.stamps_ahead(1);
    metrics.payment_on_one_disk();
    metrics.replication_entry_refused();
    metrics.set_circuit_state("kakao", 1);
    metrics.inbound_handshakes().count(HandshakeReason::Version);
    Page::read(&metrics.encode(&everything_known()))
}

#[test]
fn every_series_of_the_contract_is_there_with_its_type_and_labels_and_no_other() {
    type Shape = (String, BTreeSet<String>);
    let contract = contract();
    let mut written: BTreeMap<String, Shape> = BTreeMap::new();
    let head = ["series", "type", "labels", "unit", "meaning"];
    for [name, kind, labels, unit, meaning] in rows(under(&contract, HEADING), head) {
        assert!(!unit.is_empty() && !meaning.is_empty(), "{name}");
        let shape = (kind.to_owned(), codes(labels).map(str::to_owned).collect());
        let former = written.insert(code(name).to_owned(), shape);
        assert_eq!(former, None, "{name} twice");
    }
    let shown = everything_happened().families.into_iter();
    let shown = shown.map(|(name, family)| (name, (family.kind, family.labels)));
    assert_agree(&written, &shown.collect());
}

#[test]
fn the_memory_of_the_process_is_shown() {
    let page = everything_happened();
    assert!(page.value("process_resident_memory_bytes") > 0.0);
}

#[test]
fn the_status_of_the_gateway_is_exposed() {
    let page = everything_happened();
    for (series, value) in [
        ("relay_ready", 0.0),
        (r#"relay_biller_info{biller="B0001",name="B0001"}"#, 1.0),
        (r#"relay_biller_suspended{biller="B0001"}"#, 1.0),
        ("relay_journal_size_bytes", 4_096.0),
        ("relay_journal_disk_free_bytes", 1_099_511_627_776.0),
        ("relay_ledger_cache_bytes", 65_536.0),
        (r#"relay_ledger_cache_requests_total{result="hit"}"#, 5.0),
        (r#"relay_ledger_cache_requests_total{result="miss"}"#, 2.0),
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
        ("relay_node_number_taken", 1.0),
        (r#"relay_replication_lag_seconds{node="2"}"#, 1.5),
        (r#"relay_replication_lag_seconds{node="3"}"#, 0.0),
        ("relay_payments_on_one_disk_total", 1.0),
        ("relay_replication_entries_refused_total", 1.0),
        (
            r#"relay_certificate_expiry_timestamp_seconds{party="public",use="server"}"#,
            1_900_000_000.0,
        ),
        (
            r#"relay_handshake_failures_total{reason="version",side="in"}"#,
            1.0,
        ),
        (
            r#"relay_handshake_failures_total{reason="version",side="out"}"#,
            0.0,
        ),
    ] {
        assert_eq!(page.value(series), value, "{series}");
    }
}

#[test]
fn what_is_not_known_or_not_configured_has_no_series() {
    let page = Page::read(&Metrics::new(Duration::from_secs(3)).encode(&GatewayStatus::default()));
    for series in [
        "relay_ledger_redis_up",
        "relay_node_number_taken",
        "relay_replication_lag_seconds",
        "relay_journal_size_bytes",
        "relay_journal_disk_free_bytes",
        "relay_certificate_expiry_timestamp_seconds",
        "relay_payments_undelivered_by_biller",
    ] {
        assert_eq!(page.count(series), 0, "{series}");
    }
}

#[test]
fn labels_with_few_values_have_those_of_the_contract_and_each_is_there_from_the_start() {
    let contract = contract();
    let written = rows(under(&contract, HEADING), ["label", "values"]);
    let page = Page::read(&Metrics::new(Duration::from_secs(3)).encode(&GatewayStatus::default()));
    for (label, series) in [
        ("side", "relay_handshake_failures_total"),
        ("reason", "relay_handshake_failures_total"),
        ("api", "relay_request_duration_seconds_count"),
        ("stage", "relay_stage_seconds_total"),
        ("reason", "relay_rejected_total"),
        ("operation", "relay_ledger_unavailable_total"),
        ("result", "relay_reloads_total"),
        ("result", "relay_ledger_cache_requests_total"),
        ("cause", "relay_admin_login_failures_total"),
    ] {
        // Where a label has other values in one series, the row names that series behind the label.
        let row = |names: &[&str]| {
            written
                .iter()
                .find(|row| codes(row[0]).eq(names.iter().copied()))
        };
        let row = row(&[label, series]).or_else(|| row(&[label]));
        let values: BTreeSet<&str> = codes(row.unwrap()[1]).collect();
        let prefix = format!("{series}{{");
        let samples = page.samples.keys().filter(|name| name.starts_with(&prefix));
        let shown = samples.map(|name| {
            let (_, value) = name.split_once(&format!("{label}=\"")).unwrap();
            value.split('"').next().unwrap()
        });
        assert_eq!(values, shown.collect(), "{label}");
    }
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
        "relay_ledger_cache_bytes",
        "relay_payments_on_one_disk_total",
        "relay_replication_entries_refused_total",
        r#"relay_ledger_cache_requests_total{result="miss"}"#,
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
