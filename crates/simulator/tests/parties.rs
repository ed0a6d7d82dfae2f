//! The simulated parties as servers, through a socket.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls_pki_types::{PrivateKeyDer, ServerName};
use simulator::{
    Bill, Biller, BillerOptions, Body, Caller, Fault, FaultHeader, Kakao, KakaoOptions, Latency,
    LinkKind, PayType, Rule, guide,
};

const LONG: Duration = Duration::from_secs(5);

fn biller() -> Biller {
    Biller::start(BillerOptions::default()).unwrap()
}

fn caller(biller: &Biller) -> Caller {
    Caller::connect(biller.address()).unwrap()
}

#[test]
fn a_bill_is_requested_checked_and_paid() {
    let biller = biller();
    let mut kakao = caller(&biller);
    let notice = kakao.post("/kakao/notice", &[], guide::NOTICE).unwrap();
    assert_eq!(notice.json()["data"]["result"]["amount"], 29_000);
    assert_eq!(
        kakao
            .post("/kakao/prepay", &[], guide::PREPAY)
            .unwrap()
            .res_code(),
        "OK"
    );
    assert_eq!(
        kakao
            .post("/kakao/pay-result", &[], guide::PAY_RESULT)
            .unwrap()
            .res_code(),
        "OK"
    );
    let payments = biller.payments();
    assert_eq!(payments.len(), 1);
    assert_eq!(
        (payments[0].pay_id, payments[0].pay_amount_won),
        (2_748_877, 20_000)
    );
    assert_eq!(
        (payments[0].pay_type, payments[0].sequence),
        (PayType::Payment, 3)
    );
}

#[test]
fn a_changed_or_missing_bill_is_distinguished_from_a_payable_one() {
    let biller = biller();
    let mut kakao = caller(&biller);
    let mut prepay = |key| {
        let body = Body::prepay().user_key(key).amount(5_000).json();
        kakao.post("/kakao/prepay", &[], body).unwrap().res_code()
    };
    assert_eq!(prepay("K1"), "E501");
    biller.set_bill(Bill::of("K1").amount(5_000));
    assert_eq!(prepay("K1"), "OK");
    biller.remove_bills("K1");
    assert_eq!(prepay("K1"), "E502");
}

#[test]
fn links_are_made_and_remembered() {
    let kakao = Kakao::start(KakaoOptions::default()).unwrap();
    let mut agency = Caller::connect(kakao.address()).unwrap();
    let create = Body::link_create().user_key("K1").notice_key("N1");
    let reply = agency
        .post(&create.path("B0001"), &[], create.json())
        .unwrap();
    assert_eq!(reply.json()["data"]["url"], kakao.links()[0].url);
    assert_eq!(reply.json()["data"]["biller_notice_key"], "N1");
    let again = Body::link_recreate().user_key("K1");
    agency
        .post(&again.path("B0001"), &[], again.json())
        .unwrap();
    assert_eq!(kakao.links()[1].kind, LinkKind::Recreated);
    kakao.inject(
        Rule::new(Fault::ResCode("E003".to_owned()))
            .path("/one-time/url/*")
            .times(1),
    );
    assert_eq!(
        agency
            .post(&again.path("B0001"), &[], again.json())
            .unwrap()
            .res_code(),
        "E003"
    );
    assert_eq!(kakao.links().len(), 2);
}

#[test]
fn calls_are_stored_unchanged() {
    let biller = biller();
    let mut kakao = caller(&biller);
    let body = "{ \"data\" : {} }\r\n";
    kakao
        .post("/kakao/prepay?x=1", &[("X-Request-ID", "abc")], body)
        .unwrap();
    kakao.post("/kakao/notice", &[], b"\xff\x00").unwrap();
    let calls = biller.calls();
    assert_eq!(calls[0].body, body.as_bytes());
    assert_eq!(
        (calls[0].method.as_str(), calls[0].api_path.as_str()),
        ("POST", "/kakao/prepay?x=1")
    );
    assert!(
        calls[0]
            .headers
            .contains(&("X-Request-ID".to_owned(), "abc".to_owned()))
    );
    assert_eq!(calls[0].header("content-length"), Some("17"));
    assert_eq!(calls[1].body, b"\xff\x00");
    assert_eq!(
        (
            calls[1].sequence,
            calls[1].connection,
            calls[1].nth_on_connection
        ),
        (2, 1, 2)
    );
    assert_eq!(
        (biller.calls_to("/kakao/notice"), biller.calls_total()),
        (1, 2)
    );
    assert_eq!(biller.calls_since(1).len(), 1);
}

#[test]
fn waiting_for_calls_ends_with_the_call_and_not_before() {
    let biller = biller();
    assert!(!biller.wait_for_calls(1, Duration::from_millis(20)));
    let address = biller.address();
    let asking = std::thread::spawn(move || {
        let mut kakao = Caller::connect(address).unwrap();
        kakao.post("/kakao/prepay", &[], guide::PREPAY).unwrap()
    });
    assert!(biller.wait_for_calls(1, LONG));
    assert_eq!(asking.join().unwrap().res_code(), "OK");
}

#[test]
fn requests_may_come_together_in_chunks_and_in_pieces() {
    let biller = biller();
    let mut kakao = caller(&biller);
    let chunked = "POST /kakao/prepay HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n\
                   8\r\n{\"data\":\r\n4\r\nnull\r\n1\r\n}\r\n0\r\n\r\n";
    let lengthy = "POST /kakao/notice HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}";
    kakao
        .send_raw(format!("{chunked}{lengthy}").as_bytes())
        .unwrap();
    assert_eq!(kakao.read_reply().unwrap().res_code(), "E008");
    assert_eq!(kakao.read_reply().unwrap().res_code(), "E008");
    kakao
        .send_slowly(chunked.as_bytes(), 40, Duration::from_millis(1))
        .unwrap();
    assert_eq!(kakao.read_reply().unwrap().res_code(), "E008");
    assert_eq!(biller.calls()[2].body, b"{\"data\":null}");
}

#[test]
fn a_caller_that_expects_a_continue_gets_it_before_its_body_is_read() {
    let biller = biller();
    let mut kakao = caller(&biller);
    let head = "POST /kakao/prepay HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    kakao.send_raw(head.as_bytes()).unwrap();
    kakao.set_timeout(Some(Duration::from_millis(50))).unwrap();
    assert_eq!(
        kakao.read_to_end().unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    kakao.send_raw(b"{}").unwrap();
    kakao.set_timeout(Some(LONG)).unwrap();
    assert_eq!(kakao.read_reply().unwrap().res_code(), "E008");
}

#[test]
fn bytes_that_are_no_request_are_refused_and_the_connection_closed() {
    for request in [
        "nonsense\r\n\r\n",
        "POST / HTTP/2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n{",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        let biller = biller();
        let mut kakao = caller(&biller);
        kakao.send_raw(request.as_bytes()).unwrap();
        assert_eq!(kakao.read_reply().unwrap().status, 400, "{request}");
        assert!(kakao.read_to_end().unwrap().is_empty());
        assert_eq!(biller.calls_total(), 0);
    }
}

#[test]
fn a_connection_is_closed_when_asked_and_when_idle() {
    let biller = Biller::start(BillerOptions {
        idle_timeout: Duration::from_millis(30),
        ..BillerOptions::default()
    })
    .unwrap();
    let mut kakao = caller(&biller);
    let reply = kakao
        .post("/kakao/prepay", &[("Connection", "close")], guide::PREPAY)
        .unwrap();
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(kakao.read_to_end().unwrap().is_empty());
    assert!(caller(&biller).read_to_end().unwrap().is_empty());
}

#[test]
fn a_pooled_connection_can_turn_out_closed() {
    let biller = biller();
    biller.inject(Rule::new(Fault::Close(0)).on_reused_connections());
    let mut kakao = caller(&biller);
    assert_eq!(
        kakao
            .post("/kakao/prepay", &[], guide::PREPAY)
            .unwrap()
            .status,
        200
    );
    let error = kakao.post("/kakao/prepay", &[], guide::PREPAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_caller_may_ask_for_a_fault_where_that_is_on() {
    let biller = Biller::start(BillerOptions {
        fault_header: FaultHeader::Obeyed,
        ..BillerOptions::default()
    })
    .unwrap();
    let mut kakao = caller(&biller);
    let mut asked = |fault| {
        let headers = [("X-Simulator-Fault", fault)];
        kakao
            .post("/kakao/prepay", &headers, guide::PREPAY)
            .unwrap()
    };
    assert_eq!(asked("status:503").status, 503);
    assert_eq!(asked("res_code:E502").res_code(), "E502");
    let wrong = asked("nonsense");
    assert_eq!(wrong.status, 400);
    assert!(wrong.text().contains("`nonsense`"), "{}", wrong.text());
    let ignoring = self::biller();
    let reply = caller(&ignoring)
        .post(
            "/kakao/prepay",
            &[("X-Simulator-Fault", "status:503")],
            guide::PREPAY,
        )
        .unwrap();
    assert_eq!(reply.status, 200);
}

#[test]
fn a_party_waits_before_it_answers() {
    let wait = Duration::from_millis(40);
    let biller = Biller::start(BillerOptions {
        latency: Latency::Constant(wait),
        ..BillerOptions::default()
    })
    .unwrap();
    let reply = caller(&biller)
        .post("/kakao/prepay", &[], guide::PREPAY)
        .unwrap();
    assert!(reply.elapsed >= wait);
}

#[test]
fn a_dropped_party_refuses_and_can_start_again_at_its_address() {
    let biller = biller();
    let address = biller.address();
    let mut kakao = caller(&biller);
    kakao.post("/kakao/prepay", &[], guide::PREPAY).unwrap();
    drop(biller);
    assert!(kakao.read_to_end().unwrap().is_empty());
    assert_eq!(
        Caller::connect(address).unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
    let biller = Biller::start(BillerOptions {
        listen: address,
        ..BillerOptions::default()
    })
    .unwrap();
    assert_eq!(biller.address(), address);
    assert_eq!(
        caller(&biller)
            .post("/kakao/prepay", &[], guide::PREPAY)
            .unwrap()
            .status,
        200
    );
    let taken = Biller::start(BillerOptions {
        listen: address,
        ..BillerOptions::default()
    });
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_party_uses_tls() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Arc::new(client);

    let options = BillerOptions {
        tls: Some(Arc::new(server)),
        ..BillerOptions::default()
    };
    let biller = Biller::start(options).unwrap();
    assert!(biller.base_url().starts_with("https://127.0.0.1:"));
    let connect = || {
        let name = ServerName::try_from("localhost").unwrap();
        Caller::connect_tls(biller.address(), name, Arc::clone(&client)).unwrap()
    };
    let mut kakao = connect();
    assert_eq!(
        kakao
            .post("/kakao/prepay", &[], guide::PREPAY)
            .unwrap()
            .res_code(),
        "OK"
    );
    biller.inject(Rule::new(Fault::Unframed).times(1));
    assert_eq!(
        kakao
            .post("/kakao/prepay", &[], guide::PREPAY)
            .unwrap()
            .res_code(),
        "OK"
    );
    for (fault, kind) in [
        (Fault::Cut(3), ErrorKind::UnexpectedEof),
        (Fault::Reset(0), ErrorKind::ConnectionReset),
    ] {
        biller.inject(Rule::new(fault).times(1));
        let error = connect()
            .post("/kakao/prepay", &[], guide::PREPAY)
            .unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}
