//! A client certificate that expires on an open connection.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use test_support::{
    Action, Authority, Gate, NOTICE, PAY_RESULT, Setup, Upstream, notice, pay_result,
};

use crate::listener::listen;
use crate::tls_client::TlsClient;

/// How long after the expiry a connection is closed at the latest.
const SLACK: Duration = Duration::from_secs(2);

#[test]
fn an_idle_connection_is_closed_in_the_second_in_which_its_certificate_expires() {
    let authority = Authority::new();
    let (brief, expired_at) = authority.client_for_seconds("brief", 2);
    let lasting = authority.client("lasting");
    let upstream = Upstream::ok();
    for client_auth in ["optional", "required"] {
        let gateway = Setup::new(&upstream.url(), &upstream.url())
            .with(&listen("127.0.0.1:0", &authority, client_auth))
            .start();
        let connect = |certificate| {
            let client = TlsClient::new(&authority, certificate);
            client.connect(gateway.public())
        };
        if SystemTime::now() >= expired_at {
            let late = connect(Some(&brief)).map(|mut late| late.try_reply());
            assert!(late.is_err() || late.unwrap().is_err(), "{client_auth}");
            continue;
        }
        let mut silent = connect(Some(&brief)).unwrap();
        let mut used = connect(Some(&brief)).unwrap();
        let mut other = connect(Some(&lasting)).unwrap();
        for caller in [&mut used, &mut other] {
            let reply = caller.post(NOTICE, notice("u").to_string());
            assert_eq!((reply.status, reply.header("connection")), (200, None));
        }
        assert!(silent.is_closed() && used.is_closed());
        let closed_at = SystemTime::now();
        assert!(
            closed_at >= expired_at,
            "{:?}",
            expired_at.duration_since(closed_at)
        );
        let late_by = closed_at.duration_since(expired_at).unwrap();
        assert!(late_by < SLACK, "{late_by:?}");
        let reply = other.post(NOTICE, notice("u").to_string());
        assert_eq!(reply.status, 200);
    }
}

#[test]
fn a_call_under_way_at_the_expiry_is_answered_and_is_the_last_of_its_connection() {
    let authority = Authority::new();
    let (brief, expired_at) = authority.client_for_seconds("brief", 1);
    let upstream = Upstream::ok();
    let gate = Arc::new(Gate::default());
    upstream.now({
        let gate = Arc::clone(&gate);
        move |_| Action::Wait(Arc::clone(&gate), Box::new(Action::ok()))
    });
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "required"))
        .with("[budget]\ntotal = \"20s\"\n[limits]\ndrain = \"20s\"")
        .kakao(&format!("client_certificates = [\"{}\"]\n", brief.sha256))
        .start();
    let client = TlsClient::new(&authority, Some(&brief));
    let mut kakao = client.connect(gateway.public()).unwrap();
    let mut idle = client.connect(gateway.public()).unwrap();
    let call = |path, body: serde_json::Value| {
        test_support::request("POST", path, &[], body.to_string().as_bytes())
    };
    // The second call waits behind the first.
    kakao.send(&call(PAY_RESULT, pay_result("u", "P", 1, 20_000)));
    kakao.send(&call(NOTICE, notice("u")));
    upstream.await_calls(1);
    assert!(idle.is_closed());
    assert!(SystemTime::now() >= expired_at);
    gate.open();
    let reply = kakao.reply();
    assert_eq!(
        (reply.status, reply.header("connection")),
        (200, Some("close"))
    );
    assert!(kakao.is_closed());
    assert_eq!(upstream.count(), 1);
}
