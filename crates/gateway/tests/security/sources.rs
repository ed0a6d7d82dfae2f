//! The source address of a call, and trusted proxies.

use std::net::{IpAddr, TcpListener};

use protocol::ResCode::E003;
use test_support::{Authority, Caller, NOTICE, Setup, Upstream, assert_own, notice};

use crate::listener::listen;
use crate::tls_client::{TlsClient, dial};

/// The `X-Forwarded-For` headers of a call, and whether it is admitted.
type Row = (&'static str, &'static [&'static str], bool);

fn headers<'a>(lists: &[&'a str]) -> Vec<(&'static str, &'a str)> {
    lists
        .iter()
        .map(|list| ("X-Forwarded-For", *list))
        .collect()
}

fn assert_admitted(table: &[Row], public: &str, trusted: &str, allow_from: &str) {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&format!(
            "[listen]\npublic = \"{public}\"\nops = \"127.0.0.1:0\"\ntrusted_proxies = [{trusted}]"
        ))
        .kakao(&format!("allow_from = [{allow_from}]\n"))
        .start();
    let mut admitted = 0;
    for (peer, lists, is_admitted) in table {
        let from: IpAddr = peer.parse().unwrap();
        let mut caller = Caller::over(dial(gateway.public(), Some(from)));
        let reply = caller.post_with(NOTICE, &headers(lists), notice("u").to_string());
        if *is_admitted {
            assert_eq!(reply.status, 200, "{peer} {lists:?}");
            admitted += 1;
        } else {
            assert_own(&reply, 403, E003);
        }
        assert_eq!(upstream.count(), admitted, "{peer} {lists:?}");
    }
}

#[test]
fn x_forwarded_for_counts_from_trusted_proxies_only() {
    let table: &[Row] = &[
        // The header of an untrusted peer is ignored.
        ("127.0.0.1", &[], false),
        ("127.0.0.1", &["198.51.100.7"], false),
        ("127.0.0.9", &[], true),
        ("127.0.0.9", &["203.0.113.9"], true),
        // The header of a trusted proxy names its caller.
        ("127.0.0.2", &[], false),
        ("127.0.0.2", &["198.51.100.7"], true),
        ("127.0.0.2", &["198.51.100.7:4711"], true),
        ("127.0.0.2", &["::ffff:198.51.100.7"], true),
        ("127.0.0.2", &["2001:db8::1"], true),
        ("127.0.0.2", &["[2001:db8::1]:4711"], true),
        ("127.0.0.2", &["203.0.113.9"], false),
        // The rightmost address that is no proxy's counts; those left of it are not trusted.
        ("127.0.0.2", &["198.51.100.7, 203.0.113.9"], false),
        ("127.0.0.2", &["198.51.100.7", "203.0.113.9"], false),
        ("127.0.0.2", &["203.0.113.9, 198.51.100.7"], true),
        ("127.0.0.2", &["198.51.100.7, 127.0.0.3"], true),
        (
            "127.0.0.2",
            &["198.51.100.7", "127.0.0.3, ::ffff:127.0.0.2"],
            true,
        ),
        // An unreadable address is never admitted.
        ("127.0.0.2", &["unknown"], false),
        ("127.0.0.2", &["198.51.100.7,"], false),
        ("127.0.0.2", &["198.51.100.7, _hidden"], false),
        ("127.0.0.2", &["198.51.100.007"], false),
    ];
    let allow_from = "\"198.51.100.7\", \"2001:db8::/32\", \"127.0.0.9\"";
    assert_admitted(table, "127.0.0.1:0", "\"127.0.0.2/31\"", allow_from);
}

#[test]
fn an_ipv6_peer_has_the_same_rules() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without IPv6
    }
    let untrusted: &[Row] = &[("::1", &[], true), ("::1", &["203.0.113.9"], true)];
    assert_admitted(untrusted, "[::1]:0", "", "\"::1\"");
    let proxy: &[Row] = &[
        ("::1", &[], false),
        ("::1", &["198.51.100.7"], true),
        ("::1", &["2001:db8::1"], false),
    ];
    assert_admitted(proxy, "[::1]:0", "\"::1\"", "\"198.51.100.7\"");
}

#[test]
fn an_ipv4_peer_of_an_ipv6_listener_is_its_ipv4_address() {
    if TcpListener::bind("[::]:0").is_err() {
        return; // a machine without IPv6
    }
    let authority = Authority::new();
    let upstream = Upstream::ok();
    // A listener on every address needs TLS.
    let listen = listen("[::]:0", &authority, "off").replacen(
        "[listen.tls]",
        "trusted_proxies = [\"127.0.0.2\"]\n[listen.tls]",
        1,
    );
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen)
        .kakao("allow_from = [\"127.0.0.1\"]\n")
        .start();
    let port = gateway.public().port();
    let table: &[Row] = &[
        ("127.0.0.1", &[], true),
        ("127.0.0.1", &["203.0.113.9"], true),
        ("127.0.0.3", &[], false),
        ("127.0.0.3", &["127.0.0.1"], false),
        ("127.0.0.2", &["127.0.0.1"], true),
        ("127.0.0.2", &["::ffff:127.0.0.1"], true),
        ("127.0.0.2", &["::1"], false),
    ];
    for (peer, lists, is_admitted) in table {
        let from: IpAddr = peer.parse().unwrap();
        let socket = dial(([127, 0, 0, 1], port).into(), Some(from));
        let mut caller = TlsClient::new(&authority, None).handshake(socket).unwrap();
        let reply = caller.post_with(NOTICE, &headers(lists), notice("u").to_string());
        let status = if *is_admitted { 200 } else { 403 };
        assert_eq!(reply.status, status, "{peer} {lists:?}");
    }
}
