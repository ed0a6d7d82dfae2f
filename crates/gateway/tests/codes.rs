//! Every code of the gateway's own answers, with its status and the guide's exact message.
#![allow(
    missing_docs,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used
)]

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use protocol::ResCode::{
    E001, E003, E005, E006, E403, E801, E806, E807, E808, E809, E811, E812, E817, E818,
};
use serde_json::json;
use test_support::{
    AUTHORIZATION, Action, CREATE, Caller, Gate, NOTICE, OK, PAY_RESULT, PREPAY, RECREATE, Setup,
    Upstream, answer, assert_own, link, notice, pay_result, prepay, with,
};

#[test]
fn callers_are_admitted_by_address_then_by_authorization() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .biller("B0002", &biller.url(), "allow_from = [\"192.0.2.0/24\"]\n")
        .biller("B0003", &biller.url(), "status = \"suspended\"\n")
        .biller("B0004", &biller.url(), "allow_from = []\n")
        .start();
    let create = |code: &str| format!("/external/inquiry-payment/one-time/url/{code}");
    let good = ("Authorization", AUTHORIZATION);
    let wrong = ("Authorization", "KakaoAK wrong");
    // path | headers | status | code
    let table: Vec<(String, Vec<(&str, &str)>, u16, _)> = vec![
        (create("B0002"), vec![good], 403, E003),
        (create("B0004"), vec![good], 403, E003),
        (create("B9999"), vec![good], 403, E003),
        (create("%420001"), vec![good], 403, E003),
        (create("B0003"), vec![good], 401, E003),
        (create("B0001"), vec![], 401, E001),
        (create("B0001"), vec![wrong], 401, E003),
        (create("B0001"), vec![good, good], 401, E003),
        (create("B0001"), vec![("Authorization", "")], 401, E003),
        ("/kakao/prepay".into(), vec![], 404, E003),
        (
            "/kakao/prepay".into(),
            vec![("X-Biller-Code", "B9999")],
            404,
            E003,
        ),
        (
            "/kakao/prepay".into(),
            vec![("X-Biller-Code", "B0003")],
            404,
            E003,
        ),
        (
            "/kakao/prepay/B9999".into(),
            vec![("X-Biller-Code", "B0001")],
            404,
            E003,
        ),
        ("/kakao/prepay/B0003".into(), vec![], 404, E003),
        ("/kakao/notice/B0003".into(), vec![], 404, E003),
        ("/kakao/pay-result/B9999".into(), vec![], 404, E003),
    ];
    for (path, headers, status, code) in table {
        let reply = gateway.caller().post_with(&path, &headers, "{}");
        assert_eq!(
            (reply.status, reply.res_code()),
            (status, code.code().into()),
            "{path}"
        );
        assert_own(&reply, status, code);
    }
    assert_eq!((kakao.count(), biller.count()), (0, 0));
    // A pay-result is relayed to a suspended biller too.
    let paid = gateway.post(
        "/kakao/pay-result/B0003",
        pay_result("u", "P", 1, 20000).to_string(),
    );
    assert_eq!((paid.res_code().as_str(), biller.count()), ("OK", 1));
}

#[test]
fn kakao_pay_is_admitted_by_address() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .kakao("allow_from = [\"192.0.2.1\"]\n")
        .start();
    for path in [
        NOTICE,
        PREPAY,
        PAY_RESULT,
        "/kakao/prepay",
        "/kakao/prepay/B9999",
    ] {
        assert_own(&gateway.post(path, "{}"), 403, E003);
    }
}

#[test]
fn unknown_routes_and_methods_have_codes() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    for path in [
        "/",
        "/kakao",
        "/kakao/notice/",
        "/KAKAO/notice",
        "/kakao/notice/B0001/",
        "/metrics",
    ] {
        assert_own(&gateway.post(path, "{}"), 404, E801);
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let mut caller = gateway.caller();
        caller.send(format!("{method} {NOTICE} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let reply = caller.reply();
        assert_own(&reply, 405, E801);
        assert_eq!(reply.header("allow"), Some("POST"));
    }
}

#[test]
fn a_biller_beyond_its_rate_is_refused() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .biller(
            "B0001",
            &biller.url(),
            "requests_per_second = 1\nburst = 2\n",
        )
        .start();
    let mut caller = gateway.caller();
    assert_eq!(caller.post(CREATE, link("1").to_string()).res_code(), "OK");
    assert_eq!(caller.post(CREATE, link("2").to_string()).res_code(), "OK");
    let refused = caller.post(CREATE, link("3").to_string());
    assert_own(&refused, 429, E801);
    assert_eq!(refused.header("retry-after"), Some("1"));
    // Kakao Pay's calls have no rate limit.
    for _ in 0..5 {
        assert_eq!(
            caller.post(PREPAY, prepay("1").to_string()).res_code(),
            "OK"
        );
    }
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let limit = 64 * 1024;
    let padded = |length: usize| {
        let body = prepay("u").to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    assert_eq!(gateway.post(PREPAY, padded(limit)).res_code(), "OK");
    let refused = gateway.post(PREPAY, padded(limit + 1));
    assert_own(&refused, 413, E006);
    let mut announced = gateway.caller();
    announced.send(
        format!("POST {PREPAY} HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n")
            .as_bytes(),
    );
    assert_own(&announced.reply(), 413, E006);
    let mut chunked = gateway.caller();
    chunked.send(
        format!("POST {PREPAY} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            .as_bytes(),
    );
    for _ in 0..5 {
        let chunk = format!("{:x}\r\n{}\r\n", 16 * 1024, " ".repeat(16 * 1024));
        if chunked.try_send(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert_own(&chunked.reply(), 413, E006);
    assert_eq!(biller.count(), 1);
}

#[test]
fn every_fault_of_an_upstream_has_its_code() {
    let whole = |status: u16, body: &[u8]| Action::Send(answer(status, "text/html", body));
    let raw = |text: &str| Action::SendAndClose(text.as_bytes().to_vec());
    let euc_kr = b"{\"res_code\":\"OK\",\"message\":\"\xBC\xBA\xB0\xF8\"}";
    let bom = ["\u{feff}\u{feff}".as_bytes(), OK.as_bytes()].concat();
    let large = format!("{{\"res_code\":\"OK\",\"x\":\"{}\"}}", "x".repeat(4 << 20));
    // what it does | upstream's answer | status | code
    let table: Vec<(&str, Action, u16, _)> = vec![
        ("resets", Action::Reset, 502, E809),
        ("closes", raw(""), 502, E809),
        (
            "closes in the head",
            raw("HTTP/1.1 200 OK\r\nContent-"),
            502,
            E809,
        ),
        ("talks no HTTP", raw("SSH-2.0-OpenSSH\r\n\r\n"), 502, E809),
        (
            "cuts its body short",
            raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"),
            502,
            E809,
        ),
        (
            "ends a chunked body early",
            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
            502,
            E809,
        ),
        (
            "cuts its body short and gives no length",
            raw("HTTP/1.1 200 OK\r\n\r\n{\"res_code\":\"OK\""),
            502,
            E809,
        ),
        (
            "gives no length and no body",
            raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"),
            200,
            E809,
        ),
        (
            "fails in HTML without a length",
            raw("HTTP/1.0 500 Oops\r\nContent-Type: text/html\r\n\r\n<html>"),
            500,
            E808,
        ),
        (
            "gives no length and no JSON",
            raw("HTTP/1.1 200 OK\r\n\r\n{res_code:OK}"),
            200,
            E808,
        ),
        (
            "answers 204",
            raw("HTTP/1.1 204 No Content\r\n\r\n"),
            502,
            E809,
        ),
        (
            "answers 304",
            raw("HTTP/1.1 304 Not Modified\r\n\r\n"),
            502,
            E809,
        ),
        ("answers nothing", whole(200, b""), 200, E809),
        ("fails with nothing", whole(500, b""), 500, E809),
        (
            "redirects with nothing",
            raw("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"),
            302,
            E809,
        ),
        ("answers HTML", whole(200, b"<html>"), 200, E808),
        ("fails in HTML", whole(503, b"<html>"), 503, E808),
        ("answers 599", whole(599, b"<html>"), 599, E808),
        ("answers an array", whole(200, b"[]"), 200, E808),
        ("answers two objects", whole(200, b"{}{}"), 200, E808),
        ("answers EUC-KR", whole(200, euc_kr), 200, E808),
        (
            "answers with two byte-order marks",
            whole(200, &bom),
            200,
            E808,
        ),
        ("answers too much", whole(200, large.as_bytes()), 200, E808),
    ];
    let kakao = Upstream::ok();
    let biller = Upstream::ok();
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[circuit]\nfailures = 1000")
        .start();
    for (what, action, status, code) in table {
        biller.now(move |_| action.clone());
        for path in [NOTICE, PREPAY, PAY_RESULT] {
            let body = match path {
                NOTICE => notice(what),
                PREPAY => prepay(what),
                _ => pay_result(what, "P", 1, 20000),
            };
            let reply = gateway.post(path, body.to_string());
            assert_eq!(
                (reply.status, reply.res_code()),
                (status, code.code().into()),
                "{what}"
            );
            assert_own(&reply, status, code);
            assert_eq!(reply.header("location"), None);
        }
    }
}

#[test]
fn an_upstream_that_is_not_there_is_e809() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let gateway = Setup::new(&nobody, &nobody).start();
    assert_own(&gateway.post(CREATE, link("u").to_string()), 502, E809);
    assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 502, E809);
    // The call did not reach Kakao Pay, so the bill can be linked again.
    assert_own(&gateway.post(CREATE, link("u").to_string()), 502, E809);
    assert_own(&gateway.post(RECREATE, link("u").to_string()), 200, E812);
}

#[test]
fn no_upstream_keeps_a_caller_beyond_the_budget() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    let slow = [head.as_slice(), &[b' '; 97], b"}"].concat();
    // what it does | action
    let table = [
        ("hangs before the head", Action::SendAndHang(Vec::new())),
        (
            "hangs in the head",
            Action::SendAndHang(head[..20].to_vec()),
        ),
        ("hangs in the body", Action::SendAndHang(head.to_vec())),
        (
            "sends its head slowly",
            Action::SlowBody(slow.clone(), Duration::from_millis(200)),
        ),
        (
            "sends its body slowly",
            Action::SlowBody(slow, Duration::from_millis(12)),
        ),
    ];
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let budget = Duration::from_secs(1);
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[budget]\ntotal = \"1s\"\n[circuit]\nfailures = 1000")
        .start();
    for (number, (what, action)) in table.into_iter().enumerate() {
        let script = action.clone();
        biller.now(move |_| script.clone());
        kakao.now(move |_| action.clone());
        let user_key = number.to_string();
        let table = [
            (CREATE, link(&user_key)),
            (NOTICE, notice(&user_key)),
            (PREPAY, prepay(&user_key)),
            (
                PAY_RESULT,
                pay_result(&format!("paid {user_key}"), "P", 1, 20000),
            ),
        ];
        thread::scope(|scope| {
            for (path, body) in table {
                let gateway = &gateway;
                scope.spawn(move || {
                    let reply = gateway.post(path, body.to_string());
                    assert_own(&reply, 504, E806);
                    let allowed = budget..budget + Duration::from_millis(100);
                    assert!(
                        allowed.contains(&reply.elapsed),
                        "{what}: {:?}",
                        reply.elapsed
                    );
                });
            }
        });
    }
}

#[test]
fn a_body_that_does_not_arrive_is_answered_in_time() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[budget]\ntotal = \"1s\"")
        .start();
    let mut caller = gateway.caller();
    caller.send(
        format!("POST {PREPAY} HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{{").as_bytes(),
    );
    let reply = caller.reply();
    assert_own(&reply, 408, E801);
    assert!(
        reply.elapsed < Duration::from_millis(1_100),
        "{:?}",
        reply.elapsed
    );
    assert!(caller.is_closed());
    let mut broken = gateway.caller();
    broken.send(
        format!("POST {PREPAY} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
            .as_bytes(),
    );
    assert_own(&broken.reply(), 400, E801);
    assert!(broken.is_closed());
}

#[test]
fn the_ledger_answers_links_without_calling_kakao_pay() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let keyed =
        |user: &str, key: &str| with(link(user), "biller_notice_key", json!(key)).to_string();
    let mut caller = gateway.caller();
    assert_own(&caller.post(RECREATE, link("u").to_string()), 200, E812);
    assert_eq!(caller.post(CREATE, link("u").to_string()).res_code(), "OK");
    assert_own(&caller.post(CREATE, link("u").to_string()), 200, E818);
    assert_eq!(
        caller.post(RECREATE, link("u").to_string()).res_code(),
        "OK"
    );
    assert_eq!(caller.post(CREATE, keyed("v", "N1")).res_code(), "OK");
    assert_own(&caller.post(CREATE, keyed("w", "N1")), 200, E811);
    assert_eq!(caller.post(CREATE, keyed("v", "N2")).res_code(), "OK");
    assert_own(&caller.post(CREATE, link("v").to_string()), 200, E005);
    assert_own(&caller.post(RECREATE, link("v").to_string()), 200, E005);
    assert_eq!(kakao.count(), 4);
}

#[test]
fn a_paid_bill_and_an_error_bill_are_answered_without_the_biller() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let mut caller = gateway.caller();
    let paid = |pay_id| pay_result("u", "P", pay_id, 20000).to_string();
    assert_eq!(caller.post(PAY_RESULT, paid(1)).res_code(), "OK");
    assert_own(&caller.post(PREPAY, prepay("u").to_string()), 200, E403);
    assert_eq!(
        caller.post(NOTICE, notice("u").to_string()).res_code(),
        "OK"
    );
    assert_eq!(caller.post(PAY_RESULT, paid(2)).res_code(), "OK");
    assert_own(&caller.post(PREPAY, prepay("u").to_string()), 200, E817);
    assert_own(&caller.post(NOTICE, notice("u").to_string()), 200, E817);
    assert_own(&caller.post(CREATE, link("u").to_string()), 200, E817);
    assert_own(&caller.post(RECREATE, link("u").to_string()), 200, E817);
    // A pay-result is still recorded and relayed.
    assert_eq!(caller.post(PAY_RESULT, paid(3)).res_code(), "OK");
    assert_eq!((kakao.count(), biller.count()), (0, 4));
    assert_eq!(
        gateway.metric(r#"relay_prepay_short_circuits_total{biller="B0001"}"#),
        1
    );
    assert_eq!(
        gateway.metric(r#"relay_double_payments_total{biller="B0001"}"#),
        2
    );
}

#[test]
fn a_biller_with_too_many_calls_in_flight_is_refused_but_its_pay_results_are_not() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .biller("B0001", &biller.url(), "max_in_flight = 1\n")
        .start();
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    biller.now(move |_| Action::Wait(Arc::clone(&door), Box::new(Action::ok())));
    let mut first = gateway.caller();
    first.send(&test_support::request(
        "POST",
        PREPAY,
        &[],
        prepay("u").to_string().as_bytes(),
    ));
    biller.await_calls(1);
    let refused = gateway.post(PREPAY, prepay("v").to_string());
    assert_own(&refused, 503, E801);
    assert!(refused.header("retry-after").is_some());

    let pay = |user: &str| pay_result(user, "P", 1, 20000).to_string();
    let mut second = gateway.caller();
    second.send(&test_support::request(
        "POST",
        PAY_RESULT,
        &[],
        pay("u").as_bytes(),
    ));
    biller.await_calls(2);
    // Beyond the pay-results' own limit it is journalled and answered E801.
    assert_own(&gateway.post(PAY_RESULT, pay("v")), 503, E801);
    gate.open();
    assert_eq!(first.reply().res_code(), "OK");
    assert_eq!(second.reply().res_code(), "OK");
    assert_own(&gateway.post(PREPAY, prepay("v").to_string()), 200, E403);
    assert_eq!(gateway.metric("relay_payments_undelivered"), 1);
    assert_eq!(
        gateway.metric(r#"relay_rejected_total{reason="overload"}"#),
        2
    );
}

#[test]
fn an_open_circuit_answers_at_once_and_a_pay_result_closes_it() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[circuit]\nfailures = 3\nopen_for = \"10m\"")
        .start();
    biller.now(|_| Action::Reset);
    for _ in 0..3 {
        assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 502, E809);
    }
    let calls = biller.count();
    let refused = gateway.post(PREPAY, prepay("u").to_string());
    assert_own(&refused, 503, E809);
    assert!(refused.header("retry-after").is_some());
    assert_own(&gateway.post(NOTICE, notice("u").to_string()), 503, E809);
    assert_eq!(biller.count(), calls);
    assert_eq!(
        gateway.metric(r#"relay_circuit_state{upstream="B0001"}"#),
        2
    );
    assert_eq!(
        gateway.metric(r#"relay_rejected_total{reason="circuit"}"#),
        2
    );

    biller.now(|_| Action::ok());
    let paid = gateway.post(PAY_RESULT, pay_result("u", "P", 1, 20000).to_string());
    assert_eq!(paid.res_code(), "OK");
    assert_eq!(
        gateway.post(PREPAY, prepay("v").to_string()).res_code(),
        "OK"
    );
    assert_eq!(
        gateway.metric(r#"relay_circuit_state{upstream="B0001"}"#),
        0
    );
}

#[test]
fn refusals_of_an_upstream_open_no_circuit() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[circuit]\nfailures = 2")
        .start();
    let answers = [
        Action::json(500, OK),
        Action::json(200, "<html>"),
        Action::json(200, ""),
    ];
    for action in answers {
        biller.now(move |_| action.clone());
        for _ in 0..4 {
            let reply = gateway.post(NOTICE, notice("u").to_string());
            assert_ne!(reply.status, 503);
        }
    }
}

#[test]
fn a_refused_pay_result_is_counted_and_logged_as_an_error() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let secret = with(
        pay_result("01012345678", "P", 1, 20000),
        "paid_at",
        json!("x"),
    );
    let reply = gateway.post(PAY_RESULT, secret.to_string());
    assert_eq!(reply.res_code(), "E007");
    assert_own(&gateway.post(PAY_RESULT, "{}"), 200, E001);
    assert_own(&gateway.post(PAY_RESULT, "no JSON"), 400, E807);
    for code in ["E007", "E001", "E807"] {
        let series =
            format!(r#"relay_pay_results_refused_total{{biller="B0001",res_code="{code}"}}"#);
        assert_eq!(gateway.metric(&series), 1, "{code}");
    }
    gateway.await_log(|line| line["level"] == "error" && line["res_code"] == "E807");
    for line in gateway.log() {
        assert!(!line.to_string().contains("01012345678"), "{line}");
    }
}

#[test]
fn e006_is_for_whole_bodies_and_members_alike() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[limits]\nrequest_body = \"1KiB\"\nanswer_body = \"1KiB\"")
        .start();
    let body = with(prepay("u"), "x", json!("x".repeat(1024)));
    assert_own(&gateway.post(PREPAY, body.to_string()), 413, E006);
    assert_own(&gateway.post(PREPAY, "{"), 400, E807);
    biller.now(|_| Action::json(404, &format!(r#"{{"x":"{}"}}"#, "x".repeat(1024))));
    assert_own(&gateway.post(PREPAY, prepay("u").to_string()), 404, E808);
    let missing = Caller::connect(gateway.public()).post_with(CREATE, &[], "{}");
    assert_own(&missing, 401, E001);
}
