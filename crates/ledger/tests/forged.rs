//! Values in Redis that no node wrote: with a key they make nothing paid, and nothing unpaid.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;

use bytes::Bytes;
use ledger::{DeliveryOutcome, KeptAnswer, MessageDigest, RecordOutcome};
use support::forgery::{ForgedCancel, Forger};
use support::{Node, Store, bill, cancel, eventually, pay};
use test_support::RedisServer;

const PREFIX: &str = "forged";

const CANCEL: ForgedCancel = ForgedCancel {
    pay_id: 1,
    paid_at: 20_261_124_130_000,
    won: 20_000,
};

fn keyed(server: &Arc<RedisServer>, secret: &'static str) -> Store {
    Store::Keyed(Arc::clone(server), PREFIX.to_owned(), secret)
}

fn unkeyed(server: &Arc<RedisServer>) -> Store {
    Store::Shared(Arc::clone(server), PREFIX.to_owned())
}

#[tokio::test]
async fn a_forged_cancel_opens_no_bill_and_a_cancel_of_another_node_does() {
    let server = Arc::new(RedisServer::start());
    let store = keyed(&server, "a secret of the nodes");
    let (one, other) = (Node::on(&store).await, Node::on(&store).await);
    let bill = bill("202611", "");
    one.report(&bill, &pay("1", "20000")).await;
    let forger = Forger {
        server: &server,
        prefix: PREFIX,
    };
    forger.cancel(&bill, CANCEL);
    assert!(one.is_paid(&bill).await);
    // What the payment's node writes next brings it back for the others too.
    one.report(&bill, &pay("1", "20000")).await;
    assert!(one.is_paid(&bill).await && other.is_paid(&bill).await);
    other.report(&bill, &cancel("1", "-20000")).await;
    assert!(!one.is_paid(&bill).await && !other.is_paid(&bill).await);
}

#[tokio::test]
async fn a_value_that_was_moved_or_has_another_key_makes_nothing_paid() {
    let server = Arc::new(RedisServer::start());
    let node = Node::on(&keyed(&server, "a secret of the nodes")).await;
    let stranger = Node::on(&keyed(&server, "another secret")).await;
    let (paid, free) = (bill("202611", ""), bill("202612", ""));
    stranger.report(&paid, &pay("1", "20000")).await;
    assert!(!node.is_paid(&paid).await);
    node.report(&paid, &pay("1", "20000")).await;
    let key = |bill: &protocol::Bill| format!("{PREFIX}:{{B0001}}:b:{}", bill.key());
    server.tell(&["COPY", &key(&paid), &key(&free), "REPLACE"]);
    assert!(node.is_paid(&paid).await && !node.is_paid(&free).await);
}

#[tokio::test]
async fn a_forged_acceptance_keeps_no_pay_result_from_its_biller() {
    let server = Arc::new(RedisServer::start());
    let node = Node::on(&keyed(&server, "a secret of the nodes")).await;
    let stranger = Node::on(&unkeyed(&server)).await;
    let (bill, event) = (bill("202611", ""), pay("1", "20000"));
    let body = Bytes::from_static(b"{}");
    let message = MessageDigest::of(&body);
    stranger.record(&bill, &event, &body, message).await;
    let answer = KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    let accepted = DeliveryOutcome::Accepted(answer);
    let told =
        (stranger.ledger()).record_delivery(&bill, &event, message.into(), accepted, stranger.now);
    told.await.unwrap();
    let recorded = node.begin(&bill, &event, &body, message).await;
    assert!(matches!(recorded, RecordOutcome::Recorded(_)));
}

#[tokio::test]
async fn nodes_are_given_the_key_one_after_the_other_and_have_every_fact_again() {
    let server = Arc::new(RedisServer::start());
    let (mut one, mut other) = (
        Node::on(&unkeyed(&server)).await,
        Node::on(&unkeyed(&server)).await,
    );
    let (first, second) = (bill("202611", ""), bill("202612", ""));
    one.report(&first, &pay("1", "20000")).await;
    other.report(&second, &pay("2", "20000")).await;
    for node in [&mut one, &mut other] {
        node.restart_on(&keyed(&server, "a secret of the nodes"))
            .await;
    }
    for node in [&one, &other] {
        eventually(async || node.is_paid(&first).await && node.is_paid(&second).await).await;
    }
}
