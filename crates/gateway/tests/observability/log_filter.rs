//! Level and filter of the log, changed while the gateway runs.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_support::{Caller, Gateway, Reply, Setup, Upstream, hex};

use crate::traffic::{NOTICE, body};

const TOKEN: &str = "operators-only";

fn gateway() -> (Upstream, Gateway) {
    let upstream = Upstream::ok();
    let digest = hex(&Sha256::digest(TOKEN));
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&format!("[ops]\nadmin_token_sha256 = \"{digest}\""))
        .start();
    (upstream, gateway)
}

fn request(gateway: &Gateway, method: &str, token: &str, body: &str) -> Reply {
    let mut caller = Caller::connect(gateway.ops());
    caller.send(
        format!(
            "{method} /admin/log-filter HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    caller.reply()
}

fn set(gateway: &Gateway, filter: &str) -> Reply {
    request(
        gateway,
        "PUT",
        TOKEN,
        &json!({ "filter": filter }).to_string(),
    )
}

fn filter(gateway: &Gateway) -> Value {
    let reply = request(gateway, "GET", TOKEN, "");
    serde_json::from_slice(&reply.body).unwrap()
}

fn call(gateway: &Gateway, request_id: &str) {
    let headers = [("X-Request-Id", request_id)];
    let body = body(NOTICE).to_string();
    let reply = gateway
        .caller()
        .post_with(&format!("{NOTICE}/B0001"), &headers, body);
    assert_eq!(reply.status, 200);
}

#[test]
fn a_filter_is_in_force_at_once_and_until_the_next_start() {
    let (_upstream, gateway) = gateway();
    assert_eq!(
        filter(&gateway),
        json!({"filter": "info", "at_start": "info"})
    );
    call(&gateway, "before");

    let reply = set(&gateway, "info, call=off");
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(filter(&gateway)["filter"], "info,call=off");
    call(&gateway, "silent");

    assert_eq!(set(&gateway, "info").status, 200);
    call(&gateway, "after");
    gateway.await_log(|line| line["request_id"] == "after");
    let called = |id: &str| gateway.log().iter().any(|line| line["request_id"] == *id);
    assert!(called("before") && !called("silent"));
    let change = gateway.await_log(|line| line["after"] == "info,call=off");
    assert_eq!(change["before"], "info");

    assert_eq!(set(&gateway, "warn").status, 200);
    let gateway = gateway.stop_and_restart();
    assert_eq!(filter(&gateway)["filter"], "info");
}

#[test]
fn a_bad_filter_is_refused_with_a_reason_and_changes_nothing() {
    let (_upstream, gateway) = gateway();
    for bad in ["", "loud", "info,,warn", "ledger=loud", &"x".repeat(2_000)] {
        let reply = set(&gateway, bad);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(reply.status, 400, "{bad}");
        assert_eq!(body["error"]["code"], "bad_filter");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("nothing changed: "), "{message}");
    }
    let unknown = request(&gateway, "PUT", TOKEN, r#"{"filters":"info"}"#);
    assert_eq!(unknown.status, 400);
    assert_eq!(filter(&gateway)["filter"], "info");
}

#[test]
fn only_an_operator_sees_or_changes_it() {
    let (_upstream, gateway) = gateway();
    for method in ["GET", "PUT"] {
        let reply = request(&gateway, method, "wrong", r#"{"filter":"off"}"#);
        assert_eq!(reply.status, 401, "{method}");
    }
    assert_eq!(request(&gateway, "DELETE", TOKEN, "").status, 405);
    assert_eq!(filter(&gateway)["filter"], "info");
}
