//! Framing attacks: each is refused or read in one way only. The tests compare what the upstreams received.

use test_support::{Caller, Gateway, Setup, Upstream};

use crate::attacks::{self, Attack, BODY, SMUGGLED};

/// Returns the statuses of all answers until the close.
fn statuses(gateway: &Gateway, attack: &Attack) -> Vec<u16> {
    let mut caller: Caller = gateway.caller();
    // The gateway may close the connection before it has read everything.
    let _sent = caller.try_send(attack.bytes.as_bytes());
    caller.finish_sending();
    let mut statuses = Vec::new();
    while let Ok(reply) = caller.try_reply() {
        statuses.push(reply.status);
    }
    statuses
}

#[test]
fn every_framing_attack_is_refused_or_read_in_one_way_and_never_becomes_two_requests() {
    assert_eq!(BODY.len(), 57);
    let (named, hidden) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new("http://127.0.0.1:1", &named.url())
        .biller("B0002", &hidden.url(), "")
        .start();
    for attack in attacks::all() {
        let before = named.count();
        assert_eq!(
            statuses(&gateway, &attack),
            attack.statuses,
            "{}",
            attack.name
        );
        let calls = &named.calls()[before..];
        assert_eq!(calls.len(), attack.calls, "{}: {calls:?}", attack.name);
        for call in calls {
            assert_eq!(String::from_utf8_lossy(&call.body), BODY, "{}", attack.name);
            assert_eq!(call.header("content-length"), Some("57"), "{}", attack.name);
            assert_eq!(call.header("transfer-encoding"), None, "{}", attack.name);
        }
        assert_eq!(
            hidden.count(),
            0,
            "{}: a request got through in another",
            attack.name
        );
    }
    // The hidden request is valid when it is sent openly.
    let mut caller = gateway.caller();
    caller.send(SMUGGLED.as_bytes());
    assert_eq!((caller.reply().status, hidden.count()), (200, 1));
}

#[test]
fn the_log_line_of_a_refused_request_says_which_rule_it_breaks() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with("[limits]\nhead_timeout = \"300ms\"")
        .start();
    let post = |lines: &str| format!("POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n{lines}\r\n");
    // request | status | reason | rule
    let table = [
        (
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            400,
            "framing",
            Some("content-length-and-transfer-encoding"),
        ),
        (post("Host: b\r\n"), 400, "framing", Some("two-hosts")),
        (
            post("X : a\r\n"),
            400,
            "framing",
            Some("space-before-colon"),
        ),
        (post("X: a\r\n b\r\n"), 400, "framing", Some("folded-line")),
        (post("X: a\rb\r\n"), 400, "framing", Some("bare-cr")),
        (post("X: a\0b\r\n"), 400, "framing", Some("nul")),
        (
            post("Transfer-Encoding: chunked\r\n") + "5 \r\n",
            400,
            "framing",
            Some("chunk-size"),
        ),
        (
            post(&"X: a\r\n".repeat(65)),
            431,
            "framing",
            Some("too-many-headers"),
        ),
        ("\x16\x03\x01".to_owned(), 400, "framing", Some("not-http")),
        ("POST".to_owned(), 408, "head-late", None),
    ];
    for (number, (request, status, reason, rule)) in (1..).zip(table) {
        let mut caller = gateway.caller();
        caller.send(request.as_bytes());
        assert_eq!(caller.reply().status, status, "{reason} {rule:?}");
        let is_call = |line: &serde_json::Value| !line["outcome"].is_null();
        gateway.await_log_times(number, is_call);
        let line = gateway.log().into_iter().rfind(is_call).unwrap();
        assert_eq!(line["reason"], reason, "{line}");
        assert_eq!(line["rule"].as_str(), rule, "{line}");
    }
}
