//! Disk space that the retention frees returns to the file system, and no other data is lost.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use futures_util::future::join_all;
use ledger::{Durability, MessageDigest};
use protocol::Bill;
use support::payments::incompressible;
use support::{Node, Store, bill, eventually, pay, time};

/// The number of expired bills, each with a pay-result of four kibibytes.
const BILLS: usize = 3_000;

async fn report(node: &Node, bill: &Bill, number: usize) {
    let body = incompressible(number, 4_096);
    let message = MessageDigest::of(&body);
    let recorded = node.record(bill, &pay("1", "20000"), &body, message).await;
    assert!(matches!(recorded.durability, Durability::Durable));
}

#[tokio::test]
async fn expired_bills_take_no_disk_space() {
    let mut node = Node::alone(&Store::Embedded).await;
    let bills: Vec<Bill> = (0..BILLS)
        .map(|number| bill(&format!("{number:06}"), ""))
        .collect();
    for (chunk, bills) in bills.chunks(500).enumerate() {
        let reports = bills.iter().enumerate();
        join_all(reports.map(|(at, bill)| report(&node, bill, chunk * 500 + at))).await;
    }
    // What is in the write-ahead log is not in the file yet.
    node.restart().await;
    let bytes = |node: &Node| {
        let file = node.directory().join("journal.sqlite3");
        std::fs::metadata(file).unwrap().len()
    };
    let full = bytes(&node);
    node.now = time("20270101000000");
    let young = bill("202701", "");
    report(&node, &young, BILLS).await;
    assert!(full > (BILLS * 4_096) as u64, "{full}");

    let forgotten = node.forget_bills(time("20261231000000")).await;
    assert_eq!(forgotten, BILLS as u64);
    // Some free space stays in the file.
    eventually(async || bytes(&node) < full / 2).await;
    report(&node, &young, BILLS + 1).await;
    assert!(
        node.ledger().is_journal_writable(),
        "giving back is no harm to the file"
    );
    node.restart().await;
    assert!(node.is_paid(&young).await && !node.is_paid(&bills[0]).await);
}
