//! A part of the journal is damaged, or a file of it is gone: what lies elsewhere is as durable as ever, and nothing is
//! answered from what cannot be read.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use ledger::{DeliveryOutcome, Durability, KeptAnswer, Ledger, MessageDigest, RecordOutcome};
use protocol::{Bill, BillerCode};
use rusqlite::Connection;
use support::{Node, Store, bill, eventually, options, pay};

const PAGE: usize = 4_096;

/// Bills of which some twenty are on one page.
fn wide_bill(number: usize) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    let user_key = format!("{number:0>150}");
    Bill::from_parts(biller, &user_key, "202611", "", "", &[])
}

fn file_of(node: &Node) -> PathBuf {
    node.directory().join("journal.sqlite3")
}

/// Brings everything into the file itself.
fn checkpoint(node: &Node) {
    let journal = Connection::open(file_of(node)).unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    journal.query_row(checkpoint, [], |_| Ok(())).unwrap();
}

/// Damages the page that has the bill's row.
fn damage(node: &Node, bill: &Bill) {
    let mut bytes = fs::read(file_of(node)).unwrap();
    let key = bill.biller_user_key().as_bytes();
    let mut places = (0..bytes.len()).step_by(PAGE);
    // A leaf of a table; other pages may have remains of the text.
    let is_row = |page: &usize| {
        let mut words = bytes[*page..page + PAGE].windows(key.len());
        bytes[*page] == 0x0d && words.any(|word| word == key)
    };
    let page = places.find(is_row).unwrap();
    bytes[page..page + 8].fill(0xff);
    fs::write(file_of(node), bytes).unwrap();
}

async fn report(node: &Node, bill: &Bill, pay_id: &str) -> Durability {
    let body = Bytes::from(pay_id.to_owned());
    let event = pay(pay_id, "20000");
    match node
        .begin(bill, &event, &body, MessageDigest::of(&body))
        .await
    {
        RecordOutcome::Recorded(recorded) => recorded.durability,
        other @ RecordOutcome::AcceptedElsewhere { .. } => panic!("{other:?}"),
    }
}

/// A payment that its biller accepts.
async fn deliver(node: &Node, bill: &Bill, pay_id: &str) {
    let kept = report(node, bill, pay_id).await;
    assert!(matches!(kept, Durability::Durable), "{kept:?}");
    let message = MessageDigest::of(pay_id.as_bytes());
    let accepted = DeliveryOutcome::Accepted(KeptAnswer {
        status: 200,
        content_type: Bytes::new(),
        body: Bytes::new(),
    });
    let event = pay(pay_id, "20000");
    let delivered =
        (node.ledger()).record_delivery(bill, &event, message.into(), accepted, node.now);
    delivered.await.unwrap();
}

/// A node with 200 paid bills, of which this one cannot be read.
async fn with_damaged(bill: &Bill) -> Node {
    let mut node = Node::alone(&Store::Embedded).await;
    for number in 0..200 {
        deliver(&node, &wide_bill(number), &number.to_string()).await;
    }
    node.stop();
    checkpoint(&node);
    damage(&node, bill);
    node.restart().await;
    node
}

#[tokio::test]
async fn entries_that_were_owed_are_written_around_a_damaged_page() {
    let damaged = wide_bill(5);
    let mut node = with_damaged(&damaged).await;
    let new = |number: usize| bill("202612", &format!("N{number}"));
    let saboteur = Connection::open(file_of(&node)).unwrap();
    saboteur.execute_batch("BEGIN IMMEDIATE").unwrap();
    let pay_id = |number: usize| format!("40{number}");
    let reports = (0..20).map(async |number| match number {
        7 | 13 => report(&node, &damaged, &pay_id(number)).await,
        _ => report(&node, &new(number), &pay_id(number)).await,
    });
    let reports = futures_util::future::join_all(reports).await;
    assert!(
        reports
            .iter()
            .all(|one| matches!(one, Durability::InMemoryOnly(_)))
    );
    let payments = "SELECT count(*) FROM fact WHERE kind = 6";
    let count = || saboteur.query_row(payments, [], |row| row.get::<_, i64>(0));
    let before = count().unwrap();
    saboteur.execute_batch("COMMIT").unwrap();
    eventually(async || count().unwrap() == before + 18).await;
    assert!(!node.ledger().is_journal_writable());
    // In one group with others, too.
    let reports = (20..40).map(async |number| match number {
        27 => report(&node, &damaged, &pay_id(number)).await,
        _ => report(&node, &new(number), &pay_id(number)).await,
    });
    let reports = futures_util::future::join_all(reports).await;
    let lost = reports
        .iter()
        .filter(|one| matches!(one, Durability::InMemoryOnly(_)));
    assert_eq!(lost.count(), 1);
    drop(saboteur);
    node.restart().await;
    for number in (0..40).filter(|number| ![7, 13, 27].contains(number)) {
        assert!(node.is_paid(&new(number)).await, "{number}");
    }
}

#[tokio::test]
async fn a_damaged_page_keeps_no_payment_of_another_bill_from_the_disk() {
    let (damaged, sound) = (wide_bill(5), wide_bill(190));
    let mut node = with_damaged(&damaged).await;
    assert!(node.ledger().look_up(&damaged, node.now).await.is_err());
    for round in 0..3 {
        let lost = report(&node, &damaged, &format!("100{round}")).await;
        assert!(matches!(lost, Durability::InMemoryOnly(_)), "{lost:?}");
        for number in 0..10 {
            let kept = report(&node, &bill("202612", &format!("N{round}{number}")), "2").await;
            assert!(matches!(kept, Durability::Durable), "{kept:?}");
        }
        let kept = report(&node, &sound, &format!("300{round}")).await;
        assert!(matches!(kept, Durability::Durable), "{kept:?}");
    }
    // Somebody has to look after the disk, and the verification says what is wrong.
    assert!(!node.ledger().is_journal_writable());
    let audit = node.ledger().verify().await.unwrap().audit;
    assert!(!audit.findings.is_empty());
    node.restart().await;
    for (round, number) in (0..3).flat_map(|round| (0..10).map(move |number| (round, number))) {
        assert!(
            node.is_paid(&bill("202612", &format!("N{round}{number}")))
                .await
        );
    }
}

#[tokio::test]
async fn a_write_ahead_log_that_is_deleted_turns_the_journal_off() {
    let node = Node::alone(&Store::Embedded).await;
    node.report(&bill("202611", ""), &pay("1", "20000")).await;
    fs::remove_file(node.directory().join("journal.sqlite3-wal")).unwrap();
    eventually(async || !node.ledger().is_journal_writable()).await;
    let lost = report(&node, &bill("202612", ""), "2").await;
    let Durability::InMemoryOnly(error) = lost else {
        panic!("{lost:?}");
    };
    let error = error.to_string();
    assert!(error.contains("journal.sqlite3-wal is gone"), "{error}");
}

#[tokio::test]
async fn a_write_ahead_log_without_its_journal_is_not_overwritten() {
    let mut node = Node::alone(&Store::Embedded).await;
    node.report(&bill("202611", ""), &pay("1", "20000")).await;
    let kept = tempfile::TempDir::new().unwrap();
    let log = kept.path().join("journal.sqlite3-wal");
    fs::copy(node.directory().join("journal.sqlite3-wal"), &log).unwrap();
    let before = fs::read(&log).unwrap();
    assert!(!before.is_empty());
    let refused = Ledger::open(&options(kept.path()), node.now).unwrap_err();
    assert!(refused.to_string().contains("write-ahead log"), "{refused}");
    assert_eq!(fs::read(&log).unwrap(), before);
    node.stop();
}

#[tokio::test]
async fn a_bill_whose_facts_are_not_found_is_not_taken_for_an_unpaid_one() {
    let mut node = Node::alone(&Store::Embedded).await;
    let paid = bill("202611", "");
    node.report(&paid, &pay("1", "20000")).await;
    node.stop();
    let journal = Connection::open(file_of(&node)).unwrap();
    assert!(journal.execute("DELETE FROM fact", []).unwrap() > 0);
    drop(journal);
    node.restart().await;
    let error = node.ledger().look_up(&paid, node.now).await.unwrap_err();
    assert!(error.to_string().contains("are not found"), "{error}");
}
