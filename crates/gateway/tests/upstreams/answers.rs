//! Answers as real servers end them, and as faulty ones spoil them.

use std::time::Duration;

use test_support::{Action, NOTICE, OK, PAY_RESULT, Setup, Upstream, notice, pay_result};

#[test]
fn a_whole_answer_is_relayed_however_its_upstream_ends_it() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url()).start();
    let (first, rest) = OK.split_at(7);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x};a=b\r\n{rest}\r\n0\r\n\r\n",
        first.len(),
        rest.len()
    );
    let marked = format!("\u{feff}{OK}\r\n");
    let unframed = |head: &str, body: &str| format!("{head}\r\n\r\n{body}").into_bytes();
    let closing = "HTTP/1.1 200 OK\r\nConnection: close";
    let table = [
        (Action::Send(chunked.into_bytes()), OK),
        (Action::json(200, &marked), &marked),
        (Action::SendAndClose(unframed("HTTP/1.0 200 OK", OK)), OK),
        (Action::SendAndClose(unframed("HTTP/1.1 200 OK", OK)), OK),
        (Action::SendAndClose(unframed(closing, OK)), OK),
        (Action::SendAndClose(unframed(closing, &marked)), &marked),
        (Action::SendAndHang(unframed("HTTP/1.0 200 OK", OK)), OK),
        (Action::SendAndHang(unframed(closing, OK)), OK),
    ];
    for (pay_id, (action, body)) in (1..).zip(table) {
        biller.now(move |_| action.clone());
        for (path, request) in [
            (NOTICE, notice("another")),
            (PAY_RESULT, pay_result("u", "P", pay_id, 20000)),
        ] {
            let reply = gateway.post(path, request.to_string());
            assert_eq!((reply.status, reply.text().as_str()), (200, body));
        }
        assert_eq!(gateway.metric("relay_payments_undelivered"), 0);
    }
}

#[test]
fn an_error_page_without_a_length_does_not_open_the_circuit_and_a_cut_answer_does() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[circuit]\nfailures = 3")
        .start();
    let page = "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n<h1>Oops</h1>";
    let cut = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"res_code\":\"OK\"";
    for (answer, statuses) in [(page, [500; 5]), (cut, [502, 502, 502, 503, 503])] {
        biller.now(move |_| Action::SendAndClose(answer.as_bytes().to_vec()));
        for status in statuses {
            let reply = gateway.post(NOTICE, notice("u").to_string());
            assert_eq!(reply.status, status);
        }
    }
}

#[test]
fn the_log_names_the_rule_that_an_answer_breaks_with_the_request_id() {
    let (kakao, biller) = (Upstream::ok(), Upstream::ok());
    let gateway = Setup::new(&kakao.url(), &biller.url())
        .with("[circuit]\nfailures = 1000")
        .start();
    let (malformed, no_object) = (
        "no complete answer from the upstream",
        "the upstream's answer is no JSON object",
    );
    let table = [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            malformed,
            "malformed answer: Content-Length comes twice",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            malformed,
            "malformed answer: Transfer-Encoding comes twice",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{}",
            malformed,
            "malformed answer: Transfer-Encoding is not chunked",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
            malformed,
            "malformed answer: a header has a space before its colon",
        ),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
            malformed,
            "malformed answer: a header line is folded",
        ),
        (
            "HTTP/1.1 1000 Odd\r\n\r\n",
            malformed,
            "malformed answer: its status is not three digits from 100 on",
        ),
        (
            "SSH-2.0-OpenSSH_9.2\r\n",
            malformed,
            "malformed answer: its first bytes are no HTTP",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            no_object,
            "it is empty",
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            no_object,
            "an object is expected",
        ),
    ];
    for (number, (answer, message, reason)) in table.into_iter().enumerate() {
        // The connection stays open: nothing more is waited for.
        biller.now(move |_| Action::SendAndHang(answer.as_bytes().to_vec()));
        let id = format!("r-{number}");
        let headers = [("X-Request-Id", id.as_str())];
        let body = notice("u").to_string();
        let reply = gateway.caller().post_with(NOTICE, &headers, body);
        assert!(reply.elapsed < Duration::from_secs(1), "{answer:?}");
        let line = gateway
            .await_log(|line| line["message"] == message && line["request_id"] == id.as_str());
        let told = if message == malformed {
            "fault"
        } else {
            "reason"
        };
        assert_eq!(line[told], reason, "{line}");
    }
}
