//! Tests of the posted JSON.

#![allow(clippy::unwrap_used)]

use actix_web::http::header::{HeaderMap, HeaderValue};
use metrics::{ResCodeLabel, Stage, StageTimes};
use protocol::ResCode;
use serde_json::json;

use super::*;
use crate::request_id::{TRACEPARENT, TraceParent};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Returns a notice of a registered biller that took 30 ms, without an upstream call.
pub fn call() -> CallSpans {
    let given = HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let mut headers = HeaderMap::new();
    headers.append(TRACEPARENT, given);
    CallSpans {
        trace: TraceParent::of(&headers),
        request_id: HeaderValue::from_static("req-1"),
        api: Some(Api::Notice),
        biller: BillerCode::parse("B0001"),
        res_code: ResCodeLabel::from(ResCode::Ok),
        status: 200,
        outcome: Outcome::Relayed,
        ended_at: SystemTime::UNIX_EPOCH + Duration::new(1_795_478_400, 30_000_007),
        total: Duration::from_millis(30),
        stages: StageTimes::of(|stage| match stage {
            Stage::Upstream => Duration::from_millis(25),
            Stage::Admission => Duration::from_millis(5),
            _ => Duration::ZERO,
        }),
        upstream: None,
    }
}

/// Returns the same with an upstream call of 25 ms.
pub fn with_upstream() -> CallSpans {
    CallSpans {
        upstream: Some(UpstreamTiming {
            offset: Duration::from_millis(5),
            duration: Duration::from_millis(25),
        }),
        ..call()
    }
}

fn exported(calls: &[CallSpans]) -> serde_json::Value {
    let bytes = export_request(calls, || "00f067aa0ba902b7".to_owned()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_call_is_a_server_span_and_its_upstream_call_a_client_span() {
    let call = with_upstream();
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let stage = |stage: &str, seconds: f64| {
        let key = format!("relay.stage.{stage}_seconds");
        json!({"key": key, "value": {"doubleValue": seconds}})
    };
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({"resourceSpans": [{
        "resource": {"attributes": [
            text("service.name", "relay-gateway"), text("service.version", version),
        ]},
        "scopeSpans": [{
            "scope": {"name": "relay-gateway", "version": version},
            "spans": [
                {
                    "traceId": TRACE,
                    "spanId": call.trace.span_id(),
                    "parentSpanId": "00f067aa0ba902b7",
                    "name": "notice",
                    "kind": 3,
                    "startTimeUnixNano": "1795478400005000007",
                    "endTimeUnixNano": "1795478400030000007",
                    "attributes": [
                        text("relay.api", "notice"), text("relay.biller", "B0001"),
                        text("relay.request_id", "req-1"), text("relay.upstream", "B0001"),
                    ],
                    "status": {"code": 0},
                },
                {
                    "traceId": TRACE,
                    "spanId": "00f067aa0ba902b7",
                    "parentSpanId": "b7ad6b7169203331",
                    "name": "notice",
                    "kind": 2,
                    "startTimeUnixNano": "1795478400000000007",
                    "endTimeUnixNano": "1795478400030000007",
                    "attributes": [
                        text("relay.api", "notice"), text("relay.biller", "B0001"),
                        text("relay.request_id", "req-1"), text("relay.res_code", "OK"),
                        text("relay.outcome", "relayed"),
                        {"key": "http.response.status_code", "value": {"intValue": "200"}},
                        stage("admission", 0.005), stage("parse", 0.0), stage("ledger", 0.0),
                        stage("connect", 0.0), stage("upstream", 0.025), stage("settle", 0.0),
                        stage("reply", 0.0),
                    ],
                    "status": {"code": 0},
                },
            ],
        }],
    }]});
    assert_eq!(exported(&[call]), expected);
}

#[test]
fn a_new_trace_has_no_parent_and_an_unknown_biller_is_unknown() {
    let unknown = CallSpans {
        trace: TraceParent::of(&HeaderMap::new()),
        api: None,
        biller: None,
        outcome: Outcome::Error,
        ..call()
    };
    let exported = exported(&[unknown, with_upstream()]);
    let spans = exported["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
    let spans = spans.unwrap();
    assert_eq!(spans.len(), 3);
    assert_eq!(spans[0].get("parentSpanId"), None);
    assert_eq!(spans[0]["name"], "unknown");
    assert_eq!(spans[0]["attributes"][1]["value"]["stringValue"], "unknown");
    assert_eq!(spans[0]["status"]["code"], 2);
}

#[test]
fn the_upstream_of_a_link_call_is_kakao_pay() {
    let link = CallSpans {
        api: Some(Api::LinkCreate),
        ..with_upstream()
    };
    let exported = exported(&[link]);
    let client = &exported["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    let upstream = json!({"key": "relay.upstream", "value": {"stringValue": "kakao"}});
    assert_eq!(client["attributes"][3], upstream);
}
