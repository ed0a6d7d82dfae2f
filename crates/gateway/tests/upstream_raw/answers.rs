//! How a call reads an answer.

use std::time::Duration;

use gateway::upstream::{Clients, ConnectStep, Malformed, Repeat, Sent, UpstreamFault};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::party::{
    AMPLE, Then, Upstream, call, outgoing_call, party, read_request, status, whole,
};

const SHORT: Duration = Duration::from_millis(200);

/// The longest time of a fault that does not wait for the deadline.
const SOON: Duration = Duration::from_secs(1);

pub async fn fault_of(bytes: &'static [u8], then: Then, time: Duration) -> UpstreamFault {
    let upstream = Upstream::answering(bytes, then).await;
    let begin = Instant::now();
    let report = call(&Clients::new(), &upstream.party(), time, Repeat::Safe).await;
    assert!(
        begin.elapsed() < SOON.max(time.min(SOON)),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(report.attempts, 1, "a first connection is not a pooled one");
    assert!(
        report
            .connect_duration
            .is_some_and(|connect| connect <= report.duration)
    );
    report.result.unwrap_err()
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_is_incomplete_at_the_deadline_has_timed_out() {
    let sent = Sent::MaybeSent;
    for bytes in [
        &b""[..],
        b"HTT",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n\xEF\xBB\xBF \r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":{}",
    ] {
        let fault = fault_of(bytes, Then::Hold, SHORT).await;
        assert_eq!(
            fault,
            UpstreamFault::TimedOut { sent },
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[tokio::test(flavor = "local")]
async fn a_slow_answer_does_not_outlive_the_deadline() {
    let upstream = Upstream::serve(|_, mut stream| async move {
        read_request(&mut stream).await;
        let answer = [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"[..],
            &[b' '; 99],
        ]
        .concat();
        for byte in answer {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let report = call(&Clients::new(), &upstream.party(), SHORT, Repeat::Never).await;
    assert_eq!(
        report.result.unwrap_err(),
        UpstreamFault::TimedOut {
            sent: Sent::MaybeSent
        }
    );
}

#[tokio::test(flavor = "local")]
async fn a_deadline_that_has_passed_sends_nothing() {
    let upstream = Upstream::answering(b"", Then::Hold).await;
    let party = upstream.party();
    let report = Clients::new()
        .call(
            &party,
            outgoing_call(&party).request(),
            Instant::now(),
            Repeat::Safe,
        )
        .await;
    assert_eq!(report.attempts, 0);
    assert_eq!(
        report.result.unwrap_err(),
        UpstreamFault::TimedOut {
            sent: Sent::NotSent
        }
    );
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test(flavor = "local")]
async fn a_connection_that_ends_before_the_head_does_is_closed() {
    let sent = Sent::MaybeSent;
    for (bytes, then) in [
        (&b""[..], Then::Close),
        (b"", Then::Reset),
        (b"HTTP/1.1 200 OK\r\nContent-Len", Then::Close),
        (b"HTTP/1.1 200 OK\r\nContent-Len", Then::Reset),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Then::Close),
    ] {
        let fault = fault_of(bytes, then, AMPLE).await;
        assert_eq!(
            fault,
            UpstreamFault::Closed { sent },
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
}

#[tokio::test(flavor = "local")]
async fn an_answer_that_ends_early_is_truncated() {
    for (bytes, then) in [
        (
            &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"[..],
            Then::Close,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", Then::Close),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
            Then::Reset,
        ),
        (
            b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n{}",
            Then::Close,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            Then::Close,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
            Then::Close,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            Then::Close,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
            Then::Close,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            Then::Reset,
        ),
    ] {
        let fault = fault_of(bytes, then, AMPLE).await;
        let expected = UpstreamFault::CutShort {
            status: status(200),
        };
        assert_eq!(fault, expected, "{:?}", bytes.escape_ascii().to_string());
        assert_eq!(fault.sent(), Sent::MaybeSent);
    }
}

#[tokio::test(flavor = "local")]
async fn a_head_is_read_up_to_its_limit_in_pieces_of_any_size() {
    const LIMIT: usize = 64 * 1024;
    for (length, readable) in [(LIMIT, true), (LIMIT + 1, false), (LIMIT + 4_000, false)] {
        let (begin, end) = ("HTTP/1.1 204 -\r\nX: ", "\r\n\r\n");
        let filling = "y".repeat(length - begin.len() - end.len());
        let head = [begin, &filling, end].concat().into_bytes().leak();
        let upstream = Upstream::answering(head, Then::Hold).await;
        let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
        if readable {
            assert_eq!(whole(&report), Ok((204, "")));
        } else {
            assert_eq!(
                report.result.unwrap_err(),
                UpstreamFault::Malformed(Malformed::HeadTooLarge),
                "{length}"
            );
        }
    }
}

#[tokio::test(flavor = "local")]
async fn an_answer_over_the_limit_is_not_waited_for() {
    for bytes in [
        &b"HTTP/1.1 500 No\r\nContent-Length: 101\r\n\r\n"[..],
        b"HTTP/1.1 500 No\r\nContent-Length: 18446744073709551615\r\n\r\n",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
        b"HTTP/1.0 500 No\r\n\r\n01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
    ] {
        let fault = fault_of(bytes, Then::Hold, AMPLE).await;
        assert_eq!(fault, UpstreamFault::TooLarge { status: status(500) });
        assert_eq!(fault.sent(), Sent::MaybeSent);
    }
}

#[tokio::test(flavor = "local")]
async fn an_answer_of_just_the_limit_is_whole() {
    let body = "7".repeat(crate::party::LIMIT);
    let answer = crate::party::sized(&body).leak();
    let upstream = Upstream::answering(answer, Then::Hold).await;
    let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
    assert_eq!(whole(&report), Ok((200, body.as_str())));
}

#[tokio::test(flavor = "local")]
async fn complete_answers_are_returned_unchanged() {
    for (bytes, then, expected) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"[..], Then::Hold, (200, "{}")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Then::Hold, (200, "")),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", Then::Hold, (200, "{}")),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (200, "{}")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nT: t\r\n\r\n", Then::Hold, (200, "{}")),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Then::Hold, (200, "")),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", Then::Close, (200, "{}")),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (200, "{}")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Then::Reset, (200, "{}")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Then::Hold, (204, "")),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", Then::Hold, (204, "")),
        (b"HTTP/1.1 205 Reset\r\n\r\n", Then::Hold, (205, "")),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Then::Hold, (304, "")),
        (b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", Then::Hold, (304, "")),
        (b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", Then::Hold, (101, "")),
        (b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (200, "{}")),
        (b"HTTP/1.1 307 Elsewhere\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (307, "{}")),
        (b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (500, "{}")),
        (b"HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (599, "{}")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Then::Hold, (200, "{}")),
    ] {
        let upstream = Upstream::answering(bytes, then).await;
        let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
        assert_eq!(whole(&report), Ok(expected), "{:?}", bytes.escape_ascii().to_string());
        assert_eq!(upstream.connections(), 1, "redirects are not followed");
    }
}

#[tokio::test(flavor = "local")]
async fn an_answer_is_the_same_in_pieces_of_any_size() {
    const ANSWER: &[u8] = b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{\"a\":\"b\"} \r\n1\r\n\n\r\n0\r\n\r\n";
    for piece in 1..ANSWER.len() {
        let upstream = Upstream::serve(move |_, mut stream| async move {
            read_request(&mut stream).await;
            for bytes in ANSWER.chunks(piece) {
                stream.write_all(bytes).await.unwrap();
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        })
        .await;
        let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
        assert_eq!(
            whole(&report),
            Ok((200, "{\"a\":\"b\"} \n")),
            "pieces of {piece}"
        );
    }
}

#[tokio::test(flavor = "local")]
async fn the_first_content_type_and_retry_after_are_kept() {
    let upstream = Upstream::answering(
        b"HTTP/1.1 429 Slow\r\nContent-Type: a/b\r\nRetry-After: 1\r\ncontent-type: c/d\r\nretry-after: 2\r\nContent-Length: 0\r\n\r\n",
        Then::Hold,
    )
    .await;
    let report = call(&Clients::new(), &upstream.party(), AMPLE, Repeat::Never).await;
    let answer = report.result.unwrap();
    assert_eq!(answer.content_type.unwrap(), "a/b");
    assert_eq!(answer.retry_after.unwrap(), "1");
}

#[tokio::test(flavor = "local")]
async fn the_request_has_the_given_parts_and_nothing_else() {
    let (sender, mut requests) = tokio::sync::mpsc::channel(1);
    let upstream = Upstream::serve(move |_, mut stream| {
        let sender = sender.clone();
        async move {
            sender.send(read_request(&mut stream).await).await.unwrap();
        }
    })
    .await;
    let party = upstream.party();
    let mut outgoing = outgoing_call(&party);
    outgoing.authorization = Some("KakaoAK x".parse().unwrap());
    let trace = outgoing.traceparent.as_bytes();
    let traceparent = format!("traceparent: {}", std::str::from_utf8(trace).unwrap());
    let deadline = Instant::now() + AMPLE;
    Clients::new()
        .call(&party, outgoing.request(), deadline, Repeat::Never)
        .await;

    let request = requests.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /base/kakao/notice HTTP/1.1");
    lines.sort_unstable();
    let host = format!("host: 127.0.0.1:{}", upstream.port);
    assert_eq!(
        lines,
        [
            "accept-encoding: identity",
            "accept: application/json;charset=utf-8",
            "authorization: KakaoAK x",
            "connection: keep-alive",
            "content-length: 11",
            "content-type: application/json;charset=utf-8",
            host.as_str(),
            traceparent.as_str(),
            concat!("user-agent: relay-gateway/", env!("CARGO_PKG_VERSION")),
            "x-request-id: r-1",
        ]
    );
    assert_eq!(body, "{\"data\":{}}");
}

#[tokio::test(flavor = "local")]
async fn a_party_that_does_not_listen_is_not_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for (url, step) in [
        (format!("http://127.0.0.1:{port}"), ConnectStep::Connect),
        (
            "http://no-such-name.invalid".to_owned(),
            ConnectStep::Resolve,
        ),
    ] {
        let report = call(&Clients::new(), &party(&url), AMPLE, Repeat::Safe).await;
        assert_eq!(
            (report.attempts, report.connect_duration.is_some()),
            (1, true)
        );
        let fault = report.result.unwrap_err();
        assert_eq!(fault.sent(), Sent::NotSent);
        assert!(matches!(fault, UpstreamFault::NotReached(unreached) if unreached.step == step));
    }
}

#[tokio::test(flavor = "local")]
async fn a_party_is_found_by_name_at_whichever_of_its_addresses_listens() {
    let upstream = Upstream::answering(b"HTTP/1.1 204 -\r\n\r\n", Then::Hold).await;
    let named = party(&format!("http://localhost:{}", upstream.port));
    let report = call(&Clients::new(), &named, AMPLE, Repeat::Never).await;
    assert_eq!(whole(&report), Ok((204, "")));
}
