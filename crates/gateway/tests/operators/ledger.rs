//! The audit of the ledger: `ledger verify`.

use std::fs;
use std::time::Duration;

use protocol::ResCode::E403;
use serde_json::json;
use test_support::{CREATE, PAY_RESULT, PREPAY, assert_own, link, prepay};

use crate::fixture::{Fixture, TOKEN, paid, run};

#[test]
fn verify_reports_a_sound_ledger() {
    let fixture = Fixture::start();
    for pay_id in 1..=20 {
        let user = (pay_id % 7).to_string();
        fixture.post(CREATE, &link(&user).to_string());
        fixture.post(PAY_RESULT, &paid(&user, pay_id));
    }
    let (code, verified) = fixture.json("ledger verify");
    assert_eq!((code, &verified["sound"]), (0, &json!(true)), "{verified}");
    let journal = &verified["journal"];
    assert_eq!(
        (&journal["bills"], &journal["payments"]),
        (&json!(7), &json!(20))
    );
    let text = fixture.run("ledger verify").out;
    assert!(text.contains("is the fold of the journal"), "{text}");
    assert!(text.contains("The ledger is sound."), "{text}");

    // Without a running gateway, only the journal is read.
    let mut gateway = fixture.gateway;
    gateway.terminate();
    let offline = run(&gateway, None, "ledger verify");
    assert_eq!(offline.code, 0, "{offline:?}");
    assert!(offline.out.contains("No gateway answers"), "{offline:?}");
    assert!(offline.out.contains("not compared: no gateway is running"));
    assert_eq!(run(&gateway, Some(TOKEN), "payments list").code, 1);
}

#[test]
fn verify_finds_what_was_tampered_with() {
    let fixture = Fixture::start();
    for pay_id in 1..=4 {
        fixture.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    let journal = fixture.gateway.path().join("data/ledger/journal.sqlite3");
    let tampered = rusqlite::Connection::open(&journal).unwrap();
    tampered.busy_timeout(Duration::from_secs(5)).unwrap();
    let payment = |pay_id: u64| format!("kind = 6 AND pay_id = {pay_id}");
    let row = |pay_id: u64| {
        let query = format!("SELECT seq FROM fact WHERE {}", payment(pay_id));
        tampered
            .query_row(&query, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let rows: Vec<i64> = (1..=4).map(row).collect();
    let message = |pay_id| format!("(SELECT message FROM fact WHERE {})", payment(pay_id));
    for change in [
        format!("UPDATE fact SET pay_amount = 99999 WHERE {}", payment(1)),
        format!("UPDATE fact SET paid_at = -5 WHERE {}", payment(2)),
        format!("DELETE FROM message WHERE id = {}", message(3)),
        format!("UPDATE message SET body = x'00' WHERE id = {}", message(4)),
        format!(
            "UPDATE fact SET stamp = (SELECT stamp FROM fact WHERE seq = {}) WHERE kind = 7 AND pay_id = 4",
            rows[3]
        ),
    ] {
        assert_eq!(tampered.execute(&change, []).unwrap(), 1, "{change}");
    }
    let (code, verified) = fixture.json("ledger verify");
    assert_eq!((code, &verified["sound"]), (1, &json!(false)));
    let findings = verified["journal"]["findings"].as_array().unwrap();
    let found = |kind: &str| -> Vec<i64> {
        let of_kind = findings.iter().filter(|finding| finding["kind"] == kind);
        of_kind
            .map(|finding| finding["row"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(found("unreadable_row"), [rows[1]]);
    assert_eq!(found("message_missing"), [rows[2]]);
    assert_eq!(found("message_altered"), [rows[3]]);
    assert_eq!(found("stamp_twice").len(), 1);
    // The last fact of the first bill is the delivery after the payment.
    assert!(
        found("state_differs").contains(&(rows[0] + 1)),
        "{findings:?}"
    );
    let printed = fixture.run("ledger verify");
    assert!(
        printed.out.contains("is NOT the fold of the journal"),
        "{printed:?}"
    );
    assert!(printed.out.contains("NOT sound"), "{printed:?}");
    // The state in the gateway's memory is unchanged.
    assert_own(&fixture.post(PREPAY, &prepay("1").to_string()), 200, E403);
}

#[test]
fn verify_reads_a_damaged_journal_with_which_no_gateway_starts() {
    let mut fixture = Fixture::start();
    for pay_id in 1..=200 {
        fixture.post(PAY_RESULT, &paid(&pay_id.to_string(), pay_id));
    }
    fixture.gateway.terminate();
    let journal = fixture.gateway.path().join("data/ledger/journal.sqlite3");
    let file = rusqlite::Connection::open(&journal).unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    file.query_row(checkpoint, [], |_| Ok(())).unwrap();
    drop(file);
    let mut bytes = fs::read(&journal).unwrap();
    // Behind the schema, which a reader needs before all else.
    let rows = bytes.len() * 3 / 4 / 4096 * 4096;
    bytes[rows..rows + 4096].fill(0x41);
    fs::write(&journal, bytes).unwrap();
    let printed = run(&fixture.gateway, None, "ledger verify");
    assert_eq!(printed.code, 1, "{printed:?}");
    assert!(printed.out.contains("the file is damaged"), "{printed:?}");
    assert!(printed.out.contains("NOT sound"), "{printed:?}");

    fs::remove_file(&journal).unwrap();
    let printed = run(&fixture.gateway, None, "ledger verify");
    assert_eq!(printed.code, 1);
    assert!(printed.err.contains("unable to open"), "{printed:?}");
}
