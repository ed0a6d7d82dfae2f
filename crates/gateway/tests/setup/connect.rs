//! `gateway check --connect`: a line for each layer of each server.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustls::version::TLS13;
use test_support::{Authority, RedisServer, Setup, Upstream};

use crate::command::check;
use crate::tls_server::{biller, biller_that_requires};

#[test]
fn every_server_is_tried_layer_by_layer_and_a_fault_exits_with_1() {
    let (authority, other) = (Authority::new(), Authority::named("other"));
    let good = biller(&authority.server());
    let strange = biller(&other.server());
    let mutual = biller_that_requires(&other, &authority.server(), &[&TLS13]);
    let plain = Upstream::ok();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    // Accepts and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("https://{}", silent.local_addr().unwrap());
    let ca = format!("[tls]\nca = \"{}\"\n", authority.ca().display());
    let ours = format!("{ca}{}", authority.client("ours").toml());
    let setup = Setup::new(&plain.url(), &good.base_url())
        .biller("B0001", &good.base_url(), &ca)
        .biller("B0002", &strange.base_url(), &ca)
        .biller("B0003", &mutual.base_url(), &ours)
        .biller("B0004", &closed, "")
        .biller("B0005", "https://no-such-host.invalid", &ca)
        .biller("B0006", &silent_url, &ca)
        .biller("B0007", &good.base_url(), &ca);
    let begun = Instant::now();
    let printed = check(&setup.write(), &["--connect"]);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "they are tried at once"
    );
    assert_eq!(printed.code, Some(1), "{printed:?}");
    let lines: Vec<&str> = printed
        .out
        .lines()
        .skip_while(|line| !line.contains(": ok, 7 billers"))
        .skip(1)
        .collect();
    let expected = [
        "ok    kakao: name: ",
        "ok    kakao: TCP: connected to 127.0.0.1:",
        "ok    B0001, B0007: name: ",
        "ok    B0001, B0007: TCP: connected to ",
        "ok    B0001, B0007: TLS: TLS 1.3 with TLS13_",
        "ok    B0001, B0007: certificate: CN=server of CN=rcgen self signed cert, for localhost, 127.0.0.1, ::1, until 2099-01-01T00:00:00Z",
        "ok    B0002: name: ",
        "ok    B0002: TCP: ",
        "ok    B0002: TLS: ",
        "fault B0002: certificate: its certificate CN=server is of CN=other, which is not among",
        "ok    B0003: name: ",
        "ok    B0003: TCP: ",
        "fault B0003: TLS: it refused the gateway's client certificate (alert ",
        "ok    B0004: name: ",
        "fault B0004: TCP: 127.0.0.1:",
        "fault B0005: name: no-such-host.invalid: ",
        "ok    B0006: name: ",
        "ok    B0006: TCP: ",
        "fault B0006: TLS: no answer in time",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, begin) in lines.iter().zip(expected) {
        assert!(line.starts_with(begin), "{line}\nis not\n{begin}");
    }
    assert!(printed.err.contains("5 of the servers"), "{}", printed.err);
    assert_eq!(
        (plain.count(), good.calls_total()),
        (0, 0),
        "nothing is sent"
    );
}

#[test]
fn redis_is_logged_in_to_and_a_wrong_password_is_a_fault() {
    let upstream = Upstream::ok();
    let redis = RedisServer::start();
    redis.tell(&["CONFIG", "SET", "requirepass", "s3cret"]);
    let printed = |password: &str| {
        let setup = Setup::new(&upstream.url(), &upstream.url()).with(&format!(
            "[ledger.redis]\nurl = \"redis://127.0.0.1:{}/0\"\npassword_file = \"password\"",
            redis.port()
        ));
        fs::write(setup.path().join("password"), password).unwrap();
        check(&setup.write(), &["--connect"])
    };
    let node = format!("redis 127.0.0.1:{}", redis.port());
    let good = printed("s3cret");
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(
        good.out
            .contains(&format!("ok    {node}: log-in: as the default user")),
        "{}",
        good.out
    );
    let wrong = printed("wr0ng");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(
        wrong
            .out
            .contains(&format!("fault {node}: log-in: WRONGPASS")),
        "{}",
        wrong.out
    );
    assert!(wrong.out.contains("`password_file`"), "{}", wrong.out);
    assert!(!wrong.out.contains("wr0ng"), "{}", wrong.out);
}
