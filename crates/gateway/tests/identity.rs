//! Identity parameters that change while bills are paid or linked: refused, or taken with a date.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use protocol::ResCode::E403;
use serde_json::{Value, json};
use test_support::{
    CREATE, Gateway, PAY_RESULT, PREPAY, Setup, Upstream, assert_own, link, pay_result, prepay,
};

/// Later than every change of these tests.
const LATER: &str = "20991231235959";

fn start(biller: &Upstream, toml: &str) -> Gateway {
    let setup = Setup::new(&biller.url(), &biller.url());
    setup.biller("B0001", &biller.url(), toml).start()
}

#[test]
fn however_many_bills_a_customer_has_those_of_before_stay_paid() {
    let biller = Upstream::ok();
    let gateway = start(&biller, "");
    let of_bill = |mut call: Value, number: usize, unit: &str| {
        call["data"]["biller_notice_key"] = json!(format!("N{number}"));
        of_unit(call, unit)
    };
    for number in 0..1_010 {
        let paid = pay_result("one", "P", number as u64 + 1, 20_000);
        assert_eq!(
            gateway
                .post(PAY_RESULT, of_bill(paid, number, "1"))
                .res_code(),
            "OK"
        );
    }
    reload(
        &gateway,
        "identity_parameters = [\"unit\"]\nidentity_parameters_changed_on = \"2026-11-20\"",
    );
    for number in [0, 999, 1_000, 1_009] {
        let reply = gateway.post(PREPAY, of_bill(prepay("one"), number, "2"));
        assert_eq!(reply.res_code(), "E403", "{number}");
    }
}

#[test]
fn a_date_in_the_future_blocks_no_payment_of_after_the_change() {
    let biller = Upstream::ok();
    let gateway = start(&biller, "");
    pay(&gateway, "before", "101", 1);
    reload(
        &gateway,
        "identity_parameters = [\"unit\"]\nidentity_parameters_changed_on = \"2099-01-01\"",
    );
    assert_eq!(ask(&gateway, "before", "102"), "E403");
    let mut after = pay_result("after", "P", 2, 20_000);
    after["data"]["paid_at"] = json!("20981231235959");
    let after = of_unit(after, "101");
    assert_eq!(gateway.post(PAY_RESULT, after).res_code(), "OK");
    assert_eq!(ask(&gateway, "after", "102"), "OK");
}

/// Replaces what a biller's file says of identity parameters.
fn configure(folder: &Path, toml: &str) {
    let file = folder.join("billers/B0001.toml");
    let text = fs::read_to_string(&file).unwrap();
    let others = text.lines().filter(|line| !line.starts_with("identity_"));
    let mut lines: Vec<&str> = others.collect();
    lines.push(toml);
    fs::write(&file, lines.join("\n")).unwrap();
}

/// Changes the biller's file; returns the log line of the reload's end.
fn reload(gateway: &Gateway, toml: &str) -> Value {
    let is_end = |line: &Value| {
        let text = line["message"].as_str().unwrap_or_default();
        text.starts_with("configuration reloaded") || text.starts_with("configuration NOT reloaded")
    };
    let before = gateway.log().iter().filter(|line| is_end(line)).count();
    configure(gateway.path(), toml);
    gateway.signal("HUP");
    gateway.await_log_times(before + 1, is_end);
    let ends: Vec<Value> = gateway.log().into_iter().filter(is_end).collect();
    ends[before].clone()
}

fn of_unit(mut call: Value, unit: &str) -> String {
    call["data"]["parameters"] = json!({ "unit": unit });
    call.to_string()
}

fn ask(gateway: &Gateway, user_key: &str, unit: &str) -> String {
    let reply = gateway.post(PREPAY, of_unit(prepay(user_key), unit));
    assert_eq!(reply.status, 200);
    reply.res_code()
}

fn pay(gateway: &Gateway, user_key: &str, unit: &str, pay_id: u64) {
    let body = of_unit(pay_result(user_key, "P", pay_id, 20_000), unit);
    assert_eq!(gateway.post(PAY_RESULT, body).res_code(), "OK");
}

#[test]
fn a_reload_that_would_make_paid_bills_payable_again_is_refused_with_their_number() {
    let biller = Upstream::ok();
    let gateway = start(&biller, "");
    pay(&gateway, "paid", "101", 1);
    assert_eq!(gateway.post(CREATE, link("linked").to_string()).status, 200);
    let line = reload(&gateway, "identity_parameters = [\"unit\"]");
    assert_eq!(
        line["message"],
        "configuration NOT reloaded: nothing changed"
    );
    assert_eq!(
        line["faults"],
        "B0001: identity_parameters: must stay [] and not become [unit]: 2 bills are paid or linked with the old ones, \
         and paid ones could be paid again; or give `identity_parameters_changed_on` the date of the change"
    );
    assert_own(
        &gateway.post(PREPAY, of_unit(prepay("paid"), "101")),
        200,
        E403,
    );
    assert_eq!(
        biller
            .calls()
            .iter()
            .filter(|call| call.line.contains("/kakao/prepay"))
            .count(),
        0
    );
}

#[test]
fn with_a_date_the_change_is_taken_and_payments_of_before_still_block_their_bills() {
    let biller = Upstream::ok();
    let gateway = start(&biller, "");
    pay(&gateway, "before", "101", 1);
    pay(&gateway, "cancelled", "101", 2);
    let taken = "identity_parameters = [\"unit\"]\nidentity_parameters_changed_on = \"2026-11-20\"";
    let line = reload(&gateway, taken);
    assert_eq!(line["message"], "configuration reloaded");
    for unit in ["101", "102"] {
        assert_eq!(ask(&gateway, "before", unit), "E403", "{unit}");
    }
    assert_eq!(ask(&gateway, "unpaid", "101"), "OK");

    // Payments of after it are told apart by the new identity.
    let mut after = pay_result("after", "P", 3, 20_000);
    after["data"]["paid_at"] = json!(LATER);
    assert_eq!(
        gateway.post(PAY_RESULT, of_unit(after, "101")).res_code(),
        "OK"
    );
    assert_eq!(ask(&gateway, "after", "101"), "E403");
    assert_eq!(ask(&gateway, "after", "102"), "OK");

    // A cancel of a payment of before comes under the new identity.
    let cancel = of_unit(pay_result("cancelled", "C", 2, 20_000), "101");
    assert_eq!(gateway.post(PAY_RESULT, cancel).res_code(), "OK");
    assert_eq!(ask(&gateway, "cancelled", "101"), "OK");

    // It holds after a restart, too, and without the date in the file.
    let gateway = gateway.kill_and_restart();
    let without = "identity_parameters = [\"unit\"]";
    for _ in 0..2 {
        reload(&gateway, without);
        assert_eq!(ask(&gateway, "before", "102"), "E403");
        assert_eq!(ask(&gateway, "after", "102"), "OK");
    }
    reload(&gateway, taken);
    // The date does not count for another change.
    assert_eq!(ask(&gateway, "before", "102"), "E403");
    assert_eq!(ask(&gateway, "after", "102"), "OK");
    let line = reload(&gateway, &taken.replace("unit", "floor"));
    let faults = line["faults"].as_str().unwrap();
    assert!(
        faults.contains("must stay [unit] and not become [floor]"),
        "{faults}"
    );
    assert!(
        faults.ends_with("another date, for this one was of the change before"),
        "{faults}"
    );
}

#[test]
fn at_a_start_the_old_identity_stays_in_force_and_the_log_says_so() {
    let biller = Upstream::ok();
    let gateway = start(&biller, "identity_parameters = [\"unit\"]");
    pay(&gateway, "u", "101", 1);
    configure(gateway.path(), "identity_parameters = []");
    let gateway = gateway.stop_and_restart();
    let line =
        gateway.await_log(|line| line["message"] == "the former identity parameters stay in force");
    assert_eq!(line["level"], "error");
    let refused = line["refused"].as_str().unwrap();
    assert!(refused.contains("1 bills are paid or linked"), "{refused}");
    assert_eq!(ask(&gateway, "u", "101"), "E403");
    assert_eq!(ask(&gateway, "u", "102"), "OK", "another bill, as before");

    let taken = "identity_parameters = []\nidentity_parameters_changed_on = \"2026-11-30\"";
    configure(gateway.path(), taken);
    let gateway = gateway.stop_and_restart();
    assert_eq!(ask(&gateway, "u", "101"), "E403");
    assert_eq!(
        ask(&gateway, "u", "102"),
        "E403",
        "the units are one bill now"
    );
    let is_error = |line: &Value| line["level"] == "error";
    assert!(!gateway.log().iter().any(is_error), "{:?}", gateway.log());
}

#[test]
fn a_change_that_concerns_no_bill_is_taken_without_a_date() {
    let biller = Upstream::ok();
    let gateway = start(&biller, "identity_parameters = [\"unit\", \"floor\"]");
    pay(&gateway, "u", "101", 1);
    // No paid bill has a floor.
    let line = reload(&gateway, "identity_parameters = [\"unit\"]");
    assert_eq!(line["message"], "configuration reloaded");
    assert_eq!(ask(&gateway, "u", "101"), "E403");
    let line = reload(&gateway, "identity_parameters = []");
    assert_eq!(
        line["message"],
        "configuration NOT reloaded: nothing changed"
    );
}
