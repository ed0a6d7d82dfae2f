//! Framing attacks as a table: what a caller sends, and the expected answers and calls.

/// A notice that passes every check.
pub const BODY: &str = r#"{"data":{"biller_user_key":"u1","user_birth":"19900301"}}"#;

/// A request to another biller, hidden in an attack, that must never be served.
pub const SMUGGLED: &str = "POST /kakao/notice/B0002 HTTP/1.1\r\nHost: a\r\nContent-Length: 57\r\n\r\n\
                        {\"data\":{\"biller_user_key\":\"u2\",\"user_birth\":\"19900301\"}}";

/// What a caller sends, and the expected answers and calls.
#[derive(Clone)]
pub struct Attack {
    pub name: &'static str,
    pub bytes: String,
    /// The answers, in order; then the connection's end.
    pub statuses: &'static [u16],
    /// How often the first biller gets `BODY`.
    pub calls: usize,
}

/// Returns every attack.
pub fn all() -> Vec<Attack> {
    [lengths(), codings(), lines(), sizes(), pipelined()].concat()
}

/// Returns an attack that is refused before it is a request.
fn refused(name: &'static str, bytes: String) -> Attack {
    Attack {
        name,
        bytes,
        statuses: &[400],
        calls: 0,
    }
}

/// Returns an attack that is one valid request.
fn read(name: &'static str, bytes: String) -> Attack {
    Attack {
        name,
        bytes,
        statuses: &[200],
        calls: 1,
    }
}

/// Returns a head with these lines, and the rest.
fn post(lines: &str, rest: &str) -> String {
    format!("POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n{lines}\r\n{rest}")
}

/// Returns a head with these length lines, a body of 57 bytes, and a request after it.
fn length(lines: &str) -> String {
    post(lines, &format!("{BODY}{SMUGGLED}"))
}

/// Returns a valid body in chunks, and a request after it.
fn coding(lines: &str) -> String {
    post(lines, &format!("39\r\n{BODY}\r\n0\r\n\r\n{SMUGGLED}"))
}

/// Returns a body in these chunks.
fn chunks(rest: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", rest)
}

fn lengths() -> Vec<Attack> {
    vec![
        refused(
            "doubled length",
            length("Content-Length: 57\r\nContent-Length: 217\r\n"),
        ),
        refused(
            "doubled, equal",
            length("Content-Length: 57\r\nContent-Length: 57\r\n"),
        ),
        refused(
            "doubled in another case",
            length("Content-Length: 0\r\ncontent-length: 57\r\n"),
        ),
        refused("signed length", length("Content-Length: +57\r\n")),
        refused("negative length", length("Content-Length: -57\r\n")),
        refused("listed length", length("Content-Length: 57, 57\r\n")),
        refused("listed, different", length("Content-Length: 57, 217\r\n")),
        refused("spaced length", length("Content-Length: 5 7\r\n")),
        refused("hexadecimal length", length("Content-Length: 0x39\r\n")),
        refused("exponent in the length", length("Content-Length: 57e0\r\n")),
        refused(
            "underscore in the length",
            length("Content-Length: 5_7\r\n"),
        ),
        refused(
            "vertical tab behind the length",
            length("Content-Length: 57\x0b\r\n"),
        ),
        refused(
            "length beyond 64 bits",
            length("Content-Length: 18446744073709551673\r\n"),
        ),
        refused("space before the colon", length("Content-Length : 57\r\n")),
        refused("folded length", length("Content-Length:\r\n 57\r\n")),
        refused(
            "length folded away",
            length("X: a\r\n Content-Length: 57\r\n"),
        ),
        read(
            "zeros before the length",
            post("Content-Length: 0057\r\n", BODY),
        ),
        read(
            "blanks around the length",
            post("Content-Length:\t 57 \t\r\n", BODY),
        ),
        read(
            "length that Connection names",
            post(
                "Connection: close, Content-Length\r\nContent-Length: 57\r\n",
                BODY,
            ),
        ),
        read(
            "name like a length",
            post("Content_Length: 0\r\nContent-Length: 57\r\n", BODY),
        ),
    ]
}

fn codings() -> Vec<Attack> {
    let conflict = "Content-Length: 57\r\nTransfer-Encoding: chunked\r\n";
    let turned = "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n";
    vec![
        refused("length, then coding", coding(conflict)),
        refused("coding, then length", coding(turned)),
        refused(
            "length and chunks of none",
            post(conflict, &format!("0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "doubled coding",
            coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        ),
        refused(
            "chunked, then identity",
            coding("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        ),
        refused(
            "chunked, identity",
            coding("Transfer-Encoding: chunked, identity\r\n"),
        ),
        refused(
            "identity, chunked",
            coding("Transfer-Encoding: identity, chunked\r\n"),
        ),
        refused(
            "identity and length",
            length("Transfer-Encoding: identity\r\nContent-Length: 57\r\n"),
        ),
        refused("gzip", coding("Transfer-Encoding: gzip, chunked\r\n")),
        refused("misspelt", coding("Transfer-Encoding: xchunked\r\n")),
        refused("quoted", coding("Transfer-Encoding: \"chunked\"\r\n")),
        refused(
            "with a parameter",
            coding("Transfer-Encoding: chunked;q=1\r\n"),
        ),
        refused("comma behind it", coding("Transfer-Encoding: chunked,\r\n")),
        refused(
            "vertical tab before it",
            coding("Transfer-Encoding: \x0bchunked\r\n"),
        ),
        refused("NUL behind it", coding("Transfer-Encoding: chunked\0\r\n")),
        refused(
            "space before the colon",
            coding("Transfer-Encoding : chunked\r\n"),
        ),
        refused(
            "tab before the colon",
            coding("Transfer-Encoding\t: chunked\r\n"),
        ),
        refused("folded", coding("Transfer-Encoding:\r\n chunked\r\n")),
        refused(
            "behind a bare CR",
            length("X: a\rTransfer-Encoding: chunked\r\nContent-Length: 57\r\n"),
        ),
        refused(
            "behind a bare LF",
            length("X: a\nTransfer-Encoding: chunked\r\nContent-Length: 57\r\n"),
        ),
        read(
            "in capitals",
            post(
                "TRANSFER-ENCODING:\tCHUNKED\r\n",
                &format!("39\r\n{BODY}\r\n0\r\n\r\n"),
            ),
        ),
        read(
            "name like a coding",
            post("Transfer_Encoding: chunked\r\nContent-Length: 57\r\n", BODY),
        ),
    ]
}

fn lines() -> Vec<Attack> {
    let alone = format!("Content-Length: 57\r\n\r\n{BODY}");
    let good = format!("{alone}{SMUGGLED}");
    vec![
        refused(
            "bare LF behind the request line",
            format!("POST /kakao/notice/B0001 HTTP/1.1\nHost: a\r\n{good}"),
        ),
        refused(
            "bare LF behind a header",
            length("X: a\nContent-Length: 57\r\n"),
        ),
        refused(
            "bare LFs only",
            length("Content-Length: 57\r\n").replace("\r\n", "\n"),
        ),
        refused(
            "head ended by a bare LF",
            format!(
                "POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\nContent-Length: 57\r\n\n{BODY}{SMUGGLED}"
            ),
        ),
        refused(
            "bare CR in a value",
            length("X: a\rb\r\nContent-Length: 57\r\n"),
        ),
        refused(
            "NUL in a value",
            length("X: a\0b\r\nContent-Length: 57\r\n"),
        ),
        refused("NUL in a name", length("X\0: a\r\nContent-Length: 57\r\n")),
        refused(
            "folded line",
            length("X: a\r\n b\r\nContent-Length: 57\r\n"),
        ),
        refused("two hosts", length("Host: b\r\nContent-Length: 57\r\n")),
        refused(
            "no host",
            format!("POST /kakao/notice/B0001 HTTP/1.1\r\n{good}"),
        ),
        read(
            "empty line first",
            format!("\r\nPOST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n{alone}"),
        ),
        refused(
            "two empty lines first",
            format!("\r\n\r\nPOST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n{good}"),
        ),
        read(
            "absolute target",
            format!("POST http://b/kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n{alone}"),
        ),
        refused(
            "absolute target with a user",
            format!("POST http://u@b/kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n{good}"),
        ),
        refused(
            "HTTP/1.0 with chunks",
            coding("Transfer-Encoding: chunked\r\n").replacen("1.1", "1.0", 1),
        ),
        refused(
            "HTTP/0.9",
            format!("POST /kakao/notice/B0001\r\n\r\n{SMUGGLED}"),
        ),
        read(
            "upgrade before the length",
            post(
                "Upgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 57\r\n",
                BODY,
            ),
        ),
        // What follows the body is a request of its own, and is refused.
        Attack {
            name: "bytes behind the body of an upgrade",
            bytes: post(
                "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 57\r\n",
                &format!("{BODY} {SMUGGLED}"),
            ),
            statuses: &[200, 400],
            calls: 1,
        },
        read(
            "HTTP/2 settings",
            post(
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nContent-Length: 57\r\n",
                BODY,
            ),
        ),
        refused(
            "CONNECT",
            format!("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n{SMUGGLED}"),
        ),
    ]
}

fn sizes() -> Vec<Attack> {
    let size = |size: &str| chunks(&format!("{size}\r\n{BODY}\r\n0\r\n\r\n{SMUGGLED}"));
    let smuggled = SMUGGLED.len();
    let each: Vec<_> = BODY.chars().map(String::from).collect();
    vec![
        refused("size beyond 64 bits", size("10000000000000039")),
        refused("size of 2^64 - 1", size("ffffffffffffffff")),
        refused("size of 2^63", size("8000000000000000")),
        refused("size of nine digits", size("000000039")),
        refused("signed size", size("+39")),
        refused("negative size", size("-39")),
        refused("size with 0x", size("0x39")),
        refused("underscore in the size", size("3_9")),
        refused("blank behind the size", size("39 ")),
        refused("blank before the size", size(" 39")),
        refused("no size", size("")),
        refused("comma for a size", size("39,39")),
        refused("LF in an extension", size("39;a\nb")),
        refused("NUL in an extension", size("39;a\0b")),
        refused(
            "bare LF behind the size",
            chunks(&format!("39\n{BODY}\r\n0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "bare CR behind the size",
            chunks(&format!("39\r{BODY}\r\n0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "no line end behind the data",
            chunks(&format!("39\r\n{BODY}0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "bare LF behind the data",
            chunks(&format!("39\r\n{BODY}\n0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "two bytes for a line end",
            chunks(&format!("39\r\n{BODY}xx0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "data longer than its size",
            chunks(&format!("38\r\n{BODY}\r\n0\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "trailer",
            chunks(&format!("39\r\n{BODY}\r\n0\r\nX: a\r\n\r\n{SMUGGLED}")),
        ),
        refused(
            "length in a trailer",
            chunks(&format!(
                "39\r\n{BODY}\r\n0\r\nContent-Length: 5\r\n\r\n{SMUGGLED}"
            )),
        ),
        refused(
            "end without its line",
            chunks(&format!("39\r\n{BODY}\r\n0\r\n{SMUGGLED}")),
        ),
        refused(
            "end by a bare LF",
            chunks(&format!("39\r\n{BODY}\r\n0\r\n\n{SMUGGLED}")),
        ),
        // The chunk takes the rest of the stream and is incomplete.
        refused("size of 4 GiB", size("ffffffff")),
        refused("size of 2 GiB", size("80000000")),
        // A request within a chunk is no JSON.
        refused(
            "request in a chunk",
            chunks(&format!("{smuggled:x}\r\n{SMUGGLED}\r\n0\r\n\r\n")),
        ),
        read(
            "zeros, capitals, an extension",
            chunks(&format!("00000039;a=\"b\"\r\n{BODY}\r\n00000000\r\n\r\n")),
        ),
        read(
            "one byte a chunk",
            chunks(&(format!("1\r\n{}\r\n", each.join("\r\n1\r\n")) + "0\r\n\r\n")),
        ),
    ]
}

/// Requests after others or in the body of others.
fn pipelined() -> Vec<Attack> {
    let length = SMUGGLED.len();
    let inside = |method: &str| {
        format!(
            "{method} /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{SMUGGLED}"
        )
    };
    let good = post("Content-Length: 57\r\n", BODY);
    let doubtful = format!(
        "{good}{good}{}",
        coding("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")
    );
    let rest = |length: usize| post(&format!("Content-Length: {length}\r\n"), BODY);
    vec![
        refused("request in a body", inside("POST")),
        Attack {
            name: "request in a body of GET",
            bytes: inside("GET"),
            statuses: &[405],
            calls: 0,
        },
        Attack {
            name: "behind good ones",
            bytes: doubtful,
            statuses: &[200, 200, 400],
            calls: 2,
        },
        // The rest of the first body is no request.
        Attack {
            name: "length too short",
            bytes: rest(0),
            statuses: &[400, 400],
            calls: 0,
        },
        refused("length too long", rest(58)),
    ]
}
