//! A journal that the first released version wrote is opened and goes on.
#![allow(clippy::too_many_lines, clippy::unwrap_used, missing_docs)]

use std::path::Path;

use bytes::Bytes;
use ledger::{
    Claim, DeliveryOutcome, DeliveryState, Digests, FactContext, KeptAnswer, Ledger, Message,
    MessageDigest, Options, Timestamp, verify_offline,
};
use protocol::{Bill, BillerCode, CanonicalDigest, Decimal, PaidAt, PayId, PayType, PaymentEvent};
use rusqlite::{Connection, params};
use tempfile::TempDir;

#[path = "migration/generator.rs"]
mod generator;

/// The tables of version 1, as it made them.
const VERSION_1: &str = include_str!("migration/version_1.sql");

/// The pay-results in it: accepted, refused.
const BODIES: [&[u8]; 2] = [b"{\"data\":1}", b"{\"data\":2}"];

fn bill(user_key: &str) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, user_key, "202611", "", "", &[])
}

fn event(pay_id: &str) -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::parse(pay_id).unwrap(),
        pay_type: PayType::P,
        paid_at: PaidAt::parse("20261124120000").unwrap(),
        pay_amount: Decimal::parse("20000").unwrap(),
    }
}

/// Writes a journal of version 1: user 1 paid and the biller accepted, user 2 paid and the biller refused.
fn write_version_1(directory: &Path) {
    let journal = Connection::open(directory.join("journal.sqlite3")).unwrap();
    journal.execute_batch(VERSION_1).unwrap();
    journal
        .execute("INSERT INTO node (number) VALUES (7)", [])
        .unwrap();
    for (place, (body, delivery)) in BODIES.iter().zip(["accepted", "refused"]).enumerate() {
        let (user, message) = ((place + 1).to_string(), MessageDigest::of(body));
        let mut stamp = i64::try_from(place + 1).unwrap() << 40;
        for (kind, delivery) in [("payment", None), ("delivery", Some(delivery))] {
            stamp += 1;
            journal
                .execute(
                    "INSERT INTO fact (at, stamp, node, kind, biller_code, biller_user_key,
                     billed_year_month, ordinal, biller_notice_key, identity, pay_id, pay_type,
                     paid_at, pay_amount, message, delivery)
                     VALUES ('', ?1, 7, ?2, 'B0001', ?3, '202611', '', '', '', ?3, 'P',
                     '20261124120000', '20000', ?4, ?5)",
                    params![stamp, kind, user, message.as_bytes(), delivery],
                )
                .unwrap();
        }
        journal
            .execute(
                "INSERT INTO message (biller_code, message, body) VALUES ('B0001', ?1, ?2)",
                params![message.as_bytes(), body],
            )
            .unwrap();
    }
    let accepted = MessageDigest::of(BODIES[0]);
    journal
        .execute(
            "INSERT INTO answer (biller_code, message, status, content_type, body)
             VALUES ('B0001', ?1, 201, ?2, ?3)",
            params![
                accepted.as_bytes(),
                b"application/json",
                br#"{"res_code":"OK"}"#
            ],
        )
        .unwrap();
}

fn version(directory: &Path) -> i64 {
    let journal = Connection::open(directory.join("journal.sqlite3")).unwrap();
    let version = journal.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.unwrap()
}

fn open(directory: &Path) -> Ledger {
    let options = Options::embedded(directory.to_path_buf());
    Ledger::open(&options, Timestamp::now()).unwrap()
}

#[tokio::test]
async fn a_journal_of_version_1_is_opened_and_takes_what_this_version_writes() {
    let directory = TempDir::new().unwrap();
    write_version_1(directory.path());
    assert_eq!(version(directory.path()), 1);
    let offline = verify_offline(directory.path(), |_| {})
        .unwrap_err()
        .to_string();
    assert!(offline.contains("an earlier version"), "{offline}");

    let now = Timestamp::now();
    let accepted = Digests {
        bytes: MessageDigest::of(BODIES[0]),
        canonical: CanonicalDigest::from_slice(&[1; 32]),
    };
    let body = Bytes::from_static(b"{\"data\":3}");
    let written = Message {
        digest: MessageDigest::of(&body),
        context: FactContext {
            request_id: Some("r-3".into()),
            canonical: CanonicalDigest::from_slice(&[3; 32]),
            answer: None,
        },
    };
    // The second and the third start find a journal of version 4.
    for start in 0..3 {
        let ledger = open(directory.path());
        assert_eq!(version(directory.path()), 4);
        assert!(ledger.look_up(&bill("1"), now).await.unwrap().paid);
        // What an older version accepted is known by its bytes.
        let claim = ledger.claim(&bill("1"), &event("1"), accepted).await;
        let Claim::Accepted { answer, .. } = claim else {
            panic!("accepted: {claim:?}");
        };
        assert_eq!(answer.status, 201);
        let undelivered = ledger.undelivered_payments(None).unwrap();
        let refused: Vec<_> = undelivered
            .iter()
            .map(|one| (&one.bill, one.state))
            .collect();
        assert_eq!(refused, [(&bill("2"), DeliveryState::Refused)]);
        let attempts = ledger.delivery_attempts(&undelivered).await.unwrap();
        let last = attempts[0].as_ref().unwrap().last_message;
        assert_eq!(last, MessageDigest::of(BODIES[1]).into());
        if start == 0 {
            let event = event("3");
            let recorded = ledger.record_payment(&bill("3"), &event, &body, written.clone(), now);
            recorded.await;
            let kept = KeptAnswer {
                status: 200,
                content_type: Bytes::from_static(b"application/json"),
                body: Bytes::from_static(b"{}"),
            };
            let delivered = DeliveryOutcome::Accepted(kept);
            let settled =
                ledger.record_delivery(&bill("3"), &event, written.clone(), delivered, now);
            settled.await.unwrap();
        }
        let facts = ledger.history(&bill("3")).await.unwrap().facts.facts;
        let contexts: Vec<_> = facts.into_iter().map(|fact| fact.context).collect();
        assert_eq!(contexts, [written.context.clone(), written.context.clone()]);
        let other_spelling = Digests {
            bytes: MessageDigest::of(b"{ }"),
            ..written.digests()
        };
        let claim = ledger.claim(&bill("3"), &event("3"), other_spelling).await;
        assert!(matches!(claim, Claim::Accepted { .. }), "{claim:?}");
        let verified = ledger.verify().await.unwrap();
        assert!(
            verified.audit.findings.is_empty(),
            "{:?}",
            verified.audit.findings
        );
    }
}

/// Where the process that is killed has its journal.
const TO_MIGRATE: &str = "RELAY_JOURNAL_TO_MIGRATE";

/// Opens the journal that the test below names, and is killed meanwhile.
#[test]
fn a_process_that_opens_the_named_journal() {
    if let Some(directory) = std::env::var_os(TO_MIGRATE) {
        drop(open(Path::new(&directory)));
    }
}

#[tokio::test]
async fn a_journal_of_version_2_has_the_same_answers_however_often_its_first_starts_are_killed() {
    let bills = 4_000;
    let directory = TempDir::new().unwrap();
    generator::write(directory.path(), bills);
    assert_eq!(version(directory.path()), 2);
    let mut kills = 0;
    for millis in (20..).step_by(30) {
        let mut start = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_process_that_opens_the_named_journal"])
            .env(TO_MIGRATE, directory.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Each is killed a little later than the one before, wherever it is.
        std::thread::sleep(std::time::Duration::from_millis(millis));
        if start.try_wait().unwrap().is_some() {
            break;
        }
        start.kill().unwrap();
        start.wait().unwrap();
        kills += 1;
    }
    assert!(kills > 1, "no start was killed");
    let ledger = open(directory.path());
    assert_eq!(version(directory.path()), 4);
    let now = Timestamp::now();
    for number in 0..bills {
        let expected = generator::expected(number);
        let bill = generator::bill(number);
        let view = ledger.look_up(&bill, now).await.unwrap();
        assert_eq!(view.paid, expected.is_paid, "{number}");
        assert_eq!(view.error_bill, expected.is_error_bill, "{number}");
        let history = ledger.history(&bill).await.unwrap();
        let state = history.current.state.unwrap();
        assert_eq!(
            state.link_state(now).is_registered(),
            expected.is_registered
        );
        assert_eq!(state.undelivered(), expected.undelivered, "{number}");
        for message in expected.accepted {
            let event = event(&number.to_string());
            let Claim::Accepted { answer, .. } = ledger.claim(&bill, &event, message).await else {
                panic!("{number} was accepted");
            };
            assert_eq!(*answer, generator::answer(), "{number}");
        }
    }
    let verified = ledger.verify().await.unwrap().audit;
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    assert_eq!(verified.bills, bills as u64);
    drop(ledger);
    let leftover = Connection::open(directory.path().join("journal.sqlite3")).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'old_*' OR name = 'migration'";
    let tables: i64 = leftover.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn a_journal_of_a_later_version_is_refused_with_what_to_do() {
    let directory = TempDir::new().unwrap();
    drop(open(directory.path()));
    let journal = Connection::open(directory.path().join("journal.sqlite3")).unwrap();
    journal.pragma_update(None, "user_version", 5).unwrap();
    drop(journal);
    let options = Options::embedded(directory.path().to_path_buf());
    let refused = Ledger::open(&options, Timestamp::now())
        .unwrap_err()
        .to_string();
    for part in [
        "journal.sqlite3",
        "later version",
        "version 5",
        "start that version",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
}
