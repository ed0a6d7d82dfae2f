//! Bodies, statuses and the headers that the contract names are relayed unchanged.
#![allow(
    missing_docs,
    clippy::too_many_lines,
    clippy::type_complexity,
    clippy::unwrap_used
)]

use test_support::{
    AUTHORIZATION, Action, OK, Setup, Upstream, answer, link, notice, pay_result, prepay,
};

const LINKS: &str = "/external/inquiry-payment/one-time/url";

/// The guide's five example requests, byte for byte, with their paths at the gateway and the upstream.
fn examples() -> [(&'static str, String, &'static str, &'static str); 5] {
    use simulator::guide;
    [
        (guide::LINK_CREATE, format!("{LINKS}/B0001"), "", ""),
        (guide::LINK_RECREATE, format!("{LINKS}/re/B0001"), "", ""),
        (
            guide::NOTICE,
            "/kakao/notice/B0001".into(),
            "/kakao/notice",
            "B0001",
        ),
        (
            guide::PREPAY,
            "/kakao/prepay/B0001".into(),
            "/kakao/prepay",
            "B0001",
        ),
        (
            guide::PAY_RESULT,
            "/kakao/pay-result/B0001".into(),
            "/kakao/pay-result",
            "B0001",
        ),
    ]
}

#[test]
fn the_five_examples_of_the_guide_are_relayed_byte_for_byte() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    for (body, path, upstream_path, _) in examples() {
        let (upstream, line) = if upstream_path.is_empty() {
            (&kakao, format!("POST {path} HTTP/1.1"))
        } else {
            (&biller, format!("POST {upstream_path} HTTP/1.1"))
        };
        let reply = gateway.post(&path, body);
        assert_eq!((reply.status, reply.text().as_str()), (200, OK), "{path}");
        let seen = upstream.calls().pop().unwrap();
        assert_eq!(seen.line, line);
        assert_eq!(String::from_utf8_lossy(&seen.body), body, "{path}");
    }
    assert_eq!((kakao.count(), biller.count()), (2, 3));
}

#[test]
fn kakao_pay_may_name_the_biller_in_a_header_on_the_bare_paths() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    for (body, _, bare, code) in examples().into_iter().skip(2) {
        let reply = gateway
            .caller()
            .post_with(bare, &[("X-Biller-Code", code)], body);
        // The bill of the examples is paid by the last of them.
        assert!(matches!(reply.res_code().as_str(), "OK" | "E403"), "{bare}");
    }
    assert_eq!(biller.count(), 3);
}

#[test]
fn a_body_keeps_its_unknown_members_order_spelling_and_white_space() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let body = "\r\n { \"x\" : [ 1.50E+2, -0, \"\\u00e9\\/\" ] ,\t\"data\" : {\"amount\":2.0e4,\
                \"biller_user_key\":\"\\u0030\", \"한글\":{\"b\":1,\"a\":null} } } \n";
    let answered = "{ \"data\" :null , \"res_code\":\"O\\u004b\", \"b\":1e5,\"a\" : \"\\/\" }\n\n";
    biller.now(move |_| Action::json(200, answered));
    let reply = gateway.post("/kakao/prepay/B0001", body);
    assert_eq!(reply.text(), answered);
    assert_eq!(biller.calls()[0].body, body.as_bytes());
}

#[test]
fn statuses_and_the_named_headers_of_an_answer_are_relayed_and_no_others() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    for status in [
        200, 201, 202, 299, 301, 307, 400, 401, 404, 409, 429, 500, 503, 599,
    ] {
        let body = r#"{"res_code":"E902","message":"저장 실패"}"#;
        let head = format!(
            "HTTP/1.1 {status} Any\r\nServer: secret/1.0\r\nSet-Cookie: a=b\r\nLocation: /elsewhere\r\n\
             Content-Type: application/json\r\nRetry-After: 7\r\nX-Request-Id: theirs\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        biller.now(move |_| Action::Send([head.as_bytes(), body.as_bytes()].concat()));
        let calls = biller.count();
        let reply = gateway.post("/kakao/notice/B0001", notice("u").to_string());
        assert_eq!((reply.status, reply.text().as_str()), (status, body));
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("retry-after"), Some("7"));
        assert_ne!(reply.header("x-request-id"), Some("theirs"));
        for hidden in ["server", "set-cookie", "location"] {
            assert_eq!(reply.header(hidden), None);
        }
        assert_eq!(biller.count(), calls + 1, "a redirect was followed");
    }
    let untyped = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{OK}",
        OK.len()
    );
    biller.now(move |_| Action::Send(untyped.clone().into_bytes()));
    let reply = gateway.post("/kakao/notice/B0001", notice("u").to_string());
    assert_eq!(
        reply.header("content-type"),
        Some("application/json;charset=utf-8")
    );
}

#[test]
fn an_upstream_is_sent_the_headers_of_the_contract_and_no_others() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let sent = [
        ("Authorization", AUTHORIZATION),
        ("X-Request-Id", "req-1.a:b_C"),
        (
            "Traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("Accept-Encoding", "gzip"),
        ("Cookie", "a=b"),
        ("X-Forwarded-For", "192.0.2.9"),
        ("User-Agent", "tester"),
    ];
    let table = [
        (
            &kakao,
            format!("{LINKS}/B0001?a=b"),
            link("u"),
            format!("{LINKS}/B0001"),
        ),
        (
            &biller,
            "/kakao/notice/B0001?x=%41".into(),
            notice("u"),
            "/kakao/notice".to_owned(),
        ),
        (
            &biller,
            "/kakao/pay-result/B0001".into(),
            pay_result("u", "P", 1, 1),
            "/kakao/pay-result".into(),
        ),
    ];
    for (upstream, path, body, upstream_path) in table {
        let reply = gateway.caller().post_with(&path, &sent, body.to_string());
        assert_eq!(reply.res_code(), "OK");
        assert_eq!(reply.header("x-request-id"), Some("req-1.a:b_C"));
        let seen = upstream.calls().pop().unwrap();
        assert_eq!(seen.line, format!("POST {upstream_path} HTTP/1.1"));
        let mut names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        // `identity` requests no compression.
        let mut expected = vec![
            "accept",
            "accept-encoding",
            "connection",
            "content-length",
            "content-type",
            "host",
            "traceparent",
            "user-agent",
            "x-request-id",
        ];
        assert_eq!(seen.header("accept-encoding"), Some("identity"));
        assert_eq!(seen.header("connection"), Some("keep-alive"));
        let agent = concat!("relay-gateway/", env!("CARGO_PKG_VERSION"));
        assert_eq!(seen.header("user-agent"), Some(agent));
        if path.starts_with(LINKS) {
            expected.insert(2, "authorization");
            assert_eq!(seen.header("authorization"), Some(AUTHORIZATION));
        }
        assert_eq!(names, expected);
        assert_eq!(
            seen.header("host"),
            Some(upstream.address().to_string().as_str())
        );
        assert_eq!(
            seen.header("content-type"),
            Some("application/json;charset=utf-8")
        );
        assert_eq!(
            seen.header("accept"),
            Some("application/json;charset=utf-8")
        );
        assert_eq!(seen.header("x-request-id"), Some("req-1.a:b_C"));
        let trace = seen.header("traceparent").unwrap();
        assert!(
            trace.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
            "{trace}"
        );
        assert!(!trace.contains("b7ad6b7169203331"), "{trace}");
    }
}

#[test]
fn a_call_without_ids_gets_ids() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let mut ids = std::collections::BTreeSet::new();
    for bad in [None, Some("two words"), Some("a,b"), Some("ü")] {
        let header = bad.map(|id| ("X-Request-Id", id));
        let headers: Vec<_> = header.into_iter().collect();
        let body = notice("u").to_string();
        let reply = gateway
            .caller()
            .post_with("/kakao/notice/B0001", &headers, body);
        let id = reply.header("x-request-id").unwrap().to_owned();
        assert_eq!(
            biller.calls().pop().unwrap().header("x-request-id"),
            Some(id.as_str())
        );
        assert!(ids.insert(id));
    }
    // Refusals carry one, too.
    assert!(
        gateway
            .post("/nowhere", "")
            .header("x-request-id")
            .is_some()
    );
}

#[test]
fn every_call_is_one_log_line_with_the_contracts_keys() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let id = [("X-Request-Id", "logged-1")];
    gateway.caller().post_with(
        "/kakao/prepay/B0001",
        &id,
        prepay("secret-user").to_string(),
    );
    let line = gateway.await_log(|line| line["request_id"] == "logged-1");
    let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
    let mut expected = vec![
        "time",
        "level",
        "request_id",
        "trace_id",
        "api",
        "biller",
        "res_code",
        "status",
        "total_ms",
        "upstream_ms",
        "outcome",
    ];
    expected.sort_unstable();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(
        (line["api"].as_str(), line["biller"].as_str()),
        (Some("prepay"), Some("B0001"))
    );
    assert_eq!(
        (line["res_code"].as_str(), line["status"].as_u64()),
        (Some("OK"), Some(200))
    );
    assert!(line["total_ms"].as_f64().unwrap() >= line["upstream_ms"].as_f64().unwrap());
    for line in gateway.log() {
        assert!(!line.to_string().contains("secret-user"), "{line}");
    }
}

#[test]
fn every_answer_is_counted_under_labels_that_no_caller_can_choose() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    biller.now(|_| {
        Action::Send(answer(
            418,
            "application/json",
            br#"{"res_code":"STRANGE"}"#,
        ))
    });
    gateway.post("/kakao/notice/B0001", notice("u").to_string());
    gateway.post("/kakao/notice/B9999", notice("u").to_string());
    gateway.post("/kakao/notice/B9998", notice("u").to_string());
    gateway.post("/stranger", "");
    gateway.post("/kakao/prepay/B0001", "{");
    // api | biller | res_code | status | answers
    let table = [
        ("notice", "B0001", "other", 418, 1),
        ("notice", "unknown", "E003", 404, 2),
        ("unknown", "unknown", "E801", 404, 1),
        ("prepay", "B0001", "E807", 400, 1),
    ];
    for (api, biller, code, status, answers) in table {
        let series = format!(
            r#"relay_requests_total{{api="{api}",biller="{biller}",res_code="{code}",status="{status}"}}"#
        );
        assert_eq!(gateway.metric(&series), answers, "{series}");
    }
    let page = gateway.get_ops("/metrics").text();
    assert!(!page.contains("B9999") && !page.contains("stranger") && !page.contains("STRANGE"));
    assert_eq!(gateway.metric("relay_budget_seconds"), 3);
    assert_eq!(gateway.get_ops("/health/live").status, 200);
    assert_eq!(gateway.get_ops("/health/ready").status, 200);
}

#[test]
fn many_calls_on_one_connection_and_pipelined_ones_are_answered_in_order() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let mut caller = gateway.caller();
    let mut requests = Vec::new();
    for number in 0..20 {
        let id = number.to_string();
        let headers = [("X-Request-Id", id.as_str())];
        let body = notice(&id).to_string();
        let path = "/kakao/notice/B0001";
        requests.extend(test_support::request(
            "POST",
            path,
            &headers,
            body.as_bytes(),
        ));
    }
    caller.send(&requests);
    for number in 0..20 {
        assert_eq!(
            caller.reply().header("x-request-id"),
            Some(number.to_string().as_str())
        );
    }
    assert_eq!(biller.connections(), 1, "upstream connections are kept");
}
