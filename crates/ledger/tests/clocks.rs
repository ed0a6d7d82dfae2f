//! Stamps far ahead, forged in Redis or left in a journal: they are taken, and nothing follows them.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger::{
    DeliveryOutcome, LinkOutcome, LinkRefusal, MessageDigest, PaymentEffect, RefusedClosing,
    RefusedKept, RefusedOutcome, RefusedPayResult, Timestamp,
};
use protocol::{Bill, BillerCode, KoreanTime};
use support::forgery::{Forged, ForgedLink, Forger};
use support::{Node, Store, bill, eventually, pay};
use test_support::RedisServer;

/// Two hours, half a year and ten years ahead, and the last stamp of all.
fn stamps_ahead() -> [Forged; 4] {
    let hours = |hours: u64| {
        let time = Timestamp::now().plus(Duration::from_hours(hours));
        (time.millis() << 20, u64::from(u32::MAX))
    };
    let last = (i64::MAX, u64::from(u32::MAX));
    [hours(2), hours(182 * 24), hours(3_652 * 24), last]
}

struct House {
    server: Arc<RedisServer>,
    prefix: String,
    one: Node,
    other: Node,
}

impl House {
    async fn open() -> Self {
        let server = Arc::new(RedisServer::start());
        let store = Store::shared(&server);
        let Store::Shared(_, prefix) = &store else {
            unreachable!("it is shared");
        };
        Self {
            prefix: prefix.clone(),
            one: Node::on(&store).await,
            other: Node::on(&store).await,
            server,
        }
    }

    fn forger(&self) -> Forger<'_> {
        Forger {
            server: &self.server,
            prefix: &self.prefix,
        }
    }

    async fn until_all_is_shared(&self) {
        for node in [&self.one, &self.other] {
            eventually(async || node.ledger().unshared() == 0).await;
        }
    }
}

async fn clear(node: &Node, bill: &Bill) {
    let cleared = (node.ledger()).clear(
        bill,
        "not paid twice".to_owned(),
        "kim".to_owned(),
        node.now,
    );
    cleared.await.unwrap();
}

async fn classify(node: &Node, bill: &Bill) {
    let classified = (node.ledger()).classify(bill, "why".to_owned(), "kim".to_owned(), node.now);
    classified.await.unwrap();
}

/// The latest stamp that the node has journalled for the bill, as a time.
async fn last_stamp(node: &Node, bill: &Bill) -> Timestamp {
    let history = node.ledger().history(bill).await.unwrap();
    let stamps = history.facts.facts.iter();
    stamps.map(|row| row.fact.stamp.timestamp()).max().unwrap()
}

/// Of three creates at once, one is let through; when it has failed, another is.
async fn only_one_create_at_once(node: &Node, bill: &Bill) {
    let three = tokio::join!(node.reserve(bill), node.reserve(bill), node.reserve(bill));
    let (let_through, refused): (Vec<_>, Vec<_>) = [three.0, three.1, three.2]
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!((let_through.len(), refused.len()), (1, 2));
    for refusal in refused {
        assert_eq!(refusal, Err(LinkRefusal::AlreadyLinked));
    }
    for reservation in let_through.into_iter().flatten() {
        let settled = (node.ledger()).settle(&reservation, &LinkOutcome::Released, node.now);
        settled.await.unwrap();
    }
}

#[tokio::test]
async fn an_operators_word_wins_over_a_classification_with_a_stamp_far_ahead() {
    let mut house = House::open().await;
    for (number, stamp) in stamps_ahead().into_iter().enumerate() {
        let bill = bill(&format!("2026{number:02}"), "");
        classify(&house.one, &bill).await;
        house.forger().classify(&bill, stamp);
        let House { one, other, .. } = &house;
        assert!(one.view(&bill).await.error_bill && other.view(&bill).await.error_bill);
        clear(one, &bill).await;
        assert!(!one.view(&bill).await.error_bill, "{stamp:?}");
        assert!(!other.view(&bill).await.error_bill, "{stamp:?}");
        classify(other, &bill).await;
        assert!(one.view(&bill).await.error_bill, "{stamp:?}");
        clear(one, &bill).await;
        assert!(!other.view(&bill).await.error_bill, "{stamp:?}");
    }
    // No other bill is touched: both clocks are where they were.
    let untouched = bill("202701", "");
    for node in [&house.one, &house.other] {
        classify(node, &untouched).await;
        let limit = Timestamp::now().plus(Duration::from_mins(1));
        assert!(last_stamp(node, &untouched).await <= limit);
    }
    // It stays so after a wipe and a restart of both.
    house.until_all_is_shared().await;
    house.server.tell(&["FLUSHALL"]);
    house.one.restart().await;
    house.other.restart().await;
    house.until_all_is_shared().await;
    for number in 0..stamps_ahead().len() {
        let bill = bill(&format!("2026{number:02}"), "");
        for node in [&house.one, &house.other] {
            assert!(!node.view(&bill).await.error_bill, "{bill:?}");
        }
    }
}

#[tokio::test]
async fn a_link_with_a_stamp_far_ahead_neither_blocks_nor_opens_creates() {
    let house = House::open().await;
    let House { one, other, .. } = &house;
    for (number, stamp) in stamps_ahead().into_iter().enumerate() {
        let attempt = bill(&format!("2026{number:02}"), "");
        let open = Some((stamp, i64::MAX));
        house
            .forger()
            .link(&attempt, ForgedLink { open, closed: None });
        only_one_create_at_once(one, &attempt).await;
        only_one_create_at_once(other, &attempt).await;

        let closed = bill(&format!("2027{number:02}"), "");
        let link = ForgedLink {
            open: None,
            closed: Some(stamp),
        };
        house.forger().link(&closed, link);
        let reservation = one.reserve(&closed).await.unwrap();
        for node in [one, other] {
            let second = node.reserve(&closed).await;
            assert_eq!(second, Err(LinkRefusal::AlreadyLinked), "{stamp:?}");
        }
        let expire_at = KoreanTime::parse("20261231235959").unwrap();
        let outcome = LinkOutcome::Linked { expire_at };
        let settled = one.ledger().settle(&reservation, &outcome, one.now);
        settled.await.unwrap();
        for node in [one, other] {
            assert_eq!(node.find(&closed).await, Ok(closed.clone()), "{stamp:?}");
        }
    }
}

#[tokio::test]
async fn a_node_whose_clock_is_hours_ahead_and_another_agree_on_every_bill() {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let one = Node::on(&store).await;
    let clock = ledger::redis::WallClock(|| Timestamp::now().plus(Duration::from_hours(9)));
    let ahead = Node::by(&store, clock, one.now.plus(Duration::from_hours(9))).await;
    let bill = bill("202611", "");
    for _ in 0..2 {
        classify(&ahead, &bill).await;
        assert!(one.view(&bill).await.error_bill);
        clear(&one, &bill).await;
        assert!(!ahead.view(&bill).await.error_bill && !one.view(&bill).await.error_bill);
    }
    only_one_create_at_once(&ahead, &bill).await;
    let reservation = one.reserve(&bill).await.unwrap();
    assert_eq!(
        ahead.reserve(&bill).await,
        Err(LinkRefusal::AlreadyLinked),
        "{reservation:?}"
    );
}

/// Gives every fact of a journal the last stamp of all, as a version did that followed a forged one.
fn poison(node: &Node, to: i64) {
    let file = node.directory().join("journal.sqlite3");
    let journal = rusqlite::Connection::open(file).unwrap();
    let changed = journal.execute(
        "UPDATE fact SET stamp = ?1, attempt = CASE WHEN attempt IS NULL THEN NULL ELSE ?1 END",
        [to],
    );
    assert!(changed.unwrap() > 0);
    journal
        .execute("UPDATE node SET latest_stamp = ?1", [to])
        .unwrap();
}

#[tokio::test]
async fn a_journal_with_stamps_far_ahead_is_mended_at_the_start() {
    let server = Arc::new(RedisServer::start());
    for store in [Store::Embedded, Store::shared(&server)] {
        for (time, _) in stamps_ahead() {
            let mut node = Node::alone(&store).await;
            let (error_bill, paid, linked) =
                (bill("202611", ""), bill("202612", ""), bill("202701", ""));
            classify(&node, &error_bill).await;
            node.report(&paid, &pay("1", "20000")).await;
            node.link(&linked, "20261231235959").await.unwrap();
            node.stop();
            poison(&node, time);
            if matches!(store, Store::Shared(..)) {
                server.tell(&["FLUSHALL"]);
            }
            for round in 0..2 {
                node.restart().await;
                assert_eq!(
                    node.view(&error_bill).await.error_bill,
                    round == 0,
                    "{time}"
                );
                clear(&node, &error_bill).await;
                assert!(!node.view(&error_bill).await.error_bill, "{time}");
                only_one_create_at_once(&node, &bill("202702", "")).await;
                assert!(node.is_paid(&paid).await, "{time}");
                assert_eq!(node.reserve(&linked).await, Err(LinkRefusal::AlreadyLinked));
                let reported = node.report(&paid, &pay("1", "20000")).await;
                assert_eq!(reported, PaymentEffect::Repeated);
            }
            let fresh = bill("202703", "");
            classify(&node, &fresh).await;
            let limit = Timestamp::now().plus(Duration::from_mins(1));
            assert!(last_stamp(&node, &fresh).await <= limit);
        }
    }
}

/// A pay-result that was refused as unreadable, of which only a part is kept.
fn refused_in_part() -> RefusedPayResult {
    RefusedPayResult {
        biller: BillerCode::parse("B0001"),
        body: Bytes::from_static(b"refused"),
        is_whole: false,
        res_code: "E006".to_owned(),
        reason: "member-width".to_owned(),
        source: [127, 0, 0, 1].into(),
        request_id: "r".to_owned(),
    }
}

async fn keep_refused(node: &Node, bill: &Bill) -> MessageDigest {
    let kept = (node.ledger()).keep_refused(refused_in_part(), Some(bill), node.now);
    match kept.await {
        RefusedKept::Durable(message) => message,
        kept => panic!("{kept:?}"),
    }
}

async fn close_refused(node: &Node, message: MessageDigest) {
    let closing = RefusedClosing {
        outcome: RefusedOutcome::Closed,
        reason: "settled".to_owned(),
        operator: "kim".to_owned(),
    };
    let end = node.ledger().end_refused(message, closing, node.now).await;
    node.ledger().refused_ended(end.unwrap()).await.unwrap();
}

async fn close_all_undelivered(node: &Node) {
    for one in node.ledger().undelivered_payments(None).unwrap() {
        let said = ("booked by hand".to_owned(), "kim".to_owned());
        let message = MessageDigest::of(b"pay");
        let closed = node.ledger().close_payment(&one, message, said, node.now);
        closed.await.unwrap();
    }
}

/// Sets every fact of a journal ahead, as a node leaves them whose clock was.
fn set_ahead(node: &Node, by: Duration) {
    let file = node.directory().join("journal.sqlite3");
    let journal = rusqlite::Connection::open(file).unwrap();
    let by = i64::try_from(by.as_millis()).unwrap() << 20;
    let changed = journal.execute("UPDATE fact SET stamp = stamp + ?1", [by]);
    assert!(changed.unwrap() > 0);
    let changed = journal.execute("UPDATE node SET latest_stamp = latest_stamp + ?1", [by]);
    assert_eq!(changed.unwrap(), 1);
}

/// The clock was hours ahead and is right again: the bills' states are in the journal only, with stamps that the clock
/// does not follow.
#[tokio::test]
async fn what_an_operator_ends_stays_ended_and_what_opens_again_opens_where_stamps_are_ahead() {
    let mut node = Node::alone(&Store::Embedded).await;
    let (refused, undelivered) = (bill("202611", ""), bill("202612", ""));
    let message = keep_refused(&node, &refused).await;
    let (body, event) = (Bytes::from_static(b"pay"), pay("1", "20000"));
    let paid = MessageDigest::of(&body);
    node.record(&undelivered, &event, &body, paid).await;
    let outcome = DeliveryOutcome::Refused;
    let recorded =
        (node.ledger()).record_delivery(&undelivered, &event, paid.into(), outcome, node.now);
    recorded.await.unwrap();
    node.stop();
    set_ahead(&node, Duration::from_hours(2));
    node.restart().await;
    close_refused(&node, message).await;
    close_all_undelivered(&node).await;
    for _ in 0..2 {
        assert!(!node.view(&refused).await.error_bill);
        assert_eq!(node.ledger().undelivered(), 0);
        let listed = node.ledger().undelivered_payments(None).unwrap();
        assert!(listed.is_empty(), "{listed:?}");
        node.restart().await;
    }
    keep_refused(&node, &refused).await;
    for _ in 0..2 {
        assert!(node.view(&refused).await.error_bill);
        let findings = node.ledger().verify().await.unwrap().audit.findings;
        assert!(findings.is_empty(), "{findings:?}");
        node.restart().await;
    }
}
