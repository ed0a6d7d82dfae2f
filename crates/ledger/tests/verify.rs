//! What a verification finds, and that it finds it in a journal of any shape.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;

use ledger::journal::{Audit, Finding};
use ledger::{DeliveryOutcome, LinkOutcome, MessageDigest, verify_offline};
use protocol::PayType;
use rusqlite::Connection;
use support::{Node, Store, bill, event, pay};
use tempfile::TempDir;

fn connect(directory: &Path) -> Connection {
    Connection::open(directory.join("journal.sqlite3")).unwrap()
}

/// A journal with a linked and paid bill, one that is linked only, and one with a long history and a snapshot.
async fn journal() -> TempDir {
    let mut node = Node::alone(&Store::Embedded).await;
    let (paid, linked, long) = (
        bill("202611", "N1"),
        bill("202612", "N2"),
        bill("202610", ""),
    );
    node.link(&paid, "20261130235959").await.unwrap();
    node.report(&paid, &pay("1", "20000")).await;
    let message = MessageDigest::of(format!("{paid:?} {:?}", pay("1", "20000")).as_bytes());
    let told = (node.ledger()).record_delivery(
        &paid,
        &pay("1", "20000"),
        message.into(),
        DeliveryOutcome::Unknown,
        node.now,
    );
    told.await.unwrap();
    node.create(&linked, LinkOutcome::Unknown).await.unwrap();
    for number in 0..300_u32 {
        let at = format!("202611{:02}12{:02}00", number % 28 + 1, number % 60);
        node.report(&long, &event(&number.to_string(), PayType::P, &at, "20000"))
            .await;
    }
    node.restart().await;
    // A load of a long history leaves a snapshot behind.
    assert!(node.is_paid(&long).await);
    node.ledger().flush(support::BUDGET).await.unwrap();
    let verified = node.ledger().verify().await.unwrap();
    assert!(verified.audit.findings.is_empty(), "{verified:?}");
    node.stop();
    let copy = TempDir::new().unwrap();
    let all = format!(
        "VACUUM INTO '{}'",
        copy.path().join("journal.sqlite3").display()
    );
    connect(node.directory()).execute_batch(&all).unwrap();
    copy
}

fn audit(directory: &Path) -> Audit {
    verify_offline(directory, |_| {}).unwrap()
}

/// What is done to the journal | what is found.
const HARMS: &[(&str, &[&str])] = &[
    ("SELECT 1", &[]),
    ("DROP INDEX fact_by_payment", &["index_missing"]),
    ("DELETE FROM fact WHERE bill = 2", &["bill_without_facts"]),
    (
        "UPDATE bill SET registered = NULL WHERE id = 1",
        &["mark_differs"],
    ),
    (
        "UPDATE bill SET registered = 0 WHERE id = 2",
        &["mark_differs"],
    ),
    (
        "UPDATE fact SET open = NULL WHERE bill = 1",
        &["mark_differs"],
    ),
    (
        "UPDATE fact SET open = 1 WHERE bill = 1 AND kind = 4",
        &["mark_differs"],
    ),
    (
        "UPDATE bill SET hash = 5 WHERE id = 1",
        &["unreadable_bill"],
    ),
    (
        "UPDATE bill SET biller = 9 WHERE id = 2",
        &["unreadable_bill", "unreadable_row", "unreadable_row"],
    ),
    (
        "UPDATE fact SET kind = 99 WHERE bill = 1 AND kind = 4",
        &["unreadable_row"],
    ),
    (
        "UPDATE fact SET paid_at = -5 WHERE bill = 1 AND kind = 6",
        &["unreadable_row"],
    ),
    ("DELETE FROM message WHERE id = 1", &["message_missing"]),
    (
        "UPDATE message SET body = NULL WHERE id = 1",
        &["message_missing"],
    ),
    (
        "UPDATE message SET body = x'00' WHERE id = 1",
        &["message_altered"],
    ),
    (
        "UPDATE fact SET stamp = (SELECT stamp FROM fact WHERE bill = 1 AND kind = 4) WHERE bill = 1 AND kind = 6",
        &["stamp_twice"],
    ),
    (
        "UPDATE snapshot SET up_to = up_to - 1",
        &["snapshot_differs"],
    ),
    ("UPDATE snapshot SET state = x'00'", &[]),
    (
        "DELETE FROM fact WHERE seq = (SELECT max(seq) FROM fact)",
        &["mark_differs", "snapshot_differs"],
    ),
];

#[tokio::test]
async fn every_kind_of_damage_is_found_by_its_name_and_nothing_else_is() {
    let whole = journal().await;
    let file = whole.path().join("journal.sqlite3");
    let snapshots: i64 = connect(whole.path())
        .query_row("SELECT count(*) FROM snapshot", [], |row| row.get(0))
        .unwrap();
    assert_eq!(snapshots, 1);
    for (harm, expected) in HARMS {
        let copy = TempDir::new().unwrap();
        std::fs::copy(&file, copy.path().join("journal.sqlite3")).unwrap();
        connect(copy.path()).execute_batch(harm).unwrap();
        let audit = audit(copy.path());
        let mut found: Vec<&str> = audit.findings.kept.iter().map(Finding::name).collect();
        found.sort_unstable();
        assert_eq!(found, *expected, "{harm}: {:?}", audit.findings);
        assert!(audit.unchecked.is_empty(), "{harm}");
    }
}

#[tokio::test]
async fn an_index_that_lacks_rows_is_named_with_what_to_do() {
    let journal = journal().await;
    let connection = connect(journal.path());
    // What the index has is cut off from what the table gets.
    connection
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, 'WHERE kind = 8', 'WHERE kind = 6') WHERE name = 'fact_refused';",
        )
        .unwrap();
    drop(connection);
    let findings = audit(journal.path()).findings;
    let is_named = |finding: &Finding| {
        *finding
            == Finding::IndexDamaged {
                index: "fact_refused".to_owned(),
            }
    };
    assert!(findings.kept.iter().any(is_named), "{findings:?}");
    assert!(
        findings.kept[0]
            .to_string()
            .contains("DROP INDEX fact_refused")
    );
}

#[tokio::test]
async fn without_the_index_of_bills_the_rest_is_checked_and_the_bills_are_said_not_to_be() {
    let journal = journal().await;
    connect(journal.path())
        .execute_batch("DROP INDEX fact_by_bill; UPDATE message SET body = x'00' WHERE id = 1")
        .unwrap();
    let audit = audit(journal.path());
    let found: Vec<&str> = audit.findings.kept.iter().map(Finding::name).collect();
    assert_eq!(found, ["index_missing", "message_altered"]);
    assert!(
        audit.unchecked[0].contains("fact_by_bill"),
        "{:?}",
        audit.unchecked
    );
}

#[tokio::test]
async fn a_verification_says_how_far_it_is_and_counts_everything() {
    let journal = journal().await;
    let mut said = Vec::new();
    let audit = verify_offline(journal.path(), |progress| said.push(progress)).unwrap();
    assert_eq!((audit.bills, audit.payments), (3, 301));
    let facts: i64 = connect(journal.path())
        .query_row("SELECT count(*) FROM fact", [], |row| row.get(0))
        .unwrap();
    assert_eq!(audit.rows, facts.unsigned_abs());
    for what in ["tables", "bills", "facts"] {
        assert!(
            said.iter()
                .any(|said| said.what == what && said.done < said.of),
            "{what}"
        );
    }
}

#[test]
fn a_file_that_is_no_journal_is_called_what_it_is_without_a_gateway() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("journal.sqlite3");
    let said = || {
        let verified = verify_offline(folder.path(), |_| {});
        verified.unwrap_err().to_string()
    };
    std::fs::write(&file, "").unwrap();
    assert!(said().contains("is empty"), "{}", said());
    let foreign = rusqlite::Connection::open(&file).unwrap();
    foreign.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(foreign);
    assert!(said().contains("of another program"), "{}", said());
}
