//! What is kept for which time, and that forgetting it hurts no call.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use ledger::{
    Claim, DeliveryOutcome, FactContext, ForgottenCount, KeptAnswer, KeptFrom, LinkOutcome,
    LinkRefusal, MessageDigest, Options, PaymentEffect, Timestamp,
};
use protocol::{Bill, BillerCode, PayType, PaymentEvent};
use support::{BUDGET, Node, Store, bill, event, pay, time};

const DAY: Duration = Duration::from_hours(24);

/// The moments from which on a ledger with the usual settings keeps things.
fn usual(now: Timestamp) -> KeptFrom {
    let usual = Options::embedded(Path::new("").into());
    KeptFrom {
        unpaid_bills: now.minus(usual.retention),
        paid_bills: now.minus(usual.retention_paid),
        bodies: now.minus(usual.keep_bodies),
    }
}

fn body_of(bill: &Bill, event: &PaymentEvent) -> Bytes {
    Bytes::from(format!("{bill:?} {event:?}"))
}

fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 201,
        content_type: "text/plain".into(),
        body: "the biller's own words".into(),
    }
}

/// Reports a payment that the biller accepts.
async fn accept(node: &Node, bill: &Bill, event: &PaymentEvent) {
    node.report(bill, event).await;
    let message = MessageDigest::of(&body_of(bill, event));
    let outcome = DeliveryOutcome::Accepted(answer());
    let delivered = (node.ledger()).record_delivery(bill, event, message.into(), outcome, node.now);
    delivered.await.unwrap();
}

async fn assert_sound(node: &Node) {
    let verified = node.ledger().verify().await.unwrap();
    assert!(verified.audit.findings.is_empty(), "{verified:?}");
}

/// The numbers of rows of a table.
fn rows(directory: &Path, table: &str) -> i64 {
    let journal = rusqlite::Connection::open(directory.join("journal.sqlite3")).unwrap();
    let count = format!("SELECT count(*) FROM {table}");
    journal.query_row(&count, [], |row| row.get(0)).unwrap()
}

/// Bills that leave while calls run.
const BILLS: u32 = 400;

#[tokio::test]
async fn a_bill_paid_five_years_ago_is_paid_right_after_a_start_and_unpaid_ones_are_gone() {
    let mut node = Node::alone(&Store::Embedded).await;
    let begin = node.now;
    let (paid, linked, old) = (
        bill("202611", "N1"),
        bill("202611", "N2"),
        bill("202610", ""),
    );
    node.link(&paid, "20261130235959").await.unwrap();
    accept(&node, &paid, &pay("1", "20000")).await;
    node.link(&linked, "20261130235959").await.unwrap();
    node.create(&old, LinkOutcome::Unknown).await.unwrap();

    node.now = begin.plus(399 * DAY);
    let forgotten = node.forget(usual(node.now)).await;
    assert_eq!((forgotten.unpaid_bills, forgotten.bodies), (0, 1));
    node.now = begin.plus(1_826 * DAY);
    node.restart().await;
    let forgotten = node.forget(usual(node.now)).await;
    let expected = ForgottenCount {
        unpaid_bills: 2,
        paid_bills: 0,
        bodies: 0,
    };
    assert_eq!(forgotten, expected);
    node.restart().await;
    assert!(node.is_paid(&paid).await);
    assert_eq!(node.find(&linked).await, Err(LinkRefusal::NotRegistered));
    assert_eq!(node.find(&old).await, Err(LinkRefusal::NotRegistered));
    assert!(
        node.reserve(&bill("202612", "N2")).await.is_ok(),
        "its notice key is free"
    );
    assert_sound(&node).await;

    node.now = begin.plus(1_828 * DAY);
    assert_eq!(node.forget(usual(node.now)).await.paid_bills, 1);
    assert!(!node.is_paid(&paid).await);
    assert_sound(&node).await;
    let left = ["message", "answer", "bill"].map(|table| rows(node.directory(), table));
    assert_eq!(left, [0, 0, 1]);
}

#[tokio::test]
async fn a_bill_is_as_old_as_its_latest_fact_and_of_the_class_that_this_made_it() {
    let mut node = Node::alone(&Store::Embedded).await;
    let begin = node.now;
    let (renewed, paid_later) = (bill("202611", "N1"), bill("202611", "N2"));
    node.link(&renewed, "20261130235959").await.unwrap();
    node.link(&paid_later, "20261130235959").await.unwrap();
    node.now = begin.plus(300 * DAY);
    node.report(&paid_later, &pay("1", "20000")).await;
    let expire_at = protocol::KoreanTime::parse("20271130235959").unwrap();
    let relinked = node
        .ledger()
        .relink(&renewed, FactContext::default(), expire_at, node.now);
    relinked.await.unwrap();
    node.now = begin.plus(500 * DAY);
    for _ in 0..2 {
        assert_eq!(
            node.forget(usual(node.now)).await,
            ForgottenCount::default()
        );
        node.restart().await;
    }
    node.now = begin.plus(701 * DAY);
    assert_eq!(node.forget(usual(node.now)).await.unpaid_bills, 1);
    assert!(node.is_paid(&paid_later).await);
    assert_sound(&node).await;
}

#[tokio::test]
async fn the_bytes_of_an_accepted_pay_result_go_and_its_copy_is_answered_all_the_same() {
    let mut node = Node::alone(&Store::Embedded).await;
    let begin = node.now;
    let (accepted, refused) = (bill("202611", ""), bill("202612", ""));
    let event = pay("1", "20000");
    accept(&node, &accepted, &event).await;
    node.report(&refused, &pay("2", "20000")).await;
    let message = MessageDigest::of(&body_of(&refused, &pay("2", "20000")));
    let told = node.ledger().record_delivery(
        &refused,
        &pay("2", "20000"),
        message.into(),
        DeliveryOutcome::Unknown,
        begin,
    );
    told.await.unwrap();
    let bodies = |table| rows(node.directory(), &format!("{table} WHERE body IS NOT NULL"));
    assert_eq!((bodies("message"), bodies("answer")), (2, 1));
    assert_eq!(node.forget(usual(begin.plus(89 * DAY))).await.bodies, 0);
    assert_eq!(node.forget(usual(begin.plus(91 * DAY))).await.bodies, 1);
    let bodies = |table| rows(node.directory(), &format!("{table} WHERE body IS NOT NULL"));
    assert_eq!(
        (bodies("message"), bodies("answer")),
        (1, 0),
        "what is undelivered keeps its bytes"
    );
    node.now = begin.plus(91 * DAY);
    for _ in 0..2 {
        assert_sound(&node).await;
        assert!(node.is_paid(&accepted).await);
        let message = MessageDigest::of(&body_of(&accepted, &event));
        let claim = node.ledger().claim(&accepted, &event, message).await;
        let Claim::Accepted { answer, .. } = claim else {
            panic!("{claim:?}");
        };
        assert_eq!((answer.status, answer.body.len()), (201, 0));
        assert_eq!(node.ledger().undelivered(), 1);
        node.restart().await;
    }
}

#[tokio::test]
async fn a_bill_that_a_call_needs_stays_until_the_call_is_over_and_is_forgotten_then() {
    let node = Node::alone(&Store::Embedded).await;
    let (used, other) = (bill("202611", "N1"), bill("202611", "N2"));
    node.link(&used, "20261130235959").await.unwrap();
    node.link(&other, "20261130235959").await.unwrap();
    let later = node.now.plus(401 * DAY);
    // A claim keeps its bill in memory.
    let message = MessageDigest::of(b"{}");
    let claim = node
        .ledger()
        .claim(&used, &pay("1", "20000"), message)
        .await;
    assert!(matches!(claim, Claim::Granted(_)));
    assert_eq!(node.forget(usual(later)).await.unpaid_bills, 0);
    assert_eq!(node.find(&used).await, Ok(used.clone()));
    drop(claim);
    assert_eq!(node.forget(usual(later)).await.unpaid_bills, 2);
    assert_eq!(node.find(&used).await, Err(LinkRefusal::NotRegistered));
    assert_sound(&node).await;
}

#[tokio::test]
async fn a_bill_with_very_many_facts_leaves_in_parts_and_nothing_of_it_is_left() {
    let mut node = Node::alone(&Store::Embedded).await;
    let long = bill("202611", "");
    for number in 1..=400_u32 {
        let (id, at) = (
            number.to_string(),
            format!("202611{:02}120000", number % 28 + 1),
        );
        accept(&node, &long, &event(&id, PayType::P, &at, "20000")).await;
    }
    node.now = time("20320101000000");
    let young = bill("203201", "");
    accept(&node, &young, &pay("1", "20000")).await;
    let forgotten = node.forget(usual(node.now)).await;
    assert_eq!((forgotten.paid_bills, forgotten.bodies), (1, 0));
    let left = ["fact", "message", "answer", "bill", "snapshot"];
    let left = left.map(|table| rows(node.directory(), table));
    assert_eq!(left, [2, 1, 1, 1, 0]);
    for _ in 0..2 {
        assert!(!node.is_paid(&long).await && node.is_paid(&young).await);
        assert_sound(&node).await;
        node.restart().await;
    }
}

/// A bill of its own.
fn numbered(number: u32) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, &number.to_string(), "202611", "", "", &[])
}

#[test]
fn calls_that_meet_the_retention_see_all_of_a_bill_or_nothing_and_the_journal_stays_sound() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let node = runtime.block_on(async {
        let node = Node::alone(&Store::Embedded).await;
        for number in 0..BILLS {
            node.link(&numbered(number), "20261130235959")
                .await
                .unwrap();
        }
        node
    });
    let later = node.now.plus(401 * DAY);
    let ledger = node.ledger().clone();
    let retention = std::thread::spawn(move || ledger.forget_before(usual(later)).unwrap());
    runtime.block_on(async {
        for number in (0..BILLS).rev() {
            let bill = numbered(number);
            let reserved =
                node.ledger()
                    .reserve(&bill, FactContext::default(), later, later.plus(BUDGET));
            match reserved.await {
                // It is there as a whole: linked, and not to be created again.
                Err(refusal) => assert_eq!(refusal, LinkRefusal::AlreadyLinked, "{number}"),
                Ok(reservation) => {
                    let settled = node
                        .ledger()
                        .settle(&reservation, &LinkOutcome::Unknown, later);
                    settled.await.unwrap();
                    let paid = pay(&number.to_string(), "20000");
                    assert_eq!(node.report(&bill, &paid).await, PaymentEffect::New);
                    assert!(node.is_paid(&bill).await);
                }
            }
        }
    });
    let forgotten = retention.join().unwrap();
    runtime.block_on(assert_sound(&node));
    let paid = rows(node.directory(), "fact WHERE kind = 6");
    assert_eq!(
        forgotten.unpaid_bills,
        u64::from(BILLS),
        "{paid} were created again"
    );
    let directory = node.directory().to_path_buf();
    let open = rows(&directory, "bill WHERE registered = 1");
    assert_eq!(open, paid, "what is left of them is what came since");
}

#[tokio::test]
async fn a_preview_says_what_goes_and_a_walk_begins_where_the_last_one_ended() {
    let node = Node::alone(&Store::Embedded).await;
    for number in 0..300 {
        node.link(&numbered(number), "20261130235959")
            .await
            .unwrap();
    }
    accept(&node, &bill("202611", ""), &pay("1", "20000")).await;
    let later = node.now.plus(401 * DAY);
    let preview = node.ledger().retention_preview(later).await.unwrap();
    let counts = [preview.unpaid_bills, preview.paid_bills, preview.bodies];
    assert_eq!(
        counts.map(|due| (due.count, due.is_complete)),
        [(300, true), (0, true), (1, true)]
    );
    assert_eq!(preview.unpaid_bills.oldest, Some(node.now));
    node.forget(usual(later)).await;
    let preview = node.ledger().retention_preview(later).await.unwrap();
    assert_eq!((preview.unpaid_bills.count, preview.bodies.count), (0, 0));
    let cursor = rusqlite::Connection::open(node.directory().join("journal.sqlite3")).unwrap();
    let from = "SELECT forget_unpaid_from, forget_bodies_from, seq FROM node, sqlite_sequence WHERE name = 'fact'";
    let (unpaid, bodies, last): (i64, i64, i64) = cursor
        .query_row(from, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!((unpaid, bodies), (last + 1, last + 1));
}
