//! A real `HAProxy` in front of the gateway: it passes TLS through and names the caller with the PROXY protocol.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use protocol::ResCode::E003;
use tempfile::TempDir;
use test_support::{
    AUTHORIZATION, Authority, Gateway, Process, Setup, Upstream, assert_own, free_port, link,
    notice, until,
};

use crate::listener::listen;
use crate::tls_client::{TlsClient, dial};

const CREATE: &str = "/external/inquiry-payment/one-time/url/B0001";
const NOTICE: &str = "/kakao/notice/B0001";

/// The address from which `HAProxy` connects to the gateway.
const PROXY: &str = "127.0.0.2";

/// How the servers' lines differ.
const VERSIONS: [(&str, &str); 3] = [
    ("version 1", "send-proxy"),
    ("version 2", "send-proxy-v2"),
    (
        "version 2 with extensions",
        "send-proxy-v2 proxy-v2-options ssl,cert-cn,crc32c,unique-id",
    ),
];

/// A running `HAProxy`; killed when dropped.
struct Haproxy {
    _process: Process,
    _directory: TempDir,
    ports: Vec<u16>,
}

impl Haproxy {
    /// Starts it with one port for each of [`VERSIONS`], all of which lead to the gateway.
    fn start(gateway: SocketAddr) -> Self {
        let ports: Vec<u16> = VERSIONS.iter().map(|_| free_port()).collect();
        let mut file = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n".to_owned();
        for (number, ((_, keywords), port)) in VERSIONS.iter().zip(&ports).enumerate() {
            let server = format!(
                "listen version{number}\n  bind 127.0.0.1:{port}\n  \
                 server gateway {gateway} source {PROXY} {keywords} check check-send-proxy inter 100ms\n"
            );
            file.push_str(&server);
        }
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("haproxy.cfg");
        fs::write(&path, file).unwrap();
        let mut command = Command::new("haproxy");
        // In the foreground, so that it ends with the test.
        command.arg("-db").arg("-f").arg(path);
        let process = Process::spawn(command.stdout(Stdio::null()).stderr(Stdio::null()));
        for port in &ports {
            until(|| TcpStream::connect(("127.0.0.1", *port)).is_ok());
        }
        Self {
            _process: process,
            _directory: directory,
            ports,
        }
    }

    fn address(&self, version: usize) -> SocketAddr {
        ([127, 0, 0, 1], self.ports[version]).into()
    }
}

fn start(upstream: &Upstream, authority: &Authority, pins: [&str; 2]) -> Gateway {
    let proxies = format!("trusted_proxies = [\"{PROXY}\"]\nproxy_protocol = true\n[listen.tls]");
    let listen = listen("127.0.0.1:0", authority, "optional").replacen("[listen.tls]", &proxies, 1);
    let [kakao, biller] = pins.map(|pin| format!("client_certificates = [\"{pin}\"]\n"));
    Setup::new(&upstream.url(), &upstream.url())
        .with(&listen)
        .with("[limits]\nconnections_per_address = 3")
        .kakao(&format!("allow_from = [\"127.0.0.7\"]\n{kakao}"))
        .biller(
            "B0001",
            &upstream.url(),
            &format!("allow_from = [\"127.0.0.8\"]\n{biller}"),
        )
        .start()
}

#[test]
fn behind_haproxy_address_and_pinned_certificate_both_count() {
    let authority = Authority::new();
    let (kakao, biller) = (authority.client("kakao"), authority.client("biller"));
    let upstream = Upstream::ok();
    let gateway = start(&upstream, &authority, [&kakao.sha256, &biller.sha256]);
    let haproxy = Haproxy::start(gateway.public());
    // from | certificate | path | refused with
    let table = [
        ("127.0.0.7", Some(&kakao), NOTICE, None),
        ("127.0.0.8", Some(&kakao), NOTICE, Some(403)),
        ("127.0.0.7", Some(&biller), NOTICE, Some(401)),
        ("127.0.0.7", None, NOTICE, Some(401)),
        ("127.0.0.2", Some(&kakao), NOTICE, Some(403)),
        ("127.0.0.8", Some(&biller), CREATE, None),
        ("127.0.0.7", Some(&biller), CREATE, Some(403)),
        ("127.0.0.8", Some(&kakao), CREATE, Some(401)),
        ("127.0.0.8", None, CREATE, Some(401)),
    ];
    for (version, (name, _)) in VERSIONS.iter().enumerate() {
        for (row, (from, certificate, path, refused)) in table.into_iter().enumerate() {
            let from: IpAddr = from.parse().unwrap();
            let socket = dial(haproxy.address(version), Some(from));
            let client = TlsClient::new(&authority, certificate);
            let mut caller = client.handshake(socket).unwrap();
            let user_key = format!("u{version}-{row}");
            let (headers, body) = if path == CREATE {
                (vec![("Authorization", AUTHORIZATION)], link(&user_key))
            } else {
                (vec![("X-Forwarded-For", "127.0.0.7")], notice(&user_key))
            };
            let calls = upstream.count();
            let reply = caller.post_with(path, &headers, body.to_string());
            match refused {
                None => assert_eq!(reply.status, 200, "{name}, row {row}: {}", reply.text()),
                Some(status) => assert_own(&reply, status, E003),
            }
            let relayed = usize::from(refused.is_none());
            assert_eq!(upstream.count(), calls + relayed, "{name}, row {row}");
        }
    }
    // Its health checks begin with a header, too.
    let is_told =
        |line: &serde_json::Value| line["message"] == "a trusted proxy's connection is closed";
    assert!(!gateway.log().iter().any(is_told), "{:#?}", gateway.log());
}

#[test]
fn behind_haproxy_one_clients_connections_are_limited_and_not_the_proxys() {
    let authority = Authority::new();
    let certificate = authority.client("kakao");
    let upstream = Upstream::ok();
    let gateway = start(&upstream, &authority, [&certificate.sha256; 2]);
    let haproxy = Haproxy::start(gateway.public());
    let enter = |from: &str, version: usize| {
        let from: IpAddr = from.parse().unwrap();
        let socket = dial(haproxy.address(version), Some(from));
        let mut caller = TlsClient::new(&authority, None).handshake(socket).ok()?;
        let body = notice("u").to_string();
        caller
            .try_send(&test_support::request("POST", NOTICE, &[], body.as_bytes()))
            .ok()?;
        caller.try_reply().ok().map(|_| caller)
    };
    let one: Vec<_> = (0..3).map(|version| enter("127.0.0.7", version)).collect();
    assert!(one.iter().all(Option::is_some));
    assert!((0..3).all(|version| enter("127.0.0.7", version).is_none()));
    let others: Vec<_> = (0..3).map(|version| enter("127.0.0.8", version)).collect();
    assert!(others.iter().all(Option::is_some));
}
