//! The values in Redis: one per bill, small ones for the questions about several bills, and those of nodes of before.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;

use ledger::{LinkOutcome, LinkRefusal, Timestamp};
use protocol::{Bill, BillerCode, KoreanTime};
use support::{Node, Store, bill, cancel, eventually, pay};
use test_support::RedisServer;

const PREFIX: &str = "values";

fn store(server: &Arc<RedisServer>) -> Store {
    Store::Shared(Arc::clone(server), PREFIX.to_owned())
}

fn linked() -> LinkOutcome {
    let expire_at = KoreanTime::parse("20261130235959").unwrap();
    LinkOutcome::Linked { expire_at }
}

/// Returns the names of a biller's keys of these kinds.
fn keys(server: &RedisServer, kinds: &[&str]) -> Vec<String> {
    let named = |kind: &&str| server.words(&["KEYS", &format!("{PREFIX}:{{B0001}}:{kind}:*")]);
    kinds.iter().flat_map(named).collect()
}

fn delete(server: &RedisServer, kinds: &[&str]) {
    for key in keys(server, kinds) {
        server.tell(&["DEL", &key]);
    }
}

fn largest(server: &RedisServer, kinds: &[&str]) -> i64 {
    let length = |key: String| server.ask_text(&["STRLEN", &key]).parse::<i64>().unwrap();
    keys(server, kinds).into_iter().map(length).max().unwrap()
}

#[tokio::test]
async fn many_links_in_one_group_make_no_value_larger_and_the_questions_have_their_answers() {
    let server = Arc::new(RedisServer::start());
    let (one, other) = (
        Node::on(&store(&server)).await,
        Node::on(&store(&server)).await,
    );
    for number in 0..300 {
        let bill = bill("202611", &format!("N{number}"));
        one.create(&bill, linked()).await.unwrap();
        if number == 0 {
            // The only one of the group is the one that is meant.
            let keyless = support::bill("202611", "");
            assert_eq!(other.find(&keyless).await, Ok(bill));
            assert_eq!(one.find(&keyless).await, other.find(&keyless).await);
        }
    }
    let state = largest(&server, &["b"]);
    assert!(
        largest(&server, &["g", "k"]) < 200 && state < 200,
        "{state}"
    );
    for node in [&one, &other] {
        let keyless = bill("202611", "");
        assert_eq!(
            node.reserve(&keyless).await,
            Err(LinkRefusal::NoticeKeyNeeded)
        );
        assert_eq!(node.find(&keyless).await, Err(LinkRefusal::NoticeKeyNeeded));
        for number in [0, 1, 2, 299] {
            let key = format!("N{number}");
            let same = bill("202611", &key);
            assert_eq!(node.reserve(&same).await, Err(LinkRefusal::AlreadyLinked));
            let taken = node.reserve(&bill("202612", &key)).await;
            assert_eq!(taken, Err(LinkRefusal::NoticeKeyTaken));
        }
    }
}

#[tokio::test]
async fn redis_lacks_nothing_of_bills_with_links_and_payments() {
    let server = Arc::new(RedisServer::start());
    let node = Node::on(&store(&server)).await;
    for notice_key in ["", "N1", "N2", "N3"] {
        let bill = bill("202611", notice_key);
        node.create(&bill, linked()).await.unwrap();
        node.report(&bill, &pay("1", "20000")).await;
    }
    eventually(async || node.ledger().unshared() == 0).await;
    let difference = node
        .ledger()
        .verify()
        .await
        .unwrap()
        .redis
        .unwrap()
        .unwrap();
    assert!(difference.is_none(), "{difference:?}");
}

#[tokio::test]
async fn links_of_one_group_at_once_do_not_keep_each_other_out() {
    let server = Arc::new(RedisServer::start());
    let node = Node::on(&store(&server)).await;
    for number in 0..2 {
        let bill = bill("202611", &format!("N{number}"));
        node.create(&bill, linked()).await.unwrap();
    }
    let create = async |number: usize| {
        let bill = bill("202611", &format!("M{number}"));
        node.create(&bill, linked()).await
    };
    let created = futures_util::future::join_all((0..64).map(create)).await;
    assert!(created.iter().all(Result::is_ok), "{created:?}");
}

#[tokio::test]
async fn refused_links_under_one_notice_key_leave_nothing_in_its_value() {
    let server = Arc::new(RedisServer::start());
    let node = Node::on(&store(&server)).await;
    for number in 0..100 {
        let biller = BillerCode::parse("B0001").unwrap();
        let customer = format!("U{number}");
        let bill = Bill::from_parts(biller, &customer, "202611", "", "N", &[]);
        node.create(&bill, LinkOutcome::Released).await.unwrap();
    }
    assert!(largest(&server, &["k"]) <= 2);
    node.create(&bill("202611", "N"), linked()).await.unwrap();
}

#[tokio::test]
async fn an_error_bill_that_a_recreation_means_is_one_on_every_node() {
    let server = Arc::new(RedisServer::start());
    let (one, other) = (
        Node::on(&store(&server)).await,
        Node::on(&store(&server)).await,
    );
    let named = bill("202611", "N");
    one.create(&named, linked()).await.unwrap();
    one.report(&named, &pay("1", "20000")).await;
    one.report(&named, &pay("2", "20000")).await;
    for node in [&one, &other] {
        let found = node.find(&bill("202611", "")).await;
        assert_eq!(found, Err(LinkRefusal::ErrorBill));
    }
}

#[tokio::test]
async fn a_payment_under_another_identity_is_known_on_every_node() {
    let server = Arc::new(RedisServer::start());
    let (one, other) = (
        Node::on(&store(&server)).await,
        Node::on(&store(&server)).await,
    );
    let biller = BillerCode::parse("B0001").unwrap();
    let bill = |notice_key: &str, identity: &[(&str, &str)]| {
        Bill::from_parts(biller, "U", "202611", "", notice_key, identity)
    };
    let later = Timestamp::from_millis(one.now.millis() + 1);
    for notice_key in ["", "N"] {
        let (paid, plain) = (bill(notice_key, &[("seq", "1")]), bill(notice_key, &[]));
        let asked = bill(notice_key, &[("seq", "2")]);
        let is_paid = async |node: &Node, bill: &Bill| {
            let paid = (node.ledger()).is_paid_under_another_identity(bill, later, node.now);
            paid.await.unwrap()
        };
        assert!(!is_paid(&other, &asked).await);
        one.report(&paid, &pay("1", "20000")).await;
        for node in [&one, &other] {
            assert!(is_paid(node, &asked).await && is_paid(node, &plain).await);
        }
        // A cancel under the identity of today is one of that payment.
        other.report(&plain, &cancel("1", "20000")).await;
        for node in [&one, &other] {
            assert!(!is_paid(node, &asked).await && !is_paid(node, &plain).await);
        }
    }
}

/// What nodes of before would have left in Redis.
fn nodes_of_before_were_there(server: &RedisServer) {
    server.tell(&["SET", &format!("{PREFIX}:epoch"), "0123456789abcdef"]);
}

#[tokio::test]
async fn values_of_before_are_read_and_written_until_all_nodes_are_replaced() {
    let server = Arc::new(RedisServer::start());
    nodes_of_before_were_there(&server);
    let one = Node::on(&store(&server)).await;
    let (paid, linked_one) = (bill("202611", "N1"), bill("202612", "N2"));
    one.report(&paid, &pay("1", "20000")).await;
    one.create(&linked_one, linked()).await.unwrap();
    // Only the values of before are left, as if a node of before had written them.
    delete(&server, &["b", "g", "k"]);
    let other = Node::on(&store(&server)).await;
    assert!(other.is_paid(&paid).await);
    assert_eq!(
        other.reserve(&linked_one).await,
        Err(LinkRefusal::AlreadyLinked)
    );
    assert_eq!(
        other.reserve(&bill("202701", "N2")).await,
        Err(LinkRefusal::NoticeKeyTaken)
    );
    assert_eq!(
        other.find(&bill("202612", "")).await,
        Ok(linked_one.clone())
    );
    // What this node writes has them too.
    other.report(&paid, &cancel("1", "20000")).await;
    delete(&server, &["f", "n"]);
    assert!(!one.is_paid(&paid).await);
}

#[tokio::test]
async fn a_day_after_the_first_node_came_values_of_before_are_left_alone() {
    let server = Arc::new(RedisServer::start());
    nodes_of_before_were_there(&server);
    let began = Timestamp::now().millis() - 25 * 60 * 60 * 1_000;
    let epoch = format!("0123456789abcdef@{began}");
    server.tell(&["SET", &format!("{PREFIX}:epoch2"), &epoch]);
    let node = Node::on(&store(&server)).await;
    node.report(&bill("202611", "N1"), &pay("1", "20000")).await;
    node.create(&bill("202612", "N2"), linked()).await.unwrap();
    assert_eq!(keys(&server, &["f", "n"]), Vec::<String>::new());
}

#[tokio::test]
async fn a_node_with_other_values_writes_every_fact_again() {
    let server = Arc::new(RedisServer::start());
    let mut node = Node::on(&store(&server)).await;
    let paid = bill("202611", "N1");
    node.report(&paid, &pay("1", "20000")).await;
    eventually(async || node.ledger().unshared() == 0).await;
    node.stop();
    // As a version before would have left it: its values, and its mark.
    delete(&server, &["b"]);
    server.tell(&["DEL", &format!("{PREFIX}:epoch2")]);
    nodes_of_before_were_there(&server);
    node.restart().await;
    eventually(async || !keys(&server, &["b"]).is_empty()).await;
    assert_eq!(keys(&server, &["f"]).len(), 1);
}
