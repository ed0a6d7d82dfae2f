//! Requests that two servers could read differently.

use super::*;

const GOOD: &str = "POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";

/// Name, reason and bytes of a head.
type RefusedHead = (&'static str, &'static str, String);

/// Heads that are refused with 400 and never become a request.
fn refused_heads() -> Vec<RefusedHead> {
    [lengths(), codings(), headers(), request_lines()].concat()
}

fn post(headers: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
}

fn line(line: &str) -> String {
    format!("{line}\r\nHost: a\r\n\r\n")
}

/// Heads with an ambiguous body length.
fn lengths() -> Vec<RefusedHead> {
    vec![
        (
            "two lengths",
            "two-content-lengths",
            post("Content-Length: 5\r\nContent-Length: 6\r\n") + "hello",
        ),
        (
            "two equal lengths",
            "two-content-lengths",
            post("Content-Length: 5\r\nContent-Length: 5\r\n") + "hello",
        ),
        (
            "signed length",
            "content-length",
            post("Content-Length: +5\r\n") + "hello",
        ),
        (
            "negative length",
            "content-length",
            post("Content-Length: -5\r\n") + "hello",
        ),
        (
            "listed length",
            "content-length",
            post("Content-Length: 5, 5\r\n") + "hello",
        ),
        (
            "spaced length",
            "content-length",
            post("Content-Length: 1 0\r\n") + "hello",
        ),
        (
            "hexadecimal length",
            "content-length",
            post("Content-Length: 0x5\r\n") + "hello",
        ),
        (
            "fractional length",
            "content-length",
            post("Content-Length: 5.0\r\n") + "hello",
        ),
        (
            "empty length",
            "content-length",
            post("Content-Length:\r\n"),
        ),
        (
            "quoted length",
            "content-length",
            post("Content-Length: \"5\"\r\n") + "hello",
        ),
        (
            "length beyond 18 digits",
            "content-length",
            post("Content-Length: 0000000000000000005\r\n") + "hello",
        ),
        (
            "length beyond 64 bits",
            "content-length",
            post("Content-Length: 18446744073709551621\r\n") + "hello",
        ),
        (
            "length in other digits",
            "content-length",
            post("Content-Length: ٥\r\n") + "hello",
        ),
        (
            "no length in HTTP/1.0",
            "no-content-length",
            str::to_owned("POST /x HTTP/1.0\r\nHost: a\r\n\r\n"),
        ),
    ]
}

/// Heads with an ambiguous transfer coding.
fn codings() -> Vec<RefusedHead> {
    vec![
        (
            "length with coding",
            "content-length-and-transfer-encoding",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        ),
        (
            "coding with length",
            "content-length-and-transfer-encoding",
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n",
        ),
        (
            "two codings",
            "two-transfer-encodings",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ),
        (
            "identity coding",
            "transfer-encoding",
            post("Transfer-Encoding: identity\r\n"),
        ),
        (
            "gzip coding",
            "transfer-encoding",
            post("Transfer-Encoding: gzip\r\n"),
        ),
        (
            "coding of two",
            "transfer-encoding",
            post("Transfer-Encoding: gzip, chunked\r\n"),
        ),
        (
            "chunked twice",
            "transfer-encoding",
            post("Transfer-Encoding: chunked, chunked\r\n"),
        ),
        (
            "coding misspelt",
            "transfer-encoding",
            post("Transfer-Encoding: xchunked\r\n"),
        ),
        (
            "coding with a parameter",
            "transfer-encoding",
            post("Transfer-Encoding: chunked;q=1\r\n"),
        ),
        (
            "quoted coding",
            "transfer-encoding",
            post("Transfer-Encoding: \"chunked\"\r\n"),
        ),
        (
            "empty coding",
            "transfer-encoding",
            post("Transfer-Encoding:\r\n"),
        ),
        (
            "coding with a vertical tab",
            "control-character",
            post("Transfer-Encoding: \x0bchunked\r\n"),
        ),
        (
            "coding folded",
            "transfer-encoding",
            post("Transfer-Encoding:\r\n chunked\r\n"),
        ),
        (
            "coding in HTTP/1.0",
            "transfer-encoding-in-http-1.0",
            str::to_owned("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
    ]
}

/// Heads with malformed or ambiguous headers.
fn headers() -> Vec<RefusedHead> {
    vec![
        ("two hosts", "two-hosts", post("host: a\r\n")),
        (
            "no host",
            "no-host",
            str::to_owned("GET /x HTTP/1.1\r\nAccept: a\r\n\r\n"),
        ),
        (
            "host of two",
            "host",
            str::to_owned("GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        ),
        (
            "host with a path",
            "host",
            str::to_owned("GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        ),
        (
            "space before a colon",
            "space-before-colon",
            post("Content-Length : 5\r\n") + "hello",
        ),
        (
            "tab before a colon",
            "space-before-colon",
            post("Transfer-Encoding\t: chunked\r\n"),
        ),
        ("folded line", "folded-line", post("X: a\r\n b\r\n")),
        (
            "line folded by a tab",
            "folded-line",
            post("X: a\r\n\tb\r\n"),
        ),
        (
            "first header folded",
            "folded-line",
            str::to_owned("GET /x HTTP/1.1\r\n Host: a\r\n\r\n"),
        ),
        ("no name", "header-name", post(": a\r\n")),
        ("no colon", "no-colon", post("X\r\n")),
        ("name with a quote", "header-name", post("X\"y: a\r\n")),
        ("name in brackets", "header-name", post("(x): a\r\n")),
        (
            "bare CR in a value",
            "bare-cr",
            post("X: a\rContent-Length: 5\r\n") + "hello",
        ),
        ("bare CR at a line's end", "bare-cr", post("X: a\r\r\n")),
        ("bare LF after a header", "bare-lf", post("X: a\n")),
        (
            "bare LF after the request line",
            "bare-lf",
            str::to_owned("GET /x HTTP/1.1\nHost: a\r\n\r\n"),
        ),
        (
            "bare LF at the end",
            "bare-lf",
            str::to_owned("GET /x HTTP/1.1\r\nHost: a\r\n\n"),
        ),
        ("NUL in a value", "nul", post("X: a\0b\r\n")),
        ("NUL in a name", "nul", post("X\0: a\r\n")),
        (
            "escape in a value",
            "control-character",
            post("X: a\x1bb\r\n"),
        ),
        ("DEL in a value", "control-character", post("X: a\x7fb\r\n")),
    ]
}

/// Heads with a malformed request line.
fn request_lines() -> Vec<RefusedHead> {
    vec![
        (
            "two empty lines first",
            "empty-lines",
            str::to_owned("\r\n\r\n") + GOOD,
        ),
        (
            "bare CR first",
            "bare-cr",
            str::to_owned("\rGET /x HTTP/1.1"),
        ),
        ("bare LF first", "bare-lf", str::to_owned("\n") + GOOD),
        ("space first", "not-http", str::to_owned(" ") + GOOD),
        (
            "TLS on a plain port",
            "not-http",
            str::to_owned("\x16\x03\x01\x02"),
        ),
        (
            "HTTP/2 preface",
            "version",
            str::to_owned("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ),
        ("HTTP/0.9", "version", str::to_owned("GET /x\r\n")),
        ("HTTP/1.2", "version", line("GET /x HTTP/1.2")),
        ("HTTP/2", "version", line("GET /x HTTP/2")),
        (
            "version in small letters",
            "version",
            line("GET /x http/1.1"),
        ),
        (
            "two spaces after the method",
            "target",
            line("GET  /x HTTP/1.1"),
        ),
        (
            "two spaces after the target",
            "target",
            line("GET /x  HTTP/1.1"),
        ),
        ("tab for a space", "method", line("GET\t/x HTTP/1.1")),
        ("space at the end", "version", line("GET /x HTTP/1.1 ")),
        ("space in the target", "target", line("GET /x y HTTP/1.1")),
        ("no target", "target", line("GET HTTP/1.1")),
        (
            "method with a hash sign",
            "not-http",
            line("#GET /x HTTP/1.1"),
        ),
        ("method with a digit", "method", line("GET2 /x HTTP/1.1")),
        ("no method", "not-http", line("/x HTTP/1.1")),
        (
            "target of another scheme",
            "target",
            line("GET ftp://a/x HTTP/1.1"),
        ),
        (
            "target with one slash",
            "target",
            line("GET http:/x HTTP/1.1"),
        ),
        (
            "target without a host",
            "target",
            line("GET http:///x HTTP/1.1"),
        ),
        (
            "target with a user",
            "target",
            line("GET http://u@a/x HTTP/1.1"),
        ),
        (
            "target with a port of six digits",
            "target",
            line("GET http://a:655360/x HTTP/1.1"),
        ),
        (
            "target with an empty port",
            "target",
            line("GET http://a:/x HTTP/1.1"),
        ),
        (
            "target with a port that is no number",
            "target",
            line("GET http://a:x/y HTTP/1.1"),
        ),
        (
            "target with half an address",
            "target",
            line("GET http://[::1/x HTTP/1.1"),
        ),
        (
            "target with an address that is none",
            "target",
            line("GET http://[::g]/x HTTP/1.1"),
        ),
        (
            "target with bytes behind an address",
            "target",
            line("GET http://[::1]x/y HTTP/1.1"),
        ),
        (
            "target with a fragment behind its host",
            "target",
            line("GET http://a#x HTTP/1.1"),
        ),
        (
            "target that is a host",
            "target",
            line("GET a:443 HTTP/1.1"),
        ),
        ("asterisk", "target", line("OPTIONS * HTTP/1.1")),
        ("fragment", "target", line("GET /x#y HTTP/1.1")),
        ("backslash", "target", line("GET /x\\y HTTP/1.1")),
        ("target not ASCII", "target", line("GET /é HTTP/1.1")),
        (
            "angle bracket in the query",
            "target",
            line("GET /x?<y HTTP/1.1"),
        ),
        ("connect", "method", line("CONNECT a:443 HTTP/1.1")),
        ("connect to a path", "method", line("CONNECT /x HTTP/1.1")),
        (
            "forged synthetic request",
            "method",
            line("RELAY-EARLY-FAULT /408 HTTP/1.1"),
        ),
        (
            "target over 8 KiB",
            "target-too-long",
            line(&format!("GET /{} HTTP/1.1", "x".repeat(8 * 1024))),
        ),
    ]
}

#[tokio::test]
async fn an_ambiguous_head_is_answered_400_and_never_becomes_a_request() {
    let (server, handler) = start(options());
    for (name, reason, bytes) in refused_heads() {
        // The bytes that follow must not become a request.
        let answer = exchange(&server, bytes + GOOD).await;
        assert_eq!(statuses(&answer), [400], "{name}: {answer}");
        assert!(answer.contains("connection: close"), "{name}: {answer}");
        assert_eq!(handler.records(), [format!("fault 400 {reason}")], "{name}");
        handler.records.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn an_ambiguous_head_that_arrives_byte_by_byte_is_answered_400() {
    let (server, handler) = start(options());
    for (name, reason, bytes) in refused_heads() {
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
        assert_eq!(handler.records(), [format!("fault 400 {reason}")], "{name}");
        handler.records.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn an_ambiguous_head_is_answered_after_the_good_requests_before_it() {
    let (server, handler) = start(options());
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    for (name, reason, bytes) in refused_heads() {
        let pipelined = format!("{GOOD}{GOOD}{bytes}{smuggled}");
        let answers = exchange(&server, pipelined).await;
        assert_eq!(statuses(&answers), [200, 200, 400], "{name}: {answers}");
        let good = "POST /good ok";
        let fault = format!("fault 400 {reason}");
        assert_eq!(handler.records(), [good, good, &fault], "{name}");
        handler.records.lock().unwrap().clear();
    }
}

/// Chunked bodies with broken framing.
const BROKEN_BODIES: &[(&str, &str, &str)] = &[
    ("no size", "chunk-size", "\r\nhello\r\n0\r\n\r\n"),
    ("size not a number", "chunk-size", "x\r\nhello\r\n0\r\n\r\n"),
    ("signed size", "chunk-size", "+5\r\nhello\r\n0\r\n\r\n"),
    ("negative size", "chunk-size", "-5\r\nhello\r\n0\r\n\r\n"),
    ("size with 0x", "chunk-size", "0x5\r\nhello\r\n0\r\n\r\n"),
    (
        "size with an underscore",
        "chunk-size",
        "0_5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "space before the size",
        "chunk-size",
        " 5\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "space after the size",
        "chunk-size",
        "5 \r\nhello\r\n0\r\n\r\n",
    ),
    (
        "size of nine digits",
        "chunk-size",
        "000000005\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "size beyond 64 bits",
        "chunk-size",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
    ),
    ("bare LF after the size", "bare-lf", "5\nhello\r\n0\r\n\r\n"),
    ("bare CR after the size", "bare-cr", "5\rhello\r\n0\r\n\r\n"),
    (
        "space in an extension",
        "chunk-extension",
        "5;a b\r\nhello\r\n0\r\n\r\n",
    ),
    (
        "LF in an extension",
        "bare-lf",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
    ),
    ("NUL in an extension", "nul", "5;a\0\r\nhello\r\n0\r\n\r\n"),
    (
        "no CRLF after the data",
        "chunk-data",
        "5\r\nhello0\r\n\r\n",
    ),
    (
        "data longer than its size",
        "chunk-data",
        "4\r\nhello\r\n0\r\n\r\n",
    ),
    ("bare LF after the data", "bare-lf", "5\r\nhello\n0\r\n\r\n"),
    ("bare CR after the data", "bare-cr", "5\r\nhello\r0\r\n\r\n"),
    ("bare LF after the last chunk", "bare-lf", "0\n\r\n"),
    ("bare LF at the end", "bare-lf", "0\r\n\n"),
    ("trailer", "trailer", "0\r\nX: a\r\n\r\n"),
    (
        "trailer with a length",
        "trailer",
        "0\r\nContent-Length: 5\r\n\r\n",
    ),
];

#[tokio::test]
async fn a_broken_chunk_is_answered_400_and_ends_the_connection() {
    let (server, handler) = start(options());
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n";
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "e".repeat(256));
    let long = ("extension over 256 bytes", "chunk-extension", long.as_str());
    for (name, reason, body) in BROKEN_BODIES.iter().copied().chain([long]) {
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

        let expected = format!("POST /x cut {reason}");
        assert_eq!(handler.records(), [expected.clone(), expected], "{name}");
        handler.records.lock().unwrap().clear();
    }
}
