//! Spans at a collector, and calls while the collector fails.

use std::fs;

use serde_json::Value;
use test_support::{Action, Gateway, Message, Setup, Upstream};

use crate::traffic::{LINK_CREATE, NOTICE, PAY_RESULT, PREPAY, body};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";
const LOST: &str = "relay_trace_spans_dropped_total";

/// Starts a gateway that exports its traces to `collector`.
fn gateway(upstream: &Upstream, collector: &str) -> Gateway {
    Setup::new(&upstream.url(), &upstream.url())
        .with(&format!("[tracing]\notlp_endpoint = \"{collector}\""))
        .start()
}

/// Sends a notice of Kakao Pay with a trace.
fn notice(gateway: &Gateway, flags: &str, request_id: &str) {
    let traceparent = format!("00-{TRACE}-{CALLERS_SPAN}-{flags}");
    let headers = [("traceparent", &*traceparent), ("X-Request-Id", request_id)];
    let path = format!("{NOTICE}/B0001");
    let reply = gateway
        .caller()
        .post_with(&path, &headers, body(NOTICE).to_string());
    assert_eq!(reply.res_code(), "OK");
}

/// Returns the spans of all posts that the collector received.
fn spans(posts: &[Message]) -> Vec<Value> {
    let mut found = Vec::new();
    for post in posts {
        let body: Value = serde_json::from_slice(&post.body).unwrap();
        let resource = &body["resourceSpans"][0];
        assert_eq!(
            attribute(&resource["resource"], "service.name"),
            "relay-gateway"
        );
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        assert!((1..=512).contains(&spans.len()), "{}", spans.len());
        found.extend(spans.iter().cloned());
    }
    found
}

fn attribute(of: &Value, key: &str) -> Value {
    let attributes = of["attributes"].as_array().unwrap();
    let mut found = attributes.iter().filter(|one| one["key"] == key);
    let value = &found.next().unwrap_or_else(|| panic!("{key}: {of:#}"))["value"];
    assert!(found.next().is_none(), "{key} twice");
    value.as_object().unwrap().values().next().unwrap().clone()
}

#[track_caller]
fn nanos(span: &Value, member: &str) -> u64 {
    span[member].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_notice_is_a_span_in_the_callers_trace_and_the_billers_part_one_within_it() {
    let (upstream, collector) = (Upstream::ok(), Upstream::ok());
    let gateway = gateway(&upstream, &format!("{}/otlp", collector.url()));
    notice(&gateway, "01", "req-1");
    collector.await_calls(1);
    let posts = collector.calls();
    assert_eq!(posts[0].line, "POST /otlp/v1/traces HTTP/1.1");
    let content_type = posts[0].header("content-type").unwrap();
    assert!(content_type.starts_with("application/json"));
    assert_eq!(posts[0].header("authorization"), None);

    let spans = spans(&posts);
    let [client, server] = &spans[..] else {
        panic!("{spans:#?}");
    };
    assert_eq!((&server["kind"], &client["kind"]), (&2.into(), &3.into()));
    for span in [server, client] {
        assert_eq!(span["traceId"], TRACE);
        assert_eq!(attribute(span, "relay.api"), "notice");
        assert_eq!(attribute(span, "relay.biller"), "B0001");
        assert_eq!(attribute(span, "relay.request_id"), "req-1");
    }
    assert_eq!(server["parentSpanId"], CALLERS_SPAN);
    assert_eq!(client["parentSpanId"], server["spanId"]);
    let traceparent = upstream.calls()[0]
        .header("traceparent")
        .unwrap()
        .to_owned();
    let span_id = client["spanId"].as_str().unwrap();
    assert_eq!(traceparent, format!("00-{TRACE}-{span_id}-01"));

    assert_eq!(attribute(client, "relay.upstream"), "B0001");
    assert_eq!(attribute(server, "relay.res_code"), "OK");
    assert_eq!(attribute(server, "relay.outcome"), "relayed");
    assert_eq!(attribute(server, "http.response.status_code"), "200");
    let in_upstream = attribute(server, "relay.stage.upstream_seconds");
    assert!(in_upstream.as_f64().unwrap() > 0.0);
    let began = nanos(server, "startTimeUnixNano");
    assert!(began <= nanos(client, "startTimeUnixNano"));
    assert!(nanos(client, "startTimeUnixNano") < nanos(client, "endTimeUnixNano"));
    assert!(nanos(client, "endTimeUnixNano") <= nanos(server, "endTimeUnixNano"));
}

#[test]
fn a_trace_that_its_caller_does_not_record_is_not_exported() {
    let (upstream, collector) = (Upstream::ok(), Upstream::ok());
    let mut gateway = gateway(&upstream, &collector.url());
    notice(&gateway, "00", "not-recorded");
    notice(&gateway, "01", "recorded");
    // The last batch is exported at the stop.
    assert_eq!(gateway.terminate(), Some(0));
    let spans = spans(&collector.calls());
    assert_eq!(spans.len(), 2, "{spans:#?}");
    for span in spans {
        assert_eq!(attribute(&span, "relay.request_id"), "recorded");
    }
}

#[test]
fn no_span_has_personal_data_or_credentials() {
    let (upstream, collector) = (Upstream::ok(), Upstream::ok());
    let mut gateway = gateway(&upstream, &collector.url());
    let secret = "kept-to-itself";
    for path in [LINK_CREATE, NOTICE, PREPAY, PAY_RESULT] {
        let mut body = body(path);
        body["data"]["biller_user_key"] = secret.into();
        gateway.post(&format!("{path}/B0001"), body.to_string());
        gateway.post(&format!("{path}/{secret}"), body.to_string());
    }
    gateway.post(&format!("/{secret}"), "{}");
    assert_eq!(gateway.terminate(), Some(0));
    let posts = collector.calls();
    let spans = spans(&posts);
    assert_eq!(spans.len(), 4 * 2 + 4 + 1);
    for post in posts {
        let text = String::from_utf8(post.body).unwrap();
        for private in [secret, "KakaoAK", "19900301"] {
            assert!(!text.contains(private), "{private}: {text}");
        }
    }
}

/// Checks that calls are as fast as without a collector, and that its lost spans are counted.
fn costs_calls_nothing(collector: &str) {
    let upstream = Upstream::ok();
    let mut gateway = gateway(&upstream, collector);
    let mut caller = gateway.caller();
    let mut calls = 0;
    let mut call = || {
        for _ in 0..100 {
            let reply = caller.post(&format!("{NOTICE}/B0001"), body(NOTICE).to_string());
            assert_eq!(reply.res_code(), "OK");
            assert!(reply.elapsed.as_millis() < 1_000, "{:?}", reply.elapsed);
            calls += 1;
        }
        calls
    };
    call();
    let lost = |line: &Value| {
        line["message"]
            .as_str()
            .is_some_and(|m| m.starts_with("trace spans are dropped"))
    };
    let line = gateway.await_log(lost);
    assert_eq!(line["level"], "warn");
    let calls = call();
    let counted = gateway.metric(LOST);
    assert!(counted > 0 && counted <= 2 * calls, "{counted} of {calls}");
    assert_eq!(gateway.terminate(), Some(0));
    let logged = gateway.log().iter().filter(|line| lost(line)).count();
    assert_eq!(logged, 1, "not once for each batch");
}

#[test]
fn a_collector_that_hangs_slows_no_call_and_is_logged() {
    let hangs = Upstream::start(|_| Action::SendAndHang(Vec::new()));
    costs_calls_nothing(&hangs.url());
}

#[test]
fn a_collector_that_refuses_slows_no_call_and_is_logged() {
    let refuses = Upstream::start(|_| Action::json(503, "{}"));
    costs_calls_nothing(&refuses.url());
}

#[test]
fn a_collector_that_is_unreachable_slows_no_call_and_is_logged() {
    costs_calls_nothing("http://127.0.0.1:1");
}

#[test]
fn a_collector_that_comes_back_gets_the_spans_that_come_then() {
    let (upstream, collector) = (Upstream::ok(), Upstream::start(|_| Action::Reset));
    let gateway = gateway(&upstream, &collector.url());
    notice(&gateway, "01", "lost");
    gateway.await_log(|line| {
        line["message"] == "trace spans are dropped: the collector does not accept them"
    });
    assert_eq!(gateway.metric(LOST), 2);
    collector.now(|_| Action::ok());
    notice(&gateway, "01", "taken");
    gateway.await_log(|line| line["message"] == "the collector accepts trace spans again");
    assert_eq!(gateway.metric(LOST), 2);
}

#[test]
fn another_collector_takes_the_next_start() {
    let (upstream, collector) = (Upstream::ok(), Upstream::ok());
    let gateway = gateway(&upstream, &collector.url());
    let file = gateway.path().join("gateway.toml");
    let text = fs::read_to_string(&file).unwrap();
    let (old, new) = (collector.url(), format!("{}/other", collector.url()));
    let text = text.replace(
        &format!("otlp_endpoint = \"{old}"),
        &format!("otlp_endpoint = \"{new}"),
    );
    fs::write(&file, text).unwrap();
    gateway.signal("HUP");
    gateway.await_log(|line| line["keys"] == "tracing");
    notice(&gateway, "01", "as-before");
    collector.await_calls(1);
    assert_eq!(collector.calls()[0].line, "POST /v1/traces HTTP/1.1");
}
