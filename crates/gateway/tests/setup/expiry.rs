//! Certificates that have expired or will soon: told by `gateway check`, the log and the metrics.

use std::time::{Duration, SystemTime};

use test_support::{Authority, Setup, notice, until};

use crate::command::check;
use crate::tls_server::{biller, in_days, unix};

fn listen(keys: &str) -> String {
    format!("[listen]\npublic = \"127.0.0.1:0\"\nops = \"127.0.0.1:0\"\n[listen.tls]\n{keys}")
}

fn expired() -> SystemTime {
    SystemTime::now() - Duration::from_hours(1)
}

#[test]
fn check_warns_of_three_weeks_and_refuses_an_expired_certificate_of_our_own() {
    let authority = Authority::new();
    let ends = |name, days| authority.server_until(name, in_days(days)).toml();
    // keys of [listen.tls] | exit code | begin of the line | what it says
    let table = [
        (
            authority.server_until("gone", expired()).toml(),
            1,
            "",
            "expired on",
        ),
        (ends("soon", 20), 0, "warning: ", "which expires on"),
        (ends("later", 22), 0, "", ""),
    ];
    for (keys, code, begin, what) in table {
        let setup = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1").with(&listen(&keys));
        let main = setup.write();
        let printed = check(&main, &[]);
        assert_eq!(printed.code, Some(code), "{printed:?}");
        let all = printed.out + &printed.err;
        let place = format!("{begin}{}: listen.tls.certificate: `", main.display());
        let told = all.lines().find(|line| line.starts_with(&place));
        assert_eq!(told.is_some(), !what.is_empty(), "{all}");
        if let Some(line) = told {
            assert!(line.contains(what) && line.ends_with(" (line 5)"), "{line}");
        }
        assert_eq!(all.contains(": ok, 1 billers"), code == 0, "{all}");
    }
}

#[test]
fn an_authority_that_has_expired_is_a_warning_for_it_is_still_trusted() {
    let authority = Authority::new();
    let old = authority.server_until("old-root", expired());
    let toml = format!("[tls]\nca = \"{}\"", old.chain.display());
    let setup = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1").biller(
        "B0001",
        "https://biller.invalid",
        &toml,
    );
    let printed = check(&setup.write(), &[]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let place = "billers/B0001.toml: tls.ca: `";
    let told = printed
        .out
        .lines()
        .find(|line| line.contains(place) && line.starts_with("warning: "));
    assert!(told.unwrap().contains("expired on"), "{}", printed.out);
}

#[test]
fn a_serving_gateway_tells_of_its_own_certificates_at_its_start() {
    let authority = Authority::new();
    let (gone, soon) = (expired(), in_days(10) + Duration::from_mins(1));
    let listener = authority.server_until("listener", gone);
    let ours = authority.server_until("ours", soon);
    let ca = authority.ca();
    let toml = format!("[tls]\nca = \"{}\"\n{}", ca.display(), ours.toml());
    let gateway = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1")
        .with(&listen(&listener.toml()))
        .biller("B0001", "https://biller.invalid", &toml)
        .start();
    let error = gateway.await_log(|line| line["message"] == "a certificate has expired");
    assert_eq!(
        (&error["level"], &error["parties"]),
        (&"error".into(), &"public".into())
    );
    assert_eq!(error["usage"], "server");
    let warning = gateway.await_log(|line| line["message"] == "a certificate expires soon");
    assert_eq!(
        (&warning["level"], &warning["parties"]),
        (&"warn".into(), &"B0001".into())
    );
    assert_eq!(
        (&warning["usage"], &warning["days_left"]),
        (&"client".into(), &10.into())
    );
    let metric = |party: &str, usage: &str| {
        let labels = format!("party=\"{party}\",use=\"{usage}\"");
        gateway.metric(&format!(
            "relay_certificate_expiry_timestamp_seconds{{{labels}}}"
        ))
    };
    assert_eq!(metric("public", "server"), unix(gone));
    assert_eq!(metric("B0001", "client"), unix(soon));
    assert!(metric("B0001", "ca") > unix(in_days(3_650)));
    assert_eq!(metric("B0001", "server"), 0, "no handshake yet");
}

#[test]
fn the_certificate_that_an_upstream_shows_is_told_of_after_a_handshake_even_a_failed_one() {
    let authority = Authority::new();
    let (soon, gone) = (in_days(10), expired());
    let first = biller(&authority.server_until("first", soon));
    let second = biller(&authority.server_until("second", gone));
    let toml = format!("[tls]\nca = \"{}\"", authority.ca().display());
    let gateway = Setup::new("http://127.0.0.1:1", &first.base_url())
        .biller("B0001", &first.base_url(), &toml)
        .biller("B0002", &second.base_url(), &toml)
        .start();
    let series = |code: &str| {
        let labels = format!("party=\"{code}\",use=\"server\"");
        format!("relay_certificate_expiry_timestamp_seconds{{{labels}}}")
    };
    let call = |code: &str| gateway.post(&format!("/kakao/notice/{code}"), notice("u").to_string());
    assert_eq!(call("B0001").status, 200);
    until(|| gateway.metric(&series("B0001")) == unix(soon));
    assert_eq!(call("B0002").res_code(), "E809");
    until(|| gateway.metric(&series("B0002")) == unix(gone));
    let told = |code: &'static str, message: &'static str| {
        gateway.await_log(move |line| {
            line["message"] == message && line["parties"] == code && line["usage"] == "server"
        })
    };
    assert_eq!(told("B0001", "a certificate expires soon")["level"], "warn");
    assert_eq!(told("B0002", "a certificate has expired")["level"], "error");
}
