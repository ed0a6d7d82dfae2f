//! Billers, certificates and roots that change while the gateway serves, after a signal or a file change.

use std::fs;
use std::path::{Path, PathBuf};

use protocol::ResCode::{E001, E003};
use simulator::{Biller, BillerOptions};
use test_support::{
    Authority, CREATE, Caller, Gateway, NOTICE, PAY_RESULT, Setup, Upstream, assert_own, link,
    notice, pay_result,
};

use crate::listener::listen;
use crate::tls_client::{TlsCaller, TlsClient};
use crate::upstreams::open_to_all;

const DONE: &str = "relay_reloads_total{result=\"done\"}";
const REFUSED: &str = "relay_reloads_total{result=\"refused\"}";

/// Reloads the configuration by a signal and waits for the end of the reload.
pub fn reload(gateway: &Gateway) {
    let before = reloads(gateway);
    gateway.signal("HUP");
    await_reload(gateway, before);
}

fn reloads(gateway: &Gateway) -> i64 {
    gateway.metric(DONE) + gateway.metric(REFUSED)
}

/// Waits for one more reload than `before`.
fn await_reload(gateway: &Gateway, before: i64) {
    let wanted = usize::try_from(before + 1).unwrap();
    let is_end = |text: &serde_json::Value| {
        let text = text.as_str().unwrap_or_default();
        text.starts_with("configuration reloaded") || text.starts_with("configuration NOT reloaded")
    };
    gateway.await_log_times(wanted, |line| is_end(&line["message"]));
}

fn file_of(gateway: &Gateway, code: &str) -> PathBuf {
    gateway.path().join(format!("billers/{code}.toml"))
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, change(text)).unwrap();
}

fn notice_status(caller: &mut Caller) -> u16 {
    caller.post(NOTICE, notice("u").to_string()).status
}

#[test]
fn a_suspended_biller_stops_at_once_on_open_connections_and_still_gets_pay_results() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url()).start();
    let (mut kakao, mut biller) = (gateway.caller(), gateway.caller());
    assert_eq!(notice_status(&mut kakao), 200);
    assert_eq!(biller.post(CREATE, link("u").to_string()).status, 200);

    edit(&file_of(&gateway, "B0001"), |text| {
        format!("{text}\nstatus = \"suspended\"\n")
    });
    reload(&gateway);
    let calls = upstream.count();
    assert_own(&kakao.post(NOTICE, notice("u").to_string()), 404, E003);
    assert_own(&biller.post(CREATE, link("v").to_string()), 401, E003);
    assert_eq!(upstream.count(), calls);
    let logged = kakao.post(PAY_RESULT, pay_result("u", "P", 1, 20_000).to_string());
    assert_eq!((logged.status, upstream.count()), (200, calls + 1));
    assert_eq!(
        gateway.metric("relay_biller_suspended{biller=\"B0001\"}"),
        1
    );
}

#[test]
fn billers_come_and_go_and_kakao_pay_may_call_from_elsewhere() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url()).start();
    let mut kakao = gateway.caller();
    assert_eq!(notice_status(&mut kakao), 200);

    fs::rename(file_of(&gateway, "B0001"), gateway.path().join("kept")).unwrap();
    reload(&gateway);
    assert_own(&kakao.post(NOTICE, notice("u").to_string()), 404, E003);
    let page = gateway.get_ops("/metrics").text();
    assert!(
        !page.contains("\"B0001\""),
        "a series of a biller that is gone"
    );

    fs::rename(gateway.path().join("kept"), file_of(&gateway, "B0001")).unwrap();
    reload(&gateway);
    assert_eq!(notice_status(&mut kakao), 200);

    let main = gateway.path().join("gateway.toml");
    let elsewhere = "allow_from = [\"192.0.2.0/24\"]";
    edit(&main, |text| {
        text.replace("allow_from = [\"127.0.0.0/8\"]", elsewhere)
    });
    reload(&gateway);
    assert_own(&kakao.post(NOTICE, notice("u").to_string()), 403, E003);
    assert_eq!((gateway.metric(DONE), gateway.metric(REFUSED)), (3, 0));
}

#[test]
fn a_fault_in_any_file_changes_nothing_and_is_logged_and_counted() {
    let authority = Authority::new();
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &authority, "off"))
        .start();
    let main = gateway.path().join("gateway.toml");
    let biller = file_of(&gateway, "B0001");
    let (certificate, key) = (authority.server_certificate(), authority.server_key());
    let other = Authority::new();
    let other_key = fs::read(other.server().private_key).unwrap();
    // file | its new content | message
    let table: [(&PathBuf, Vec<u8>, &str); 6] = [
        (
            &biller,
            b"code = \"B0001\"\ncolour = 1\n".to_vec(),
            "unknown key",
        ),
        (&biller, b"code = ".to_vec(), "B0001.toml"),
        (&main, b"[listen]\npublic = 1\n".to_vec(), "listen.public"),
        (&certificate, b"no certificate".to_vec(), "has no PEM block"),
        (&key, other_key, "does not belong"),
        (&certificate, Vec::new(), "is empty"),
    ];
    for (row, (file, bytes, message)) in (1_i64..).zip(table) {
        let good = fs::read(file).unwrap();
        fs::write(file, bytes).unwrap();
        reload(&gateway);
        let lines = gateway.log();
        let mut logged = lines.iter().rev();
        let logged = logged
            .find(|line| line["level"] == "error")
            .unwrap()
            .to_string();
        assert!(logged.contains(message), "{message}: {logged}");
        assert_eq!(gateway.metric(REFUSED), row, "{message}");
        let client = TlsClient::new(&authority, None);
        let mut kakao = client.connect(gateway.public()).unwrap();
        let reply = kakao.post(NOTICE, notice("u").to_string());
        assert_eq!(reply.status, 200, "{message}");
        fs::write(file, good).unwrap();
    }
    reload(&gateway);
    assert!(gateway.metric(DONE) >= 1);
}

#[test]
fn what_cannot_change_while_serving_is_named_and_the_rest_changes() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with("[budget]\ntotal = \"2s\"\n[ledger]\ncache = \"0B\"\nretention_paid = \"1828d\"")
        .start();
    let main = gateway.path().join("gateway.toml");
    edit(&main, |text| {
        let text = text.replace("\"2s\"", "\"1s\"");
        text.replace("\"0B\"", "\"1MiB\"").replace("1828d", "1829d")
    });
    edit(&file_of(&gateway, "B0001"), |text| {
        format!("{text}\nstatus = \"suspended\"\n")
    });
    reload(&gateway);
    let line = gateway.await_log(|line| line.to_string().contains("a restart applies them"));
    assert_eq!(line["keys"], "budget, ledger.retention_paid, ledger.cache");
    assert_eq!(gateway.metric("relay_budget_seconds"), 2);
    assert_eq!(notice_status(&mut gateway.caller()), 404);
}

#[test]
fn a_new_certificate_serves_new_connections_and_a_root_that_is_gone_ends_the_old_ones() {
    let (old, new) = (Authority::new(), Authority::new());
    let (old_certificate, new_certificate) = (old.client("kakao"), new.client("kakao"));
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .with(&listen("127.0.0.1:0", &old, "required"))
        .start();
    let before = TlsClient::new(&old, Some(&old_certificate));
    let mut kept = before.connect(gateway.public()).unwrap();
    assert_eq!(kept.post(NOTICE, notice("u").to_string()).status, 200);

    // As in a rotation, both roots are trusted: old connections stay open, new ones may use either
    // certificate.
    let (old_root, new_root) = (fs::read(old.ca()).unwrap(), fs::read(new.ca()).unwrap());
    fs::write(old.ca(), [&old_root[..], &new_root].concat()).unwrap();
    let server = new.server();
    fs::copy(&server.chain, old.server_certificate()).unwrap();
    fs::copy(&server.private_key, old.server_key()).unwrap();
    reload(&gateway);
    assert_eq!(kept.post(NOTICE, notice("u").to_string()).status, 200);
    for certificate in [&old_certificate, &new_certificate] {
        let client = TlsClient::new(&new, Some(certificate));
        let mut caller = client.connect(gateway.public()).unwrap();
        assert_eq!(caller.post(NOTICE, notice("u").to_string()).status, 200);
    }

    fs::write(old.ca(), &new_root).unwrap();
    reload(&gateway);
    let calls = upstream.count();
    let refused = kept.post(NOTICE, notice("u").to_string());
    assert_own(&refused, 401, E003);
    assert!(kept.is_closed());
    assert_eq!(upstream.count(), calls);
}

#[test]
fn a_connection_that_could_not_be_opened_after_a_reload_is_not_served_whatever_it_asks_for() {
    let authority = Authority::new();
    let certificate = authority.client("kakao");
    let upstream = Upstream::ok();
    let pin = format!("client_certificates = [\"{}\"]\n", certificate.sha256);
    let connect = |gateway: &Gateway, certificate| {
        let client = TlsClient::new(&authority, certificate);
        client.connect(gateway.public()).unwrap()
    };
    // before | certificate | after | a notice, an unknown route
    let table = [
        ("optional", None, "required", [401, 401]),
        ("off", None, "required", [401, 401]),
        ("optional", Some(&certificate), "required", [200, 404]),
        ("required", Some(&certificate), "optional", [200, 404]),
        // Nobody is asked for a certificate any more, so the pinned one cannot be shown.
        ("required", Some(&certificate), "off", [401, 404]),
        ("optional", None, "off", [401, 404]),
    ];
    for (before, shown, after, statuses) in table {
        let gateway = Setup::new(&upstream.url(), &upstream.url())
            .with(&listen("127.0.0.1:0", &authority, before))
            .kakao(&pin)
            .start();
        let mut callers = [connect(&gateway, shown), connect(&gateway, shown)];
        let main = gateway.path().join("gateway.toml");
        edit(&main, |text| {
            text.replace(&format!("\"{before}\""), &format!("\"{after}\""))
        });
        reload(&gateway);
        for ((caller, path), status) in callers.iter_mut().zip([NOTICE, "/nothing"]).zip(statuses) {
            let reply = caller.post(path, notice("u").to_string());
            assert_eq!(
                reply.status,
                status,
                "{before} {after} {path}: {}",
                reply.text()
            );
            assert_eq!(
                caller_is_closed(caller, status),
                status == 401,
                "{before} {after} {path}"
            );
        }
    }
}

/// Returns whether the connection is closed after this answer; one that is kept answers again.
fn caller_is_closed(caller: &mut TlsCaller, status: u16) -> bool {
    if status == 401 {
        return caller.is_closed();
    }
    let again = caller.post("/nothing", "{}");
    assert_eq!(again.status, 404);
    false
}

#[test]
fn files_that_change_are_read_without_a_signal() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url()).start();
    let mut biller = gateway.caller();
    assert_eq!(biller.post(CREATE, link("u").to_string()).status, 200);
    let before = reloads(&gateway);
    edit(&file_of(&gateway, "B0001"), |text| {
        format!("{text}\nallow_from_ = 1\n")
    });
    await_reload(&gateway, before);
    assert_eq!(gateway.metric(REFUSED), 1);
    let without = biller.post_with(CREATE, &[], link("v").to_string());
    assert_own(&without, 401, E001);

    edit(&file_of(&gateway, "B0001"), |text| {
        text.replace("allow_from_ = 1", "status = \"suspended\"")
    });
    await_reload(&gateway, before + 1);
    assert_own(&biller.post(CREATE, link("v").to_string()), 401, E003);
}

#[test]
fn a_change_of_a_billers_roots_makes_new_connections() {
    let (old, new) = (Authority::new(), Authority::new());
    let biller = Biller::start(BillerOptions {
        tls: Some(open_to_all(&old)),
        ..BillerOptions::default()
    });
    let upstream = biller.unwrap();
    let tls = format!("[tls]\nca = \"{}\"\n", old.ca().display());
    let gateway = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1")
        .biller("B0001", &upstream.base_url(), &tls)
        .start();
    let mut kakao = gateway.caller();
    assert_eq!(notice_status(&mut kakao), 200);
    // The same file has another root: the biller's certificate is no longer trusted, also not on the
    // open connection.
    fs::copy(new.ca(), old.ca()).unwrap();
    reload(&gateway);
    assert_eq!(notice_status(&mut kakao), 502);
}
