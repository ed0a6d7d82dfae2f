//! A payment is queued for the journal before any wait; facts from Redis can only add to it.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger::{
    Claim, DeliveryOutcome, KeptAnswer, Ledger, MessageDigest, Options, PaymentEffect,
    RecordOutcome,
};
use protocol::PaymentEvent;
use support::{Node, Store, bill, cancel, pay, time};
use test_support::RedisServer;

async fn two_nodes() -> (Arc<RedisServer>, Node, Node) {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let (one, other) = (Node::on(&store).await, Node::on(&store).await);
    (server, one, other)
}

/// Returns the number of payments in a journal whose bytes are stored.
fn payments(directory: &Path) -> i64 {
    let journal = rusqlite::Connection::open(directory.join("journal.sqlite3")).unwrap();
    let query = "SELECT count(*) FROM facts JOIN messages USING (biller_code, message)
                 WHERE kind = 'payment' AND body IS NOT NULL";
    journal.query_row(query, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_payment_is_journalled_also_if_its_call_is_abandoned() {
    let (server, mut one, _) = two_nodes().await;
    let bill = bill("202611", "");
    server.signal("STOP");
    let record = |event: &PaymentEvent, body: &'static [u8]| {
        let (body, message) = (Bytes::from_static(body), MessageDigest::of(body));
        one.ledger()
            .record_payment(&bill, event, &body, message.into(), one.now)
    };
    // Its budget is nearly over, and Redis does not answer.
    let hurried = record(&pay("1", "20000"), b"{\"hurried\":1}");
    let waited = tokio::time::timeout(Duration::from_millis(1), hurried).await;
    assert!(waited.is_err(), "Redis was to hang");
    // Its budget is over, so that there is no wait at all.
    drop(record(&pay("2", "20000"), b"{\"hurried\":2}"));
    one.stop();
    assert_eq!(payments(one.directory()), 2);
    server.signal("CONT");
    one.restart().await;
    assert!(one.is_paid(&bill).await);
}

#[tokio::test]
async fn a_mark_ends_when_the_link_does_that_another_node_made() {
    let (_server, one, mut other) = two_nodes().await;
    let bill = bill("", "");
    one.link(&bill, "20261231235959").await.unwrap();
    assert_eq!(
        other.report(&bill, &pay("1", "20000")).await,
        PaymentEffect::New
    );
    let is_paid_on_both = async |at| {
        let (one, other) = (one.ledger(), other.ledger());
        (
            one.look_up(&bill, at).await.unwrap().paid,
            other.look_up(&bill, at).await.unwrap().paid,
        )
    };
    let (in_force, ended) = (time("20261231235958"), time("20270101000000"));
    assert_eq!(is_paid_on_both(in_force).await, (true, true));
    assert_eq!(is_paid_on_both(ended).await, (false, false));

    // The journal of the node that took it is enough.
    other.stop();
    let alone = Options::embedded(other.directory().to_path_buf());
    let alone = Ledger::open(&alone, other.now).unwrap();
    assert!(alone.look_up(&bill, in_force).await.unwrap().paid);
    assert!(!alone.look_up(&bill, ended).await.unwrap().paid);
}

#[tokio::test]
async fn a_bill_that_another_node_reopened_is_paid_once_and_no_error_bill() {
    let (_server, one, other) = two_nodes().await;
    let bill = bill("202611", "");
    one.report(&bill, &pay("1", "20000")).await;
    other.report(&bill, &cancel("1", "-20000")).await;
    assert_eq!(
        one.report(&bill, &pay("2", "20000")).await,
        PaymentEffect::New
    );
    assert!(!one.view(&bill).await.error_bill && !other.view(&bill).await.error_bill);
}

#[tokio::test]
async fn a_kept_answer_of_another_node_is_kept_here_too() {
    let (server, one, mut other) = two_nodes().await;
    let bill = bill("202611", "");
    let (event, body) = (pay("1", "20000"), Bytes::from_static(b"{}"));
    let message = MessageDigest::of(&body);
    let kept = KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    one.record(&bill, &event, &body, message).await;
    one.ledger()
        .record_delivery(
            &bill,
            &event,
            message.into(),
            DeliveryOutcome::Accepted(kept),
            one.now,
        )
        .await
        .unwrap();
    let begun = other.begin(&bill, &event, &body, message).await;
    assert!(
        matches!(begun, RecordOutcome::AcceptedElsewhere { .. }),
        "{begun:?}"
    );
    assert_eq!(other.ledger().undelivered(), 0);

    // Without Redis, and after a restart.
    other.stop();
    server.kill();
    let alone = Options::embedded(other.directory().to_path_buf());
    let alone = Ledger::open(&alone, other.now).unwrap();
    let claim = alone.claim(&bill, &event, message).await;
    assert!(matches!(claim, Claim::Accepted { .. }), "{claim:?}");
    assert_eq!(alone.undelivered(), 0);
}
