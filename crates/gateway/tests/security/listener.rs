//! TLS on the public listener: versions and client certificates.

use std::io::{Read, Write};

use rustls::version::{TLS12, TLS13};
use test_support::{Authority, Gateway, NOTICE, Reply, Setup, Upstream, notice};

use crate::tls_client::{TlsClient, dial};

/// The types of TLS records.
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The alert with which a version is refused: fatal, `protocol_version`.
const PROTOCOL_VERSION: &[u8] = &[2, 70];

/// Returns a `[listen]` table with TLS and a certificate of this authority.
pub fn listen(public: &str, authority: &Authority, client_auth: &str) -> String {
    let server = authority.server().toml();
    let ca = authority.ca();
    format!(
        "[listen]\npublic = \"{public}\"\nops = \"127.0.0.1:0\"\n[listen.tls]\n{server}\
         client_auth = \"{client_auth}\"\nclient_ca = \"{}\"\n",
        ca.display()
    )
}

/// Sends a notice as this client; returns `None` if the connection fails.
fn send_notice(gateway: &Gateway, client: &TlsClient<'_>) -> Option<Reply> {
    let mut caller = client.connect(gateway.public()).ok()?;
    let request = test_support::request("POST", NOTICE, &[], notice("u").to_string().as_bytes());
    // In TLS 1.3 the refusal of a certificate arrives after the client has finished its handshake.
    caller.try_send(&request).ok()?;
    caller.try_reply().ok()
}

#[test]
fn a_call_is_admitted_with_the_certificate_that_client_auth_requires() {
    let (authority, other) = (Authority::new(), Authority::new());
    let certificates = [
        ("none", None),
        ("good", Some(authority.client("good"))),
        ("expired", Some(authority.expired_client("expired"))),
        ("of another authority", Some(other.client("good"))),
        ("a server's", Some(authority.server())),
    ];
    let upstream = Upstream::ok();
    // client_auth | the certificates that are admitted
    let table = [
        (
            "off",
            vec![
                "none",
                "good",
                "expired",
                "of another authority",
                "a server's",
            ],
        ),
        ("optional", vec!["none", "good"]),
        ("required", vec!["good"]),
    ];
    for (client_auth, admitted) in table {
        let gateway = Setup::new(&upstream.url(), &upstream.url())
            .with(&listen("127.0.0.1:0", &authority, client_auth))
            .start();
        for (name, certificate) in &certificates {
            for version in [&TLS12, &TLS13] {
                let client = TlsClient {
                    versions: &[version],
                    ..TlsClient::new(&authority, certificate.as_ref())
                };
                let calls = upstream.count();
                let reply = send_notice(&gateway, &client);
                let is_admitted = admitted.contains(name);
                let case = format!("{client_auth}, {name}, {version:?}");
                assert_eq!(
                    reply.map(|reply| reply.status),
                    is_admitted.then_some(200),
                    "{case}"
                );
                assert_eq!(upstream.count(), calls + usize::from(is_admitted), "{case}");
            }
        }
    }
}

/// Returns a `ClientHello` with this as its highest version, in the form of old clients.
pub fn client_hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]); // random
    body.push(0); // no session
    // ECDHE-ECDSA with AES-128 (GCM for TLS 1.2, CBC before it), and the same with RSA.
    body.extend([0, 8, 0xc0, 0x2b, 0xc0, 0x09, 0xc0, 0x2f, 0xc0, 0x13]);
    body.extend([1, 0]); // no compression
    let extensions: &[&[u8]] = &[
        &[0, 10, 0, 6, 0, 4, 0, 29, 0, 23], // groups: X25519, P-256
        &[0, 11, 0, 2, 1, 0],               // points: uncompressed
        &[0, 13, 0, 6, 0, 4, 4, 3, 8, 4],   // signatures: ECDSA and RSA-PSS with SHA-256
        &[0xff, 1, 0, 1, 0],                // renegotiation is secure
        &[0, 23, 0, 0],                     // extended master secret
    ];
    let extensions = extensions.concat();
    body.extend(length16(extensions.len()));
    body.extend(extensions);
    let mut hello = vec![1, 0];
    hello.extend(length16(body.len()));
    hello.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(length16(hello.len()));
    record.extend(hello);
    record
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

#[test]
fn tls_1_2_is_the_oldest_accepted_version() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .start();
    // version | type of the first record
    let table = [
        ("SSL 3.0", [3, 0], ALERT),
        ("TLS 1.0", [3, 1], ALERT),
        ("TLS 1.1", [3, 2], ALERT),
        ("TLS 1.2", [3, 3], HANDSHAKE),
    ];
    for (name, version, record) in table {
        let mut socket = dial(gateway.public(), None);
        socket.write_all(&client_hello(version)).unwrap();
        let mut head = [0; 5];
        socket.read_exact(&mut head).unwrap();
        let mut content = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        socket.read_exact(&mut content).unwrap();
        assert_eq!(head[0], record, "{name}");
        if record == HANDSHAKE {
            assert_eq!(content[0], 2, "{name}: a ServerHello");
        } else {
            assert_eq!(content, PROTOCOL_VERSION, "{name}");
            assert_eq!(socket.read(&mut [0]).unwrap_or(0), 0, "{name}: closed");
        }
    }
    for version in [&TLS12, &TLS13] {
        let client = TlsClient {
            versions: &[version],
            ..TlsClient::new(&authority, None)
        };
        assert_eq!(send_notice(&gateway, &client).unwrap().status, 200);
    }
}

#[test]
fn plain_http_on_a_tls_listener_gets_no_answer() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .start();
    let mut socket = dial(gateway.public(), None);
    socket
        .write_all(b"POST /kakao/notice/B0001 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // An alert or nothing, then the end.
    let _end = socket.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert_eq!(upstream.count(), 0);
}

/// The offered application protocols, and the chosen one; `None` where there is no connection.
type Alpn = (&'static [&'static [u8]], Option<Option<&'static [u8]>>);

#[test]
fn http_1_1_and_http_1_0_are_the_application_protocols() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .start();
    // offered | chosen, or no connection
    let table: [Alpn; 6] = [
        (&[], Some(None)),
        (&[b"http/1.1"], Some(Some(b"http/1.1"))),
        (&[b"http/1.0"], Some(Some(b"http/1.0"))),
        (&[b"http/1.0", b"http/1.1"], Some(Some(b"http/1.1"))),
        (&[b"h2", b"http/1.1"], Some(Some(b"http/1.1"))),
        (&[b"h2"], None),
    ];
    for (alpn, chosen) in table {
        let client = TlsClient {
            alpn,
            ..TlsClient::new(&authority, None)
        };
        let protocol = client.protocol(gateway.public()).ok();
        let chosen = chosen.map(|chosen| chosen.map(<[u8]>::to_vec));
        assert_eq!(protocol, chosen, "{alpn:?}");
        if chosen.is_some() {
            let reply = send_notice(&gateway, &client);
            assert_eq!(reply.map(|reply| reply.status), Some(200), "{alpn:?}");
        }
    }
}
