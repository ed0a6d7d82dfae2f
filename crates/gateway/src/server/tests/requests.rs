//! Valid requests.

use super::*;

/// Name, bytes and echo of requests that are answered.
const GOOD: &[(&str, &str, &str)] = &[
    ("no body", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a "),
    (
        "post without a body",
        "POST /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /a ",
    ),
    (
        "length",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "length 0",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST /a ",
    ),
    (
        "length with zeros",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 000000000000000005\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "length between spaces",
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \t5 \t\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "chunks",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        "POST /a hello",
    ),
    (
        "chunks in other spellings",
        "POST /a HTTP/1.1\r\nHost: a\r\ntransfer-ENCODING:CHUNKED\r\n\r\n00000003;x=\"y\"\r\nhel\r\n2;;\r\nlo\r\n00000000\r\n\r\n",
        "POST /a hello",
    ),
    (
        "no chunk",
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /a ",
    ),
    (
        "query",
        "GET /a-._~!$&'()*+,;=:@%41?/?x=%00 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET /a-._~!$&'()*+,;=:@%41 ",
    ),
    (
        "no host in HTTP/1.0",
        "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /a ",
    ),
    (
        "length in HTTP/1.0",
        "POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "values not ASCII",
        "GET /a HTTP/1.1\r\nHost: a\r\nX: 서울\tb\r\nY:\r\n\r\n",
        "GET /a ",
    ),
    (
        "unusual method",
        "version-Control /a HTTP/1.1\r\nHost: a\r\n\r\n",
        "version-Control /a ",
    ),
    (
        "expectation",
        "POST /a HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "upgrade to HTTP/2, as Java's client asks for it",
        "POST /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 5\r\nHost: a\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "upgrade that would beat the length",
        "POST /a HTTP/1.1\r\nHost: a\r\nUPGRADE:\twebsocket\r\nConnection: upgrade\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "upgrade that would beat the chunks",
        "POST /a HTTP/1.1\r\nHost: a\r\nupgrade: websocket, h2c\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST /a hello",
    ),
    (
        "upgrade without a body",
        "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nUpgrade: TLS/1.2\r\nConnection: keep-alive, upgrade\r\n\r\n",
        "GET /a ",
    ),
    (
        "empty line first",
        "\r\nPOST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "absolute target",
        "POST http://a.example:80/a?x HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello",
        "POST /a hello",
    ),
    (
        "absolute target with an address",
        "GET HTTPS://[2001:db8::1]:8443/a HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET /a ",
    ),
    (
        "absolute target without a path",
        "GET http://127.0.0.1 HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET / ",
    ),
    (
        "absolute target with a query only",
        "GET http://a?x=/b HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET / ",
    ),
];

#[tokio::test]
async fn good_requests_are_answered_on_one_connection() {
    let (server, _handler) = start(options());
    let mut socket = connect(&server).await;
    for (name, bytes, body) in GOOD {
        send(&mut socket, bytes).await;
        let answer = one_answer(&mut socket).await;
        assert!(
            answer.ends_with(&format!("\r\n\r\n{body}")),
            "{name}: {answer}"
        );
    }
}

#[tokio::test]
async fn good_requests_that_arrive_byte_by_byte_are_answered() {
    let (server, _handler) = start(options());
    let mut socket = connect(&server).await;
    for (name, bytes, body) in GOOD {
        for byte in bytes.as_bytes() {
            send(&mut socket, [*byte]).await;
            tokio::task::yield_now().await;
        }
        let answer = one_answer(&mut socket).await;
        assert!(
            answer.ends_with(&format!("\r\n\r\n{body}")),
            "{name}: {answer}"
        );
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (server, _handler) = start(options());
    let mut socket = connect(&server).await;
    let all: String = GOOD.iter().map(|(_, bytes, _)| *bytes).collect();
    send(&mut socket, all.repeat(20)).await;
    for _ in 0..20 {
        for (name, _, body) in GOOD {
            let answer = one_answer(&mut socket).await;
            assert!(
                answer.ends_with(&format!("\r\n\r\n{body}")),
                "{name}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn the_next_request_waits_until_the_one_before_is_answered() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    let wait = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";
    send(&mut socket, wait.repeat(2)).await;
    handler.until_call_begins().await;
    assert_eq!(handler.records().len(), 1);
    handler.may_end.add_permits(1);
    one_answer(&mut socket).await;
    handler.until_call_begins().await;
    handler.may_end.add_permits(1);
    one_answer(&mut socket).await;
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    let body = "0123456789abcdef".repeat(40_000);
    let length = body.len();
    let head = format!("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    send(&mut socket, head + &body).await;
    let answer = one_answer(&mut socket).await;
    assert!(answer.ends_with(&body));

    let head = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = format!("{length:x}\r\n{body}\r\n").repeat(2);
    send(&mut socket, format!("{head}{chunks}0\r\n\r\n")).await;
    let answer = one_answer(&mut socket).await;
    assert!(answer.ends_with(&body.repeat(2)));
    assert_eq!(handler.records().len(), 2);
}

#[tokio::test]
async fn an_expectation_is_answered_before_the_body_arrives() {
    let (server, _handler) = start(options());
    let mut socket = connect(&server).await;
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    send(&mut socket, head).await;
    let mut interim = [0; 25];
    in_time(socket.read_exact(&mut interim)).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    send(&mut socket, "hello").await;
    let answer = one_answer(&mut socket).await;
    assert!(answer.ends_with("POST /a hello"), "{answer}");
}

#[tokio::test]
async fn an_answer_without_the_body_keeps_the_connection_when_the_body_follows() {
    let (server, handler) = start(options());
    let mut socket = connect(&server).await;
    let length = "POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let chunks = "POST /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for request in [length, chunks] {
        send(&mut socket, request).await;
        let answer = one_answer(&mut socket).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(!answer.contains("close"), "{answer}");
    }
    send(&mut socket, GOOD[2].1).await;
    one_answer(&mut socket).await;
    assert_eq!(
        handler.records(),
        ["POST /early", "POST /early", "POST /a hello"]
    );
}

#[tokio::test]
async fn an_upgrade_is_ignored_and_the_connection_is_kept_or_closed_as_the_request_asks() {
    let (server, _handler) = start(options());
    // version and Connection | whether the connection is kept
    let table = [
        ("1.1", "Connection: upgrade\r\n", true),
        ("1.1", "Connection: Upgrade, HTTP2-Settings\r\n", true),
        ("1.1", "Connection: Upgrade, close\r\n", false),
        ("1.1", "Connection: close\r\nConnection: Upgrade\r\n", false),
        ("1.0", "Connection: Upgrade\r\n", false),
        ("1.0", "Connection: Upgrade, Keep-Alive\r\n", true),
        ("1.1", "Connection: x-upgrade\r\n", true),
    ];
    for (version, lines, is_kept) in table {
        let mut socket = connect(&server).await;
        let request = format!("GET /a HTTP/{version}\r\nHost: a\r\nUpgrade: h2c\r\n{lines}\r\n");
        send(&mut socket, &request).await;
        let answer = one_answer(&mut socket).await;
        assert!(answer.contains(" 200 OK"), "{answer}");
        if is_kept {
            assert!(!answer.contains("connection: close"), "{lines}: {answer}");
            send(&mut socket, &request).await;
            one_answer(&mut socket).await;
        } else {
            assert_eq!(until_closed(&mut socket).await, "", "{lines}");
        }
    }
}

#[tokio::test]
async fn an_empty_line_behind_a_request_begins_no_head_and_ends_no_connection() {
    let (server, handler) = start(ServerOptions {
        head_timeout: Duration::from_millis(50),
        ..options()
    });
    let mut socket = connect(&server).await;
    let request = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n";
    send(&mut socket, request).await;
    one_answer(&mut socket).await;
    // Another connection's head is late meanwhile, so this one's time would be over, too.
    let mut late = connect(&server).await;
    send(&mut late, "G").await;
    assert_eq!(statuses(&until_closed(&mut late).await), [408]);
    send(&mut socket, request).await;
    assert!(one_answer(&mut socket).await.ends_with("POST /a hello"));
    assert_eq!(
        handler.records(),
        ["POST /a hello", "fault 408 head-late", "POST /a hello"]
    );
}
