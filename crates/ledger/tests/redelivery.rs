//! Whether a pay-result may be delivered again, from the facts of all nodes.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger::{
    Cancellation, DeliveryOutcome, DeliveryTurn, MessageDigest, Redelivery, SkipCancelled,
    WithoutRedis,
};
use protocol::{Bill, PaymentEvent};
use support::{Node, Store, bill, cancel, eventually, pay};
use test_support::RedisServer;

const BODY: &[u8] = b"{\"pay\":1}";

async fn refused(node: &Node, bill: &Bill, event: &PaymentEvent) {
    let (body, message) = (Bytes::from_static(BODY), MessageDigest::of(BODY));
    node.record(bill, event, &body, message).await;
    node.ledger()
        .record_delivery(
            bill,
            event,
            message.into(),
            DeliveryOutcome::Refused,
            node.now,
        )
        .await
        .unwrap();
}

/// Whether a bill's payment may be delivered again; with Redis, or alone where an operator says so.
async fn redelivery_by(
    node: &Node,
    bill: &Bill,
    (skip, without_redis): (SkipCancelled, WithoutRedis),
) -> Redelivery {
    let message = MessageDigest::of(BODY);
    let lasts = Duration::from_mins(1);
    let ledger = node.ledger();
    let turn = ledger.lease_delivery(bill.biller_code(), message, lasts, without_redis);
    let lease = match turn.await {
        DeliveryTurn::Granted(lease) => lease,
        DeliveryTurn::OutOfReach => return Redelivery::OutOfReach,
        DeliveryTurn::HeldElsewhere => panic!("nobody else delivers it"),
    };
    let undelivered = node.ledger().undelivered_payments(None).unwrap();
    let one = undelivered.iter().find(|one| one.bill == *bill).unwrap();
    let redelivery = ledger.redelivery(one, message, skip, &lease, node.now);
    let redelivery = redelivery.await.unwrap();
    lease.give_up().await;
    redelivery
}

async fn redelivery(node: &Node, bill: &Bill, skip: SkipCancelled) -> Redelivery {
    redelivery_by(node, bill, (skip, WithoutRedis::Waits)).await
}

fn tell(cancelled: Cancellation) -> Redelivery {
    Redelivery::Allowed {
        body: Bytes::from_static(BODY),
        cancelled,
    }
}

#[tokio::test]
async fn what_kakao_pay_cancelled_through_another_node_is_not_delivered() {
    use SkipCancelled::{AnyPart, Fully, Never};
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let (one, other) = (Node::on(&store).await, Node::on(&store).await);
    // cancelled through the other node | kind of redelivery | what this node does
    let table = [
        (None, AnyPart, tell(Cancellation::No)),
        (Some("-5000"), AnyPart, Redelivery::Cancelled),
        (Some("-5000"), Fully, tell(Cancellation::InPart)),
        (Some("-20000"), AnyPart, Redelivery::Cancelled),
        (Some("-20000"), Fully, Redelivery::Cancelled),
        (Some("-20000"), Never, tell(Cancellation::Fully)),
    ];
    for (number, (amount, skip, expected)) in table.into_iter().enumerate() {
        let bill = bill(&format!("{:06}", 202_001 + number), "");
        refused(&one, &bill, &pay("1", "20000")).await;
        if let Some(amount) = amount {
            other.report(&bill, &cancel("1", amount)).await;
        }
        assert_eq!(
            redelivery(&one, &bill, skip).await,
            expected,
            "{amount:?} {skip:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_redelivered_periodically_while_a_cancel_may_be_unknown() {
    let server = Arc::new(RedisServer::start());
    let one = Node::on(&Store::shared(&server)).await;
    let bill = bill("202611", "");
    refused(&one, &bill, &pay("1", "20000")).await;
    server.kill();
    eventually(async || {
        redelivery(&one, &bill, SkipCancelled::AnyPart).await == Redelivery::OutOfReach
    })
    .await;
    let named = redelivery(&one, &bill, SkipCancelled::Never).await;
    assert_eq!(named, Redelivery::OutOfReach);
    // That nobody else delivers it is the operator's word.
    let alone = (SkipCancelled::Never, WithoutRedis::GoesOn);
    let alone = redelivery_by(&one, &bill, alone).await;
    assert_eq!(alone, tell(Cancellation::No));
}

#[tokio::test]
async fn nothing_is_redelivered_periodically_while_the_other_nodes_cannot_share_cancels() {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let (one, other) = (Node::on(&store).await, Node::on(&store).await);
    let bill = bill("202611", "");
    refused(&one, &bill, &pay("1", "20000")).await;
    server.tell(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    other.report(&bill, &cancel("1", "-20000")).await;
    // Redis is read and has no cancel.
    eventually(async || {
        redelivery(&one, &bill, SkipCancelled::AnyPart).await == Redelivery::OutOfReach
    })
    .await;
    assert!(one.is_paid(&bill).await);
    server.tell(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    eventually(async || {
        redelivery(&one, &bill, SkipCancelled::AnyPart).await == Redelivery::Cancelled
    })
    .await;
}
