//! The upkeep of the ledger: `ledger backup`, `ledger restore`, `ledger retention`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ledger::{DeliveryOutcome, KeptAnswer, Ledger, MessageDigest, Options, Timestamp};
use protocol::ResCode::E403;
use protocol::{BillerCode, PayResult, Rules};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{CREATE, PAY_RESULT, PREPAY, Setup, Upstream, assert_own, link, prepay};

use crate::fixture::{Fixture, Printed, paid, run};

/// Restores into the ledger of this setup, whose gateway does not run.
fn restore(setup: &Setup, from: &Path) -> Printed {
    let config = setup.path().join("operators.toml");
    fs::write(&config, "[listen]\nops = \"127.0.0.1:9464\"\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .args(["ledger", "restore", "--json", "--from"])
        .arg(from)
        .arg("--config")
        .arg(config)
        .env_remove("GATEWAY_ADMIN_TOKEN");
    command.output().unwrap().into()
}

#[test]
fn a_backup_of_a_running_gateway_is_taken_into_service_as_another_node() {
    let fixture = Fixture::start();
    fixture.post(CREATE, &link("linked").to_string());
    for pay_id in 1..=20 {
        fixture.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("backup.sqlite3");
    let backup = format!("ledger backup --to {}", file.display());
    let (code, written) = fixture.json(&backup);
    assert_eq!((code, &written["facts"]), (0, &json!(42)), "{written}");
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!(written["bytes"], metadata.len());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);

    // What comes later is not in it.
    fixture.post(PAY_RESULT, &paid("later", 21));
    let biller = Upstream::ok();
    let setup = Setup::new("http://127.0.0.1:1", &biller.url());
    let restored = restore(&setup, &file);
    assert_eq!(restored.code, 0, "{restored:?}");
    let restored: Value = serde_json::from_str(&restored.out).unwrap();
    assert_eq!(restored["facts"], 42);
    assert_ne!(restored["node"], written["node"]);
    let again = restore(&setup, &file);
    assert_eq!(again.code, 1, "there is a journal already: {again:?}");
    assert!(again.err.contains("nothing was restored"), "{again:?}");

    let copy = setup.start();
    for pay_id in 1..=20 {
        let body = prepay(&pay_id.to_string()).to_string();
        assert_own(&copy.post(PREPAY, body), 200, E403);
    }
    assert_eq!(
        copy.post(PREPAY, prepay("later").to_string()).res_code(),
        "OK"
    );
    assert_eq!(biller.count(), 1);
}

#[test]
fn a_backup_never_overwrites_and_the_command_says_why_there_is_none() {
    let fixture = Fixture::start();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("precious");
    fs::write(&file, "precious").unwrap();
    let printed = fixture.run(&format!("ledger backup --to {}", file.display()));
    assert_eq!(printed.code, 1, "{printed:?}");
    assert!(printed.err.contains("there is no backup"), "{printed:?}");
    assert!(printed.err.contains("precious"), "{printed:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    fixture
        .gateway
        .await_log(|line| line["message"] == "the journal was not backed up");

    let missing = folder.path().join("none/backup");
    let printed = fixture.run(&format!("ledger backup --to {}", missing.display()));
    assert_eq!(printed.code, 1, "{printed:?}");
    let relative = Fixture::post_admin(&fixture.gateway, "/admin/ledger/backup", r#"{"to":"b"}"#);
    assert_eq!(relative.status, 400, "{}", relative.text());
    assert_eq!(run(&fixture.gateway, None, "ledger backup --to b").code, 2);
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let folder = TempDir::new().unwrap();
    let foreign = folder.path().join("notes.txt");
    fs::write(&foreign, "no journal").unwrap();
    let setup = Setup::new("http://127.0.0.1:1", "http://127.0.0.1:1");
    for from in [foreign, folder.path().join("missing")] {
        let printed = restore(&setup, &from);
        assert_eq!(printed.code, 1, "{printed:?}");
        assert!(printed.err.contains(from.to_str().unwrap()), "{printed:?}");
        let journal = setup.path().join("data/ledger/journal.sqlite3");
        assert!(!journal.exists(), "no start may find a journal");
    }
}

/// Records an accepted pay-result of that time.
async fn accepted(ledger: &Ledger, body: String, at: Timestamp) {
    let rules = Rules {
        parameter_max_length: 8,
        identity_parameters: &[],
    };
    let biller = BillerCode::parse("B0001").unwrap();
    let result = PayResult::parse(body.as_bytes(), biller, &rules).unwrap();
    let message = MessageDigest::of(body.as_bytes());
    let bytes = body.into();
    ledger
        .record_payment(&result.bill, &result.event, &bytes, message.into(), at)
        .await;
    let answer = KeptAnswer {
        status: 200,
        content_type: "application/json".into(),
        body: r#"{"res_code":"OK"}"#.into(),
    };
    let outcome = DeliveryOutcome::Accepted(answer.into());
    let delivered =
        ledger.record_delivery(&result.bill, &result.event, message.into(), outcome, at);
    delivered.await.unwrap();
}

#[test]
fn the_retention_says_what_it_would_forget_and_forgets_nothing() {
    let biller = Upstream::ok();
    let setup = Fixture::setup(&biller)
        .with("[ledger]\nretention = \"10d\"\nretention_paid = \"30d\"\nkeep_bodies = \"20d\"");
    let now = Timestamp::now();
    let days = |days: u64| now.minus(Duration::from_hours(days * 24));
    let options = Options::embedded(setup.path().join("data/ledger"));
    let ledger = Ledger::open(&options, days(40)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // One is due, one only by its bytes, one not at all.
    for (user_key, pay_id, age) in [("a", 1, 40), ("b", 2, 25), ("c", 3, 15)] {
        runtime.block_on(accepted(&ledger, paid(user_key, pay_id), days(age)));
    }
    drop(ledger);
    let gateway = setup.start();
    let preview = Fixture::get(&gateway, "/admin/ledger/retention").text();
    let preview: Value = serde_json::from_str(&preview).unwrap();
    let counts = ["unpaid_bills", "paid_bills", "bodies"].map(|class| &preview[class]["count"]);
    assert_eq!(counts, [&json!(0), &json!(1), &json!(2)], "{preview}");
    assert_eq!(preview["unpaid_bills"]["oldest"], Value::Null);
    let (oldest, before) = (&preview["bodies"]["oldest"], &preview["bodies"]["before"]);
    assert!(
        oldest.as_str().unwrap() < before.as_str().unwrap(),
        "{preview}"
    );

    let printed = Fixture::on(&gateway, "ledger retention --dry-run");
    assert_eq!(printed.code, 0, "{printed:?}");
    assert!(printed.out.contains("ledger.retention_paid"), "{printed:?}");
    assert!(printed.out.contains("Nothing was changed"), "{printed:?}");
    let verified = Fixture::on(&gateway, "ledger verify").out;
    assert!(verified.contains("6 facts of 3 bills"), "{verified}");
    // Without the option it would be taken for an order.
    assert_eq!(Fixture::on(&gateway, "ledger retention").code, 2);
}
