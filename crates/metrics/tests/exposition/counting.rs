//! What is counted where.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use metrics::{
    AnsweredCall, BillerSeries, GatewayStatus, LedgerOperation, Metrics, ReloadResult,
    ResCodeLabel, Stage, StageTimes,
};
use protocol::{Api, BillerCode, ResCode};

use crate::page::Page;

fn gateway() -> (Arc<Metrics>, Arc<BillerSeries>) {
    let metrics = Metrics::new(Duration::from_secs(3));
    let biller = metrics.biller(BillerCode::parse("B0001").unwrap());
    (metrics, biller)
}

fn prepay(code: ResCode, status: u16, total_ms: u64, upstream_ms: Option<u64>) -> AnsweredCall {
    AnsweredCall {
        api: Some(Api::Prepay),
        res_code: ResCodeLabel::from(code),
        status,
        total: Duration::from_millis(total_ms),
        upstream: upstream_ms.map(Duration::from_millis),
        stages: StageTimes::default(),
    }
}

#[test]
fn the_budget_is_an_edge_and_what_takes_longer_has_exceeded_it() {
    let exceeded = r#"relay_budget_exceeded_total{api="prepay",biller="B0001"}"#;
    let within = r#"relay_request_duration_seconds_bucket{api="prepay",le="3"}"#;
    // what | code | status | total | in the budget's bucket | exceeded
    let table = [
        ("early", ResCode::Ok, 200, 2_999, 1.0, 0.0),
        ("exactly at its end", ResCode::Ok, 200, 3_000, 1.0, 0.0),
        ("late", ResCode::Ok, 200, 3_001, 0.0, 1.0),
        ("timed out", ResCode::E806, 504, 3_002, 0.0, 1.0),
        (
            "timed out, the clock read early",
            ResCode::E806,
            504,
            2_999,
            1.0,
            1.0,
        ),
        ("an upstream said E806", ResCode::E806, 200, 10, 1.0, 0.0),
    ];
    for (what, code, status, total_ms, in_bucket, is_exceeded) in table {
        let (metrics, biller) = gateway();
        metrics.answered(&biller, &prepay(code, status, total_ms, None));
        let page = Page::read(&metrics.encode(&GatewayStatus::default()));
        assert_eq!(page.value(within), in_bucket, "{what}");
        assert_eq!(page.value(exceeded), is_exceeded, "{what}");
    }
}

#[test]
fn overhead_is_the_total_less_the_upstream_and_never_negative() {
    // total | upstream | overhead in seconds
    let table = [(20, Some(15), 0.005), (20, None, 0.02), (20, Some(21), 0.0)];
    for (total_ms, upstream_ms, overhead) in table {
        let (metrics, biller) = gateway();
        metrics.answered(&biller, &prepay(ResCode::Ok, 200, total_ms, upstream_ms));
        let page = Page::read(&metrics.encode(&GatewayStatus::default()));
        assert_eq!(
            page.value(r#"relay_overhead_seconds_sum{api="prepay"}"#),
            overhead
        );
        assert_eq!(
            page.value(r#"relay_overhead_seconds_count{api="prepay"}"#),
            1.0
        );
    }
}

#[test]
fn an_upstreams_time_is_counted_once_where_it_is_reported() {
    let (metrics, biller) = gateway();
    biller.upstream_answered(Api::Prepay, Duration::from_millis(15));
    metrics.answered(&biller, &prepay(ResCode::Ok, 200, 20, Some(15)));
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    let count = r#"relay_upstream_duration_seconds_count{api="prepay",biller="B0001"}"#;
    assert_eq!(page.value(count), 1.0);
    assert_eq!(
        page.value(r#"relay_upstream_duration_seconds_sum{api="prepay",biller="B0001"}"#),
        0.015
    );
}

#[test]
fn a_call_is_in_flight_until_its_guard_is_dropped() {
    let (metrics, biller) = gateway();
    let in_flight = || {
        let page = Page::read(&metrics.encode(&GatewayStatus::default()));
        page.value(r#"relay_in_flight_requests{biller="B0001"}"#)
    };
    let first = biller.enter();
    let second = biller.enter();
    assert_eq!(in_flight(), 2.0);
    drop(first);
    assert_eq!(in_flight(), 1.0);
    drop(second);
    assert_eq!(in_flight(), 0.0);
}

#[test]
fn the_stages_of_calls_are_added_up_to_the_nanosecond() {
    let (metrics, biller) = gateway();
    let stages = StageTimes::of(|stage| match stage {
        Stage::Ledger => Duration::from_millis(250),
        Stage::Parse => Duration::from_nanos(1),
        _ => Duration::ZERO,
    });
    assert_eq!(stages.get(Stage::Ledger), Duration::from_millis(250));
    let answered = AnsweredCall {
        stages,
        ..prepay(ResCode::Ok, 200, 251, None)
    };
    metrics.answered(&biller, &answered);
    metrics.answered(&biller, &answered);
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    for (stage, seconds) in [("ledger", 0.5), ("parse", 2e-9), ("settle", 0.0)] {
        let series = format!(r#"relay_stage_seconds_total{{api="prepay",stage="{stage}"}}"#);
        assert_eq!(page.value(&series), seconds, "{stage}");
    }
}

#[test]
fn ledger_operations_are_counted_under_their_names() {
    let (metrics, _) = gateway();
    drop(metrics.time_ledger(LedgerOperation::JournalCommit));
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    let commits = r#"relay_ledger_operation_duration_seconds_count{operation="journal_commit"}"#;
    assert_eq!(page.value(commits), 1.0);
}

#[test]
fn reloads_are_counted_and_only_one_that_was_done_moves_the_time() {
    let (metrics, _) = gateway();
    let page = || Page::read(&metrics.encode(&GatewayStatus::default()));
    let last = || page().value("relay_reload_last_success_timestamp_seconds");
    let at_start = last();
    assert!(at_start > 1_700_000_000.0);
    metrics.reloaded(ReloadResult::Refused);
    assert_eq!(last(), at_start);
    metrics.reloaded(ReloadResult::Done);
    assert!(last() >= at_start);
    for result in ["done", "refused"] {
        let series = format!(r#"relay_reloads_total{{result="{result}"}}"#);
        assert_eq!(page().value(&series), 1.0);
    }
}

#[test]
fn no_answer_is_lost_when_threads_count_at_once() {
    let (metrics, biller) = gateway();
    let answers = [
        prepay(ResCode::Ok, 200, 1, None),
        prepay(ResCode::E809, 502, 1, None),
    ];
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..1_000 {
                    for answer in &answers {
                        metrics.answered(&biller, answer);
                    }
                }
            });
        }
    });
    let page = Page::read(&metrics.encode(&GatewayStatus::default()));
    for (code, status) in [("OK", "200"), ("E809", "502")] {
        let series = format!(
            r#"relay_requests_total{{api="prepay",biller="B0001",res_code="{code}",status="{status}"}}"#
        );
        assert_eq!(page.value(&series), 4_000.0);
    }
    assert_eq!(
        page.value(r#"relay_request_duration_seconds_count{api="prepay"}"#),
        8_000.0
    );
}
