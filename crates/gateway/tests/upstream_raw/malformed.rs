//! Answers that could be read in two ways, or in none: refused at once, and the fault says why.

use gateway::upstream::{Clients, Malformed, Repeat, Sent, UpstreamFault};
use tokio::io::AsyncWriteExt;

use crate::answers::fault_of;
use crate::party::{AMPLE, Then, Upstream, call, read_request};

/// Asserts that an answer is refused by this rule, although nothing more comes and the connection stays open.
async fn assert_refused(bytes: &'static [u8], rule: Malformed) {
    let fault = fault_of(bytes, Then::Hold, AMPLE).await;
    let text = bytes.escape_ascii();
    assert_eq!(fault, UpstreamFault::Malformed(rule), "{text}");
    assert_eq!(fault.sent(), Sent::MaybeSent);
    assert_eq!(fault.to_string(), format!("malformed answer: {rule}"));
}

#[tokio::test(flavor = "local")]
async fn first_bytes_that_are_no_http_are_refused_without_waiting_for_more() {
    for (bytes, rule) in [
        (&b"hello"[..], Malformed::NotHttp),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Malformed::NotHttp),
        (b"220 mail.example ESMTP\r\n", Malformed::NotHttp),
        (b"{\"res_code\":\"OK\"}", Malformed::NotHttp),
        (b"<html>", Malformed::NotHttp),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\n", Malformed::NotHttp),
        (b"http/1.1 200 OK\r\n", Malformed::NotHttp),
        (b"\x15\x03\x01\x00\x02\x02\x46", Malformed::Tls),
        (b"HTTP/2.0 200 OK\r\n", Malformed::Version),
        (b"HTTP/1.1 100 Continue\r\n\r\ngarbage", Malformed::NotHttp),
    ] {
        assert_refused(bytes, rule).await;
    }
}

#[tokio::test(flavor = "local")]
async fn a_head_that_breaks_a_rule_is_refused_by_that_rule() {
    use Malformed::{
        BareCarriageReturn, FoldedLine, HeaderName, HeaderValue, NoColon, SpaceBeforeColon, Status,
        Version,
    };
    for (bytes, rule) in [
        (
            &b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n{}"[..],
            Version,
        ),
        (b"HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\n{}", Status),
        (b"HTTP/1.1 20 No\r\nContent-Length: 2\r\n\r\n{}", Status),
        (b"HTTP/1.1 2000 No\r\nContent-Length: 2\r\n\r\n{}", Status),
        (
            b"HTTP/1.1 1000 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            Status,
        ),
        (
            b"HTTP/1.1 1000\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            Status,
        ),
        (
            b"HTTP/1.1 10x No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            Status,
        ),
        (
            b"HTTP/1.2 100 No\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            Version,
        ),
        (
            b"HTTP/1.1 103 Early\r\nLink : x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            SpaceBeforeColon,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
            SpaceBeforeColon,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length\t: 2\r\n\r\n{}",
            SpaceBeforeColon,
        ),
        (
            b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
            FoldedLine,
        ),
        (
            b"HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 2\r\n\r\n{}",
            FoldedLine,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\n{}", NoColon),
        (b"HTTP/1.1 200 OK\r\nX(: 2\r\n\r\n{}", HeaderName),
        (b"HTTP/1.1 200 OK\r\n: 2\r\n\r\n{}", HeaderName),
        (
            b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 2\r\n\r\n{}",
            BareCarriageReturn,
        ),
        (
            b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}",
            HeaderValue,
        ),
    ] {
        assert_refused(bytes, rule).await;
    }
}

#[tokio::test(flavor = "local")]
async fn framing_that_two_readers_could_read_differently_is_refused_by_its_rule() {
    use Malformed::{
        CodingInHttp10, CodingTwice, CodingUnknown, LengthAndCoding, LengthNotANumber, LengthTwice,
    };
    for (bytes, rule) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"[..], LengthAndCoding),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", LengthAndCoding),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", LengthTwice),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", LengthTwice),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}", LengthNotANumber),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", LengthNotANumber),
        (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n{}", LengthNotANumber),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}", CodingUnknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n{}", CodingUnknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", CodingUnknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", CodingUnknown),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", CodingTwice),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", CodingInHttp10),
    ] {
        assert_refused(bytes, rule).await;
    }
}

#[tokio::test(flavor = "local")]
async fn chunks_that_break_a_rule_are_refused_by_that_rule() {
    use Malformed::{ChunkEnd, ChunkExtension, ChunkSize, Trailer};
    for (bytes, rule) in [
        (
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n"[..],
            ChunkSize,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\x01\r\n{}\r\n0\r\n\r\n",
            ChunkExtension,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}!!0\r\n\r\n",
            ChunkEnd,
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\x01\r\n",
            Trailer,
        ),
    ] {
        assert_refused(bytes, rule).await;
    }
}

#[tokio::test(flavor = "local")]
async fn nothing_beside_a_body_is_read_without_end() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (begin, more, rule) in [
        ("HTTP/1.1 200 OK\r\n", "X: y\r\n", Malformed::HeadTooLarge),
        ("HTTP/1.1 200 OK\r\nX: ", "y", Malformed::HeadTooLarge),
        (
            "",
            "HTTP/1.1 100 Continue\r\n\r\n",
            Malformed::TooManyInterim,
        ),
        (
            &format!("{CHUNKED}1;"),
            "extension",
            Malformed::ExtensionsTooLong,
        ),
        (CHUNKED, "1;x=y\r\n \r\n", Malformed::ExtensionsTooLong),
        (&format!("{CHUNKED}1"), " ", Malformed::ExtensionsTooLong),
        (
            &format!("{CHUNKED}1\r\n0\r\n0\r\n"),
            "X: y\r\n",
            Malformed::ExtensionsTooLong,
        ),
        (
            &format!("{CHUNKED}1\r\n0\r\n0\r\nX: "),
            "y",
            Malformed::ExtensionsTooLong,
        ),
    ] {
        let (begin, what) = (begin.to_owned(), format!("{begin:?}"));
        let upstream = Upstream::serve(move |_, mut stream| {
            let begin = begin.clone();
            async move {
                read_request(&mut stream).await;
                let _ = stream.write_all(begin.as_bytes()).await;
                let many = more.repeat(512);
                while stream.write_all(many.as_bytes()).await.is_ok() {}
            }
        })
        .await;
        // The bound of the body does not end it.
        let party = upstream.party_with_limit(1 << 20);
        let report = call(&Clients::new(), &party, AMPLE, Repeat::Never).await;
        let fault = report.result.unwrap_err();
        assert_eq!(fault, UpstreamFault::Malformed(rule), "{what}");
        assert!(report.duration < AMPLE / 2, "{what}");
    }
}
