//! Every fault, as a caller's socket sees it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use simulator::{Biller, BillerOptions, Body, Caller, Fault, Rule};

const OK: &str = r#"{"res_code":"OK","message":"성공","data":null}"#;
const BUSY: Duration = Duration::from_millis(50);

/// A biller whose calls all have these faults, and a caller that sent one.
fn asked(faults: &str) -> (Biller, Caller) {
    let biller = Biller::start(BillerOptions::default()).unwrap();
    biller.inject(Rule::parse(faults).unwrap());
    let mut caller = Caller::connect(biller.address()).unwrap();
    send(&mut caller);
    (biller, caller)
}

fn send(caller: &mut Caller) {
    let body = Body::prepay().json();
    let request = format!(
        "POST /kakao/prepay HTTP/1.1\r\nHost: biller\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    caller.send_raw(request.as_bytes()).unwrap();
}

/// Everything that came until the biller closed the connection.
fn wire(faults: &str) -> String {
    String::from_utf8(asked(faults).1.read_to_end().unwrap()).unwrap()
}

fn head(framing: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\n{framing}\r\n")
}

#[test]
fn answers_that_are_spoiled_and_closed() {
    let length = head(&format!("Content-Length: {}\r\n", OK.len()));
    let chunks = head("Transfer-Encoding: chunked\r\n");
    for (fault, sent) in [
        ("close", String::new()),
        ("close:12", "HTTP/1.1 200".to_owned()),
        ("cut:5", format!("{length}{{\"res")),
        ("cut:9999", format!("{length}{}", &OK[..OK.len() - 1])),
        (
            "chunked-unended",
            format!("{chunks}{:x}\r\n{OK}\r\n", OK.len()),
        ),
        ("unframed", format!("{}{OK}", head(""))),
        ("close-after", format!("{length}{OK}")),
        (
            r"raw:HTTP/1.0\x20200\x20OK\r\n\r\n{}",
            "HTTP/1.0 200 OK\r\n\r\n{}".to_owned(),
        ),
    ] {
        assert_eq!(wire(fault), sent, "{fault}");
    }
}

#[test]
fn hanging_answers_send_their_bytes_and_stay_open() {
    let length = head(&format!("Content-Length: {}\r\n", OK.len()));
    for (fault, sent) in [
        ("hang-head", String::new()),
        ("hang-head:8", "HTTP/1.1".to_owned()),
        ("hang-body", length.clone()),
        ("hang-body:5", format!("{length}{{\"res")),
    ] {
        let (biller, mut caller) = asked(fault);
        assert!(biller.wait_for_calls(1, Duration::from_secs(5)));
        caller.set_timeout(Some(BUSY)).unwrap();
        let error = caller.read_to_end().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{fault}");
        drop(biller);
        assert_eq!(
            String::from_utf8(caller.read_to_end().unwrap()).unwrap(),
            sent,
            "{fault}"
        );
    }
}

#[test]
fn a_reset_is_a_reset_and_no_close() {
    for fault in ["reset", "reset:12"] {
        let (_biller, mut caller) = asked(fault);
        let error = caller.read_to_end().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{fault}");
    }
}

#[test]
fn an_answer_that_drips_or_is_delayed_takes_its_time_and_is_whole() {
    for (fault, least) in [
        ("drip:10ms,10", Duration::from_millis(50)),
        ("delay:60ms", Duration::from_millis(60)),
        ("delay:30ms drip:10ms,20", Duration::from_millis(60)),
    ] {
        let started_at = Instant::now();
        let reply = asked(fault).1.read_reply().unwrap();
        assert_eq!(reply.text(), OK, "{fault}");
        assert!(started_at.elapsed() >= least, "{fault}");
    }
}

#[test]
fn an_answer_in_chunks_is_whole_and_the_connection_serves_on() {
    let (biller, mut caller) = asked("chunked:10");
    for _ in 0..2 {
        let reply = caller.read_reply().unwrap();
        assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
        assert_eq!(reply.text(), OK);
        send(&mut caller);
    }
    assert!(biller.wait_for_calls(3, Duration::from_secs(5)));
    assert_eq!(biller.calls()[2].connection, 1);
}

#[test]
fn other_answers_in_place_of_the_ordinary_one() {
    let json = Some("application/json;charset=utf-8");
    let html = Some("text/html;charset=utf-8");
    for (fault, status, content_type, body) in [
        ("status:599", 599, json, OK.to_owned()),
        (
            "res_code:E902",
            200,
            json,
            r#"{"res_code":"E902","message":"수납 결과를 저장하지 못했습니다.","data":null}"#
                .to_owned(),
        ),
        (
            "status:500 res_code:E502",
            500,
            json,
            OK.replace("OK", "E502")
                .replace("성공", "납부불가 - 납부 대상 없음"),
        ),
        (
            r"answer:503,text/plain:no\x20json",
            503,
            Some("text/plain"),
            "no json".to_owned(),
        ),
        ("answer:200,:{}", 200, None, "{}".to_owned()),
        ("no-content", 204, None, String::new()),
        ("empty", 200, json, String::new()),
        ("bom", 200, json, format!("\u{feff}{OK}")),
        (
            "duplicate-res-code",
            200,
            json,
            r#"{"res_code":"OK","message":"성공","res_code":"E902","data":null}"#.to_owned(),
        ),
        (
            "html:502",
            502,
            html,
            "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n\
             <body><h1>502 Bad Gateway</h1></body></html>\n"
                .to_owned(),
        ),
    ] {
        let reply = asked(fault).1.read_reply().unwrap();
        assert_eq!((reply.status, reply.text()), (status, body), "{fault}");
        assert_eq!(reply.header("content-type"), content_type, "{fault}");
    }
}

#[test]
fn a_redirection_names_its_place_and_a_header_is_added() {
    let reply = asked("redirect:307,/elsewhere header:Retry-After=7")
        .1
        .read_reply()
        .unwrap();
    assert_eq!(reply.status, 307);
    assert_eq!(reply.header("location"), Some("/elsewhere"));
    assert_eq!(reply.header("retry-after"), Some("7"));
}

#[test]
fn an_answer_over_any_limit_has_exactly_its_size() {
    let reply = asked("oversize:4194305").1.read_reply().unwrap();
    assert_eq!(reply.body.len(), 4 * 1024 * 1024 + 1);
    assert_eq!(reply.res_code(), "OK");
}

#[test]
fn an_answer_in_euc_kr_comes_as_its_bytes() {
    let reply = asked("euc-kr").1.read_reply().unwrap();
    assert!(std::str::from_utf8(&reply.body).is_err());
    assert!(
        reply
            .body
            .windows(4)
            .any(|bytes| bytes == b"\xbc\xba\xb0\xf8")
    );
}

#[test]
fn a_faulty_answer_still_changes_state_and_a_replaced_one_does_not() {
    for (fault, payments) in [
        (Fault::Reset(0), 1),
        (Fault::Close(0), 1),
        (Fault::Cut(3), 1),
        (Fault::Status(500), 1),
        (Fault::ResCode("E902".to_owned()), 0),
        (Fault::Empty, 0),
        (Fault::Html(502), 0),
    ] {
        let biller = Biller::start(BillerOptions::default()).unwrap();
        biller.inject(Rule::new(fault.clone()));
        let mut caller = Caller::connect(biller.address()).unwrap();
        // Some of these cannot be read; what the biller knows is the point.
        let _ = caller.post("/kakao/pay-result", &[], Body::pay_result().json());
        assert_eq!(biller.payments().len(), payments, "{fault}");
    }
}
