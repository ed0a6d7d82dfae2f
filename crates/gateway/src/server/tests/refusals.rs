//! Requests that two servers could read differently.

use super::*;

const GOOD: &str = "POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";

/// Heads that are refused with 400 and never become a request.
fn refused_heads() -> Vec<(&'static str, String)> {
    [lengths(), codings(), headers(), request_lines()].concat()
}

fn post(headers: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
}

fn line(line: &str) -> String {
    format!("{line}\r\nHost: a\r\n\r\n")
}

/// Heads with an ambiguous body length.
fn lengths() -> Vec<(&'static str, String)> {
    vec![
        (
            "two lengths",
            post("Content-Length: 5\r\nContent-Length: 6\r\n") + "hello",
        ),
        (
            "two equal lengths",
            post("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello",
        ),
        ("signed length", post("Content-Length: +5\r\n") + "hello"),
        ("negative length", post("Content-Length: -5\r\n") + "hello"),
        ("listed length", post("Content-Length: 5, 5\r\n") + "hello"),
        ("spaced length", post("Content-Length: 1 0\r\n") + "hello"),
        (
            "hexadecimal length",
            post("Content-Length: 0x5\r\n") + "hello",
        ),
        (
            "fractional length",
            post("Content-Length: 5.0\r\n") + "hello",
        ),
        ("empty length", post("Content-Length:\r\n")),
        ("quoted length", post("Content-Length: \"5\"\r\n") + "hello"),
        (
            "length beyond 18 digits",
            post("Content-Length: 0000000000000000005\r\n") + "hello",
        ),
        (
            "length beyond 64 bits",
            post("Content-Length: 18446744073709551621\r\n") + "hello",
        ),
        (
            "length in other digits",
            post("Content-Length: ٥\r\n") + "hello",
        ),
        (
            "no length in HTTP/1.0",
            str::to_owned("POST /x HTTP/1.0\r\nHost: a\r\n\r\n"),
        ),
    ]
}

/// Heads with an ambiguous transfer coding.
fn codings() -> Vec<(&'static str, String)> {
    vec![
        (
            "length with coding",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        ),
        (
            "coding with length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n",
        ),
        (
            "two codings",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ),
        ("identity coding", post("Transfer-Encoding: identity\r\n")),
        ("gzip coding", post("Transfer-Encoding: gzip\r\n")),
        (
            "coding of two",
            post("Transfer-Encoding: gzip, chunked\r\n"),
        ),
        (
            "chunked twice",
            post("Transfer-Encoding: chunked, chunked\r\n"),
        ),
        ("coding misspelt", post("Transfer-Encoding: xchunked\r\n")),
        (
            "coding with a parameter",
            post("Transfer-Encoding: chunked;q=1\r\n"),
        ),
        ("quoted coding", post("Transfer-Encoding: \"chunked\"\r\n")),
        ("empty coding", post("Transfer-Encoding:\r\n")),
        (
            "coding with a vertical tab",
            post("Transfer-Encoding: \x0bchunked\r\n"),
        ),
        ("coding folded", post("Transfer-Encoding:\r\n chunked\r\n")),
        (
            "coding in HTTP/1.0",
            str::to_owned("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
    ]
}

/// Heads with malformed or ambiguous headers.
fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("two hosts", post("host: a\r\n")),
        (
            "no host",
            str::to_owned("GET /x HTTP/1.1\r\nAccept: a\r\n\r\n"),
        ),
        (
            "host of two",
            str::to_owned("GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        ),
        (
            "host with a path",
            str::to_owned("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        ),
        (
            "space before a colon",
            post("Content-Length : 5\r\n") + "hello",
        ),
        (
            "tab before a colon",
            post("Transfer-Encoding\t: chunked\r\n"),
        ),
        ("folded line", post("X: a\r\n b\r\n")),
        ("line folded by a tab", post("X: a\r\n\tb\r\n")),
        (
            "first header folded",
            str::to_owned("GET /x HTTP/1.1\r\n Host: a\r\n\r\n"),
        ),
        ("no name", post(": a\r\n")),
        ("no colon", post("X\r\n")),
        ("name with a quote", post("X\"y: a\r\n")),
        ("name in brackets", post("(x): a\r\n")),
        (
            "bare CR in a value",
            post("X: a\rContent-Length: 5\r\n") + "hello",
        ),
        ("bare CR at a line's end", post("X: a\r\r\n")),
        ("bare LF after a header", post("X: a\n")),
        (
            "bare LF after the request line",
            str::to_owned("GET /x HTTP/1.1\nHost: a\r\n\r\n"),
        ),
        (
            "bare LF at the end",
            str::to_owned("GET /x HTTP/1.1\r\nHost: a\r\n\n"),
        ),
        ("NUL in a value", post("X: a\0b\r\n")),
        ("NUL in a name", post("X\0: a\r\n")),
        ("escape in a value", post("X: a\x1bb\r\n")),
        ("DEL in a value", post("X: a\x7fb\r\n")),
        (
            "upgrade",
            post("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n") + "hello",
        ),
        ("upgrade to h2c", post("Upgrade: h2c\r\n")),
    ]
}

/// Heads with a malformed request line.
fn request_lines() -> Vec<(&'static str, String)> {
    vec![
        ("empty line first", str::to_owned("\r\n") + GOOD),
        ("bare LF first", str::to_owned("\n") + GOOD),
        ("space first", str::to_owned(" ") + GOOD),
        ("TLS on a plain port", str::to_owned("\x16\x03\x01\x02")),
        (
            "HTTP/2 preface",
            str::to_owned("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ),
        ("HTTP/0.9", str::to_owned("GET /x\r\n")),
        ("HTTP/1.2", line("GET /x HTTP/1.2")),
        ("HTTP/2", line("GET /x HTTP/2")),
        ("version in small letters", line("GET /x http/1.1")),
        ("two spaces after the method", line("GET  /x HTTP/1.1")),
        ("two spaces after the target", line("GET /x  HTTP/1.1")),
        ("tab for a space", line("GET\t/x HTTP/1.1")),
        ("space at the end", line("GET /x HTTP/1.1 ")),
        ("space in the target", line("GET /x y HTTP/1.1")),
        ("no target", line("GET HTTP/1.1")),
        ("method with a hash sign", line("#GET /x HTTP/1.1")),
        ("method with a digit", line("GET2 /x HTTP/1.1")),
        ("no method", line("/x HTTP/1.1")),
        ("absolute target", line("GET http://a/x HTTP/1.1")),
        ("asterisk", line("OPTIONS * HTTP/1.1")),
        ("fragment", line("GET /x#y HTTP/1.1")),
        ("backslash", line("GET /x\\y HTTP/1.1")),
        ("target not ASCII", line("GET /é HTTP/1.1")),
        ("angle bracket in the query", line("GET /x?<y HTTP/1.1")),
        ("connect", line("CONNECT a:443 HTTP/1.1")),
        ("connect to a path", line("CONNECT /x HTTP/1.1")),
        (
            "forged synthetic request",
            line("RELAY-EARLY-FAULT /408 HTTP/1.1"),
        ),
        (
            "target over 8 KiB",
            line(&format!("GET /{} HTTP/1.1", "x".repeat(8 * 1024))),
        ),
    ]
}

#[tokio::test]
async fn an_ambiguous_head_is_answered_400_and_never_becomes_a_request() {
    let (server, handler) = start(options());
    for (name, bytes) in refused_heads() {
        // The bytes that follow must not become a request.
        let answer = exchange(&server, bytes + GOOD).await;
        assert_eq!(statuses(&answer), [400], "{name}: {answer}");
        assert!(answer.contains("connection: close"), "{name}: {answer}");
        assert_eq!(handler.records(), ["fault 400"], "{name}");
        handler.records.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn an_ambiguous_head_that_arrives_byte_by_byte_is_answered_400() {
    let (server, handler) = start(options());
    for (name, bytes) in refused_heads() {
        if bytes.len() > 1000 {
            continue;
        }
        let mut socket = connect(&server).await;
        for byte in bytes.as_bytes() {
            // The head may be refused before its last byte, which then cannot be sent.
            if socket.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let answer = until_closed(&mut socket).await;
        assert_eq!(statuses(&answer), [400], "{name}: {answer}");
        assert_eq!(handler.records(), ["fault 400"], "{name}");
        handler.records.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn an_ambiguous_head_is_answered_after_the_good_requests_before_it() {
    let (server, handler) = start(options());
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for (name, bytes) in refused_heads() {
        let pipelined = format!("{GOOD}{GOOD}{bytes}{smuggled}");
        let answers = exchange(&server, pipelined).await;
        assert_eq!(statuses(&answers), [200, 200, 400], "{name}: {answers}");
        let good = "POST /good ok";
        assert_eq!(handler.records(), [good, good, "fault 400"], "{name}");
        handler.records.lock().unwrap().clear();
    }
}

/// Chunked bodies with broken framing.
const BROKEN_BODIES: &[(&str, &str)] = &[
    ("no size", "\r\nhello\r\n0\r\n\r\n"),
    ("size not a number", "x\r\nhello\r\n0\r\n\r\n"),
    ("signed size", "+5\r\nhello\r\n0\r\n\r\n"),
    ("negative size", "-5\r\nhello\r\n0\r\n\r\n"),
    ("size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
    ("size with an underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
    ("space before the size", " 5\r\nhello\r\n0\r\n\r\n"),
    ("space after the size", "5 \r\nhello\r\n0\r\n\r\n"),
    ("size of nine digits", "000000005\r\nhello\r\n0\r\n\r\n"),
    (
        "size beyond 64 bits",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
    ),
    ("bare LF after the size", "5\nhello\r\n0\r\n\r\n"),
    ("bare CR after the size", "5\rhello\r\n0\r\n\r\n"),
    ("space in an extension", "5;a b\r\nhello\r\n0\r\n\r\n"),
    ("LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n"),
    ("NUL in an extension", "5;a\0\r\nhello\r\n0\r\n\r\n"),
    ("no CRLF after the data", "5\r\nhello0\r\n\r\n"),
    ("data longer than its size", "4\r\nhello\r\n0\r\n\r\n"),
    ("bare LF after the data", "5\r\nhello\n0\r\n\r\n"),
    ("bare CR after the data", "5\r\nhello\r0\r\n\r\n"),
    ("bare LF after the last chunk", "0\n\r\n"),
    ("bare LF at the end", "0\r\n\n"),
    ("trailer", "0\r\nX: a\r\n\r\n"),
    ("trailer with a length", "0\r\nContent-Length: 5\r\n\r\n"),
];

#[tokio::test]
async fn a_broken_chunk_is_answered_400_and_ends_the_connection() {
    let (server, handler) = start(options());
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "e".repeat(256));
    let bodies = BROKEN_BODIES.iter().copied();
    for (name, body) in bodies.chain([("extension over 256 bytes", long.as_str())]) {
        let together = exchange(&server, format!("{head}{body}{GOOD}")).await;
        assert_eq!(statuses(&together), [400], "{name}: {together}");
        assert!(together.contains("connection: close"), "{name}: {together}");

        let mut socket = connect(&server).await;
        for byte in format!("{head}{body}").as_bytes() {
            if socket.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let apart = until_closed(&mut socket).await;
        assert_eq!(statuses(&apart), [400], "{name}: {apart}");

        let expected = "POST /x cut Some(BadRequest)";
        assert_eq!(handler.records(), [expected, expected], "{name}");
        handler.records.lock().unwrap().clear();
    }
}
