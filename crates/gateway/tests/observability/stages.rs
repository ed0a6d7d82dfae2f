//! The time of calls by stage.

use std::time::Duration;

use test_support::{Action, Setup, Upstream};

use crate::page::Page;
use crate::traffic::{LINK_CREATE, LINK_RECREATE, NOTICE, PAY_RESULT, PREPAY, body};

const APIS: [(&str, &str); 5] = [
    ("link_create", LINK_CREATE),
    ("link_recreate", LINK_RECREATE),
    ("notice", NOTICE),
    ("prepay", PREPAY),
    ("pay_result", PAY_RESULT),
];

#[test]
fn the_stages_of_all_calls_add_up_to_their_durations() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url()).start();
    for _ in 0..20 {
        for (_, path) in APIS {
            gateway.post(&format!("{path}/B0001"), body(path).to_string());
        }
        gateway.post(&format!("{PREPAY}/B0001"), "no JSON");
        gateway.post("/elsewhere", "{}");
    }
    let page = Page::of(&gateway);
    for api in APIS.map(|(api, _)| api).into_iter().chain(["unknown"]) {
        let stages = page.sum(&format!(r#"relay_stage_seconds_total{{api="{api}","#));
        let calls = page.value(&format!(
            r#"relay_request_duration_seconds_sum{{api="{api}"}}"#
        ));
        assert!(calls > 0.0, "{api}");
        // Both are sums of the same nanoseconds; only fractions of a second are added inexactly.
        assert!((stages - calls).abs() < 1e-9, "{api}: {stages} and {calls}");
    }
}

#[test]
fn each_stage_has_the_time_that_was_spent_in_it() {
    let kakao = Upstream::ok();
    let slow = Upstream::start(|_| Action::SlowBody(slow_answer(), Duration::from_millis(1)));
    let gateway = Setup::new(&kakao.url(), &slow.url()).start();
    let path = format!("{PAY_RESULT}/B0001");
    gateway.post(&path, body(PAY_RESULT).to_string());
    let page = Page::of(&gateway);
    let spent = |stage: &str| {
        page.value(&format!(
            r#"relay_stage_seconds_total{{api="pay_result",stage="{stage}"}}"#
        ))
    };
    assert!(
        spent("upstream") > 0.1,
        "a hundred bytes, a millisecond each"
    );
    for stage in ["admission", "parse", "ledger", "connect", "settle", "reply"] {
        assert!(spent(stage) > 0.0, "{stage}");
    }
    let upstream = r#"relay_upstream_duration_seconds_sum{api="pay_result",biller="B0001"}"#;
    let both = spent("upstream") + spent("connect");
    assert!((page.value(upstream) - both).abs() < 0.005);
}

#[test]
fn a_connection_that_is_never_made_is_time_spent_connecting() {
    let kakao = Upstream::ok();
    // Its backlog of connections is full, so that a further one is neither accepted nor refused.
    let deaf = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    deaf.bind(
        &"127.0.0.1:0"
            .parse::<std::net::SocketAddr>()
            .unwrap()
            .into(),
    )
    .unwrap();
    deaf.listen(0).unwrap();
    let address = deaf.local_addr().unwrap().as_socket().unwrap();
    let patience = Duration::from_millis(50);
    let mut waiting = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, patience) {
        waiting.push(stream);
    }
    let gateway = Setup::new(&kakao.url(), &format!("http://{address}"))
        .with("[budget]\ntotal = \"300ms\"")
        .start();
    let reply = gateway.post(&format!("{NOTICE}/B0001"), body(NOTICE).to_string());
    assert_eq!(reply.res_code(), "E806");
    let page = Page::of(&gateway);
    let spent = |stage: &str| {
        page.value(&format!(
            r#"relay_stage_seconds_total{{api="notice",stage="{stage}"}}"#
        ))
    };
    assert!(spent("connect") > 0.2, "{}", spent("connect"));
    assert!(spent("upstream") < 0.05, "{}", spent("upstream"));
}

fn slow_answer() -> Vec<u8> {
    let body = test_support::OK;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}
