//! Failed handshakes of the public listener are counted by their reason, and logged without end to none.

use std::io::{Read, Write};
use std::net::SocketAddr;

use serde_json::Value;
use test_support::{Authority, Gateway, Setup, Upstream, until};

use crate::listener::{client_hello, listen};
use crate::tls_client::{TlsClient, dial};

fn failures(gateway: &Gateway, reason: &str) -> i64 {
    let series = format!("relay_handshake_failures_total{{reason=\"{reason}\",side=\"in\"}}");
    gateway.metric(&series)
}

fn is_line(line: &Value, what: &str) -> bool {
    line["message"] == "TLS handshake failed"
        && line["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains(what))
}

/// Sends these bytes and waits for the end of the connection.
fn send(to: SocketAddr, bytes: &[u8]) {
    let mut socket = dial(to, None);
    socket.write_all(bytes).unwrap();
    let _end = socket.read_to_end(&mut Vec::new());
}

#[test]
fn a_failed_handshake_is_counted_by_its_reason_and_the_log_says_why() {
    let (authority, other) = (Authority::new(), Authority::named("other"));
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "required"))
        .start();
    let connect = |trusts: &Authority, certificate| {
        let client = TlsClient::new(trusts, certificate);
        if let Ok(mut caller) = client.connect(gateway.public()) {
            // In TLS 1.3 the refusal arrives after the client has finished.
            assert!(caller.try_reply().is_err());
        }
    };
    let expired = authority.expired_client("expired");
    let stranger = other.client("stranger");
    let cases: [(&str, &str, &dyn Fn()); 7] = [
        (
            "version",
            "no TLS version of the gateway, which has 1.3 and 1.2",
            &|| {
                send(gateway.public(), &client_hello([3, 2]));
            },
        ),
        ("not_tls", "http in place of https", &|| {
            send(
                gateway.public(),
                b"POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n\r\n",
            );
        }),
        ("certificate_missing", "presented no certificate", &|| {
            connect(&authority, None);
        }),
        (
            "certificate_expired",
            "expired on 2020-01-01T00:00:00Z",
            &|| {
                connect(&authority, Some(&expired));
            },
        ),
        ("certificate_issuer", "issuer that is not trusted", &|| {
            connect(&authority, Some(&stranger));
        }),
        (
            "alert",
            "does not trust the listener's certificate (alert unknown_ca)",
            &|| connect(&other, None),
        ),
        ("cipher", "no cipher suite in common", &|| {
            let mut hello = client_hello([3, 3]);
            // The first of its suites is the only one of TLS 1.2 that the certificate's key fits.
            let suite = hello
                .windows(2)
                .position(|pair| pair == [0xc0, 0x2b])
                .unwrap();
            hello[suite + 1] = 0x23;
            send(gateway.public(), &hello);
        }),
    ];
    for (reason, what, fail) in cases {
        fail();
        until(|| failures(&gateway, reason) == 1);
        let line = gateway.await_log(|line| is_line(line, what));
        assert_eq!(line["level"], "warn", "{line}");
        assert!(
            line["peer"].as_str().unwrap().starts_with("127.0.0.1:"),
            "{line}"
        );
    }
}

#[test]
fn health_checks_that_connect_and_close_are_counted_and_make_no_lines() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .start();
    for _ in 0..3 {
        drop(dial(gateway.public(), None));
    }
    until(|| failures(&gateway, "closed") == 3);
    assert!(!gateway.log().iter().any(|line| is_line(line, "")));
}

#[test]
fn a_stranger_who_fails_a_hundred_handshakes_makes_ten_lines() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .start();
    for _ in 0..100 {
        send(gateway.public(), b"GET / HTTP/1.1\r\n\r\n");
    }
    until(|| failures(&gateway, "not_tls") == 100);
    // A later line of another reason: whatever was written before it has arrived.
    send(gateway.public(), &client_hello([3, 1]));
    gateway.await_log(|line| is_line(line, "no TLS version"));
    let lines = gateway.log();
    assert_eq!(
        lines.iter().filter(|line| is_line(line, "no TLS:")).count(),
        10
    );
}
