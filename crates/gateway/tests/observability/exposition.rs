//! `promtool check metrics` reports nothing after any call and with any name of a biller.

use std::io::Write;
use std::process::{Command, Stdio};

use test_support::{Gateway, Setup, Upstream, pay_result, prepay};

use crate::page::Page;
use crate::traffic::{LINK_CREATE, NOTICE, PAY_RESULT, PREPAY, body};
use crate::{HOSTILE_NAME, named};

/// Returns what promtool reports of a page; it is empty for a good one.
fn promtool(page: &str) -> String {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(page.as_bytes()).unwrap();
    drop(input);
    let output = promtool.wait_with_output().unwrap();
    let report = [output.stdout, output.stderr].concat();
    let report = String::from_utf8(report).unwrap();
    assert_eq!(output.status.success(), report.is_empty(), "{report}");
    report
}

/// Calls of all kinds, good and bad.
fn call(gateway: &Gateway) {
    for api in [LINK_CREATE, NOTICE, PREPAY, PAY_RESULT] {
        gateway.post(&format!("{api}/B0001"), body(api).to_string());
    }
    let paid = pay_result("twice", "P", 1_000_001, 20_000).to_string();
    gateway.post(&format!("{PAY_RESULT}/B0001"), &paid);
    gateway.post(&format!("{PAY_RESULT}/B0001"), &paid);
    gateway.post(&format!("{PREPAY}/B0001"), prepay("twice").to_string());
    gateway.post(&format!("{PAY_RESULT}/B0001"), "{}");
    gateway.post(&format!("{NOTICE}/stranger"), "{}");
    gateway.post("/no/such/route", "{}");
}

#[test]
fn promtool_accepts_the_metrics_of_a_gateway_under_traffic() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .biller("B0001", &upstream.url(), &named(HOSTILE_NAME))
        .biller("B0002", "http://127.0.0.1:1", "status = \"suspended\"\n")
        .start();
    call(&gateway);
    gateway.post(&format!("{PAY_RESULT}/B0002"), body(PAY_RESULT).to_string());
    let text = gateway.get_ops("/metrics").text();
    assert_eq!(promtool(&text), "");

    let page = Page::read(&text);
    assert_eq!(page.value(r#"relay_biller_suspended{biller="B0002"}"#), 1.0);
    let undelivered = r#"relay_payments_undelivered_by_biller{biller="B0002"}"#;
    assert_eq!(page.value(undelivered), 1.0);
    assert!(page.value("relay_payments_undelivered_oldest_seconds") > 0.0);
    assert_eq!(page.value("relay_ready"), 1.0);
    assert_eq!(page.value("relay_journal_writable"), 1.0);
    assert!(page.value("relay_journal_size_bytes") > 0.0);
    assert!(page.value("relay_journal_disk_free_bytes") > 0.0);
    assert!(page.value("relay_journal_commits_total") >= 3.0);
    let commits = r#"relay_ledger_operation_duration_seconds_count{operation="journal_commit"}"#;
    assert_eq!(
        page.value(commits),
        page.value("relay_journal_commits_total")
    );
    assert!(
        !page.0.contains_key("relay_ledger_redis_up"),
        "none is configured"
    );
}

#[test]
fn a_billers_name_is_shown_as_it_is_written_and_breaks_no_line_of_page_or_log() {
    let upstream = Upstream::ok();
    let gateway = Setup::new(&upstream.url(), &upstream.url())
        .biller("B0001", &upstream.url(), &named(HOSTILE_NAME))
        .start();
    call(&gateway);
    let escaped = HOSTILE_NAME.replace('\\', r"\\").replace('"', r#"\""#);
    let series = format!(r#"relay_biller_info{{biller="B0001",name="{escaped}"}}"#);
    assert_eq!(Page::of(&gateway).value(&series), 1.0);
    // `log` panics at a line that is no JSON object.
    let line = gateway.await_log(|line| line["api"] == "unknown");
    assert_eq!(line["biller"], "unknown");
}
