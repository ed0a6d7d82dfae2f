//! The PROXY protocol of trusted proxies, byte by byte.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Instant;

use protocol::ResCode::E003;
use test_support::{Authority, Caller, Gateway, NOTICE, Setup, Upstream, assert_own, notice};

use crate::listener::listen;
use crate::reloading::reload;
use crate::tls_client::{TlsClient, dial};

const PROXY: &str = "127.0.0.2";
const OTHER_PROXY: &str = "127.0.0.3";
const NO_PROXY: &str = "127.0.0.9";

/// What becomes of a connection.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Admitted,
    /// 403.
    Foreign,
    /// 400.
    Refused,
    /// No answer.
    Closed,
}

use Outcome::{Admitted, Closed, Foreign, Refused};

fn start(upstream: &Upstream, tables: &str) -> Gateway {
    Setup::new(&upstream.url(), &upstream.url())
        .with(&format!(
            "[listen]\npublic = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n\
             trusted_proxies = [\"127.0.0.2/31\"]\nproxy_protocol = true\n{tables}"
        ))
        .kakao(&format!(
            "allow_from = [\"198.51.100.7\", \"2001:db8::/32\", \"{OTHER_PROXY}\", \"{NO_PROXY}\"]\n"
        ))
        .start()
}

fn connect(to: SocketAddr, from: &str) -> TcpStream {
    let from: IpAddr = from.parse().unwrap();
    dial(to, Some(from))
}

fn line(text: &str) -> Vec<u8> {
    format!("PROXY {text}\r\n").into_bytes()
}

/// Returns a header of version 2: command, family and transport, addresses and extensions.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    let signature = b"\r\n\r\n\0\r\nQUIT\n";
    [&signature[..], &[command, family], &length, rest].concat()
}

/// Returns the addresses of a client at 198.51.100.7 or of another one, and extensions.
fn four(is_known: bool, extensions: &[u8]) -> Vec<u8> {
    let last = if is_known { 7 } else { 8 };
    let addresses = [198, 51, 100, last, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
    [&addresses[..], extensions].concat()
}

fn six() -> Vec<u8> {
    let client = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    [&client[..], &[0; 16], &[0x12, 0x67, 1, 187]].concat()
}

/// Peer, its first bytes, `X-Forwarded-For`, and what becomes of the connection.
type Row = (&'static str, Vec<u8>, Option<&'static str>, Outcome);

fn lines() -> Vec<Row> {
    let known = "TCP4 198.51.100.7 10.0.0.1 4711 443";
    vec![
        (PROXY, line(known), None, Admitted),
        (OTHER_PROXY, line(known), None, Admitted),
        (PROXY, line("TCP6 2001:db8::1 ::1 4711 443"), None, Admitted),
        (
            PROXY,
            line("TCP6 ::ffff:198.51.100.7 ::1 1 2"),
            None,
            Admitted,
        ),
        (
            PROXY,
            line("TCP4 203.0.113.9 10.0.0.1 4711 443"),
            None,
            Foreign,
        ),
        // The header's address counts, whatever the request says.
        (PROXY, line(known), Some("203.0.113.9"), Admitted),
        (PROXY, line(known), Some("unknown"), Admitted),
        (
            PROXY,
            line("TCP4 203.0.113.9 10.0.0.1 4711 443"),
            Some("198.51.100.7"),
            Foreign,
        ),
        // An address that is itself a proxy's is a client's like any other.
        (
            PROXY,
            line("TCP4 127.0.0.2 10.0.0.1 4711 443"),
            Some("198.51.100.7"),
            Foreign,
        ),
        // Without an address, the proxy's own.
        (PROXY, line("UNKNOWN"), None, Foreign),
        (OTHER_PROXY, line("UNKNOWN"), None, Admitted),
        (
            OTHER_PROXY,
            line("UNKNOWN 198.51.100.7 10.0.0.1 1 2"),
            None,
            Admitted,
        ),
        // A proxy that says nothing, or nonsense.
        (PROXY, Vec::new(), None, Closed),
        (PROXY, Vec::new(), Some("198.51.100.7"), Closed),
        (OTHER_PROXY, Vec::new(), None, Closed),
        (
            PROXY,
            line("TCP4 198.51.100.007 10.0.0.1 4711 443"),
            None,
            Closed,
        ),
        (PROXY, line("TCP4 198.51.100.7 10.0.0.1 4711"), None, Closed),
        (PROXY, line("TCP4 2001:db8::1 ::1 4711 443"), None, Closed),
        (
            PROXY,
            b"PROXY TCP4 198.51.100.7 10.0.0.1 1 2\n".to_vec(),
            None,
            Closed,
        ),
        (
            PROXY,
            line(&format!("UNKNOWN {}", "x".repeat(200))),
            None,
            Closed,
        ),
        (PROXY, [line(known), line(known)].concat(), None, Refused),
        // Whoever is no proxy is served as ever, without a header.
        (NO_PROXY, Vec::new(), None, Admitted),
        (NO_PROXY, Vec::new(), Some("203.0.113.9"), Admitted),
        (NO_PROXY, line(known), None, Refused),
        ("127.0.0.1", Vec::new(), Some("198.51.100.7"), Foreign),
        ("127.0.0.1", line(known), None, Refused),
    ]
}

fn binaries() -> Vec<Row> {
    let extensions = [&[1, 0, 8][..], b"http/1.1", &[4, 0, 0]].concat();
    let many = vec![4; 4_000];
    let too_many = vec![4; 5_000];
    let none: &[u8] = &[];
    vec![
        (PROXY, binary(0x21, 0x11, &four(true, none)), None, Admitted),
        (
            PROXY,
            binary(0x21, 0x11, &four(true, &extensions)),
            None,
            Admitted,
        ),
        (
            PROXY,
            binary(0x21, 0x11, &four(true, &many)),
            None,
            Admitted,
        ),
        (PROXY, binary(0x21, 0x21, &six()), None, Admitted),
        (PROXY, binary(0x21, 0x11, &four(false, none)), None, Foreign),
        (
            PROXY,
            binary(0x21, 0x11, &four(false, none)),
            Some("198.51.100.7"),
            Foreign,
        ),
        // LOCAL, no address, and a UNIX socket.
        (OTHER_PROXY, binary(0x20, 0x00, none), None, Admitted),
        (PROXY, binary(0x20, 0x11, &four(true, none)), None, Foreign),
        (OTHER_PROXY, binary(0x21, 0x00, none), None, Admitted),
        (OTHER_PROXY, binary(0x21, 0x31, &[0; 216]), None, Admitted),
        // Malformed or too long.
        (
            PROXY,
            binary(0x21, 0x11, &four(true, none)[..11]),
            None,
            Closed,
        ),
        (PROXY, binary(0x21, 0x51, &four(true, none)), None, Closed),
        (PROXY, binary(0x2f, 0x11, &four(true, none)), None, Closed),
        (PROXY, binary(0x31, 0x11, &four(true, none)), None, Closed),
        (
            PROXY,
            binary(0x21, 0x11, &four(true, &too_many)),
            None,
            Closed,
        ),
        (
            NO_PROXY,
            binary(0x21, 0x11, &four(true, none)),
            None,
            Refused,
        ),
    ]
}

#[test]
fn a_trusted_proxys_header_names_the_caller_and_nobody_elses_does() {
    let upstream = Upstream::ok();
    let gateway = start(&upstream, "");
    let mut admitted = 0;
    for (row, (peer, header, forwarded_for, outcome)) in
        lines().into_iter().chain(binaries()).enumerate()
    {
        let headers: Vec<_> = (forwarded_for.iter())
            .map(|list| ("X-Forwarded-For", *list))
            .collect();
        let body = notice("u").to_string();
        let request = test_support::request("POST", NOTICE, &headers, body.as_bytes());
        let mut caller = Caller::over(connect(gateway.public(), peer));
        // In one piece: nothing of the request may be lost with the header.
        let sent = caller.try_send(&[&header[..], &request].concat());
        let case = format!("row {row}: {peer} {}", header.escape_ascii());
        match outcome {
            Admitted => {
                assert_eq!(caller.reply().status, 200, "{case}");
                admitted += 1;
                // The header is the connection's, not the call's.
                caller.send(&request);
                assert_eq!(caller.reply().status, 200, "{case}");
                admitted += 1;
            }
            Foreign => assert_own(&caller.reply(), 403, E003),
            Refused => assert_eq!(caller.reply().status, 400, "{case}"),
            Closed => assert!(sent.is_err() || caller.is_closed(), "{case}"),
        }
        assert_eq!(upstream.count(), admitted, "{case}");
    }
    let is_told = |line: &serde_json::Value| {
        line["message"] == "a trusted proxy's connection is closed" && line["level"] == "warn"
    };
    let told = gateway.await_log(is_told);
    assert_eq!(told["fault"], "no PROXY header");
}

#[test]
fn a_header_may_arrive_byte_by_byte_and_stands_before_tls() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let proxies = "trusted_proxies = [\"127.0.0.2\"]\nproxy_protocol = true\n[listen.tls]";
    let listen = listen("127.0.0.1:0", &authority, "off").replacen("[listen.tls]", proxies, 1);
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen)
        .kakao("allow_from = [\"198.51.100.7\"]\n")
        .start();
    for header in [
        line("TCP4 198.51.100.7 10.0.0.1 4711 443"),
        binary(0x21, 0x11, &four(true, &[4, 0, 0])),
    ] {
        let mut socket = connect(gateway.public(), PROXY);
        for byte in header {
            socket.write_all(&[byte]).unwrap();
        }
        let client = TlsClient::new(&authority, None);
        let mut caller = client.handshake(socket).unwrap();
        let reply = caller.post(NOTICE, notice("u").to_string());
        assert_eq!(reply.status, 200);
    }
    // Within TLS, or without it from a proxy, it is none.
    let client = TlsClient::new(&authority, None);
    assert!(client.handshake(connect(gateway.public(), PROXY)).is_err());
    let mut direct = client
        .handshake(connect(gateway.public(), NO_PROXY))
        .unwrap();
    direct.send(&line("TCP4 198.51.100.7 10.0.0.1 4711 443"));
    assert_eq!(direct.reply().status, 400);
}

#[test]
fn a_proxy_without_a_whole_header_is_closed_in_time() {
    let upstream = Upstream::ok();
    let gateway = start(&upstream, "[limits]\nhead_timeout = \"300ms\"\n");
    let whole = binary(0x21, 0x11, &four(true, &[]));
    for sent in [
        &b""[..],
        b"P",
        b"PROXY TCP4 198.51.100.7 10.0.0.1",
        &whole[..20],
    ] {
        let mut socket = connect(gateway.public(), PROXY);
        let began = Instant::now();
        socket.write_all(sent).unwrap();
        assert_eq!(
            socket.read(&mut [0]).unwrap_or(0),
            0,
            "{}",
            sent.escape_ascii()
        );
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
    gateway.await_log(|line| line["fault"] == "no PROXY header in time");
    assert_eq!(gateway.metric("relay_connections_open"), 0);
}

#[test]
fn limits_count_the_address_that_the_header_names() {
    let upstream = Upstream::ok();
    let gateway = start(&upstream, "[limits]\nconnections_per_address = 2\n");
    let enter = |client: &str| {
        let mut caller = Caller::over(connect(gateway.public(), PROXY));
        caller.send(&line(&format!("TCP6 {client} ::1 4711 443")));
        caller.send(&test_support::request(
            "POST",
            NOTICE,
            &[],
            notice("u").to_string().as_bytes(),
        ));
        caller.try_reply().ok().map(|reply| (reply.status, caller))
    };
    let networks = [
        "2001:db8:0:1::1",
        "2001:db8:0:1::2",
        "2001:db8:0:2::1",
        "2001:db8:0:3::1",
    ];
    let mut open: Vec<_> = networks.map(enter).into();
    assert!(open.iter().all(|entered| matches!(entered, Some((200, _)))));
    assert!(
        enter("2001:db8:0:1::3").is_none(),
        "the third of one network"
    );
    assert_eq!(gateway.metric("relay_connections_refused_total"), 1);
    assert_eq!(gateway.metric("relay_connections_open"), 4);
    drop(open.remove(0));
    test_support::until(|| gateway.metric("relay_connections_open") == 3);
    assert!(matches!(enter("2001:db8:0:1::3"), Some((200, _))));
}

#[test]
fn a_reload_turns_the_protocol_on_and_off_for_later_connections() {
    let upstream = Upstream::ok();
    let gateway = start(&upstream, "");
    let main = gateway.path().join("gateway.toml");
    let header = line("TCP4 198.51.100.7 10.0.0.1 4711 443");
    let request = |headers: &[(&str, &str)]| {
        test_support::request("POST", NOTICE, headers, notice("u").to_string().as_bytes())
    };
    let forwarded = request(&[("X-Forwarded-For", "198.51.100.7")]);
    let turn = |from: &str, to: &str| {
        let text = fs::read_to_string(&main).unwrap();
        assert!(text.contains(from));
        fs::write(&main, text.replace(from, to)).unwrap();
        reload(&gateway);
    };
    let mut kept = Caller::over(connect(gateway.public(), PROXY));
    kept.send(&[&header[..], &request(&[])].concat());
    assert_eq!(kept.reply().status, 200);

    turn("proxy_protocol = true", "proxy_protocol = false");
    kept.send(&request(&[]));
    assert_eq!(kept.reply().status, 200);
    let mut plain = Caller::over(connect(gateway.public(), PROXY));
    plain.send(&forwarded);
    assert_eq!(plain.reply().status, 200);

    turn("proxy_protocol = false", "proxy_protocol = true");
    // Its calls now count for the proxy itself.
    plain.send(&forwarded);
    assert_own(&plain.reply(), 403, E003);
    let mut without = Caller::over(connect(gateway.public(), PROXY));
    let sent = without.try_send(&forwarded);
    assert!(sent.is_err() || without.is_closed());

    turn("127.0.0.2/31", "127.0.0.9");
    let mut now_trusted = Caller::over(connect(gateway.public(), NO_PROXY));
    now_trusted.send(&[&header[..], &request(&[])].concat());
    assert_eq!(now_trusted.reply().status, 200);
}
