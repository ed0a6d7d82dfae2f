//! Any node answers for any payment: whose turn a redelivery is, one delivery at a time, and payments of nodes that are
//! gone; with real Redis servers.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger::{
    Claim, DeliveryLease, DeliveryOutcome, DeliveryState, DeliveryTurn, EventDelivery, KeptAnswer,
    MessageDigest, RecordOutcome, Redelivery, SkipCancelled, WithoutRedis,
};
use protocol::Bill;
use support::{Node, Store, bill, eventually, pay};
use test_support::RedisServer;

const BODY: &[u8] = b"{\"pay\":1}";

/// Longer than any test of these.
const LASTS: Duration = Duration::from_mins(1);

async fn three() -> (Arc<RedisServer>, [Node; 3]) {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let nodes = [
        Node::on(&store).await,
        Node::on(&store).await,
        Node::on(&store).await,
    ];
    (server, nodes)
}

/// Takes a payment, and leaves it as a node does that dies before its biller answers.
async fn take(node: &Node, bill: &Bill) {
    let (body, message) = (Bytes::from_static(BODY), MessageDigest::of(BODY));
    node.record(bill, &pay("1", "20000"), &body, message).await;
}

async fn deliver(node: &Node, bill: &Bill, outcome: DeliveryOutcome) {
    let message = MessageDigest::of(BODY).into();
    let event = pay("1", "20000");
    let recorded = (node.ledger()).record_delivery(bill, &event, message, outcome, node.now);
    recorded.await.unwrap();
}

fn accepted() -> DeliveryOutcome {
    DeliveryOutcome::Accepted(KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    })
}

fn undelivered(node: &Node) -> Vec<EventDelivery> {
    node.ledger().undelivered_payments(None).unwrap()
}

/// The bills of the undelivered events that fall to a node.
fn turns(node: &Node) -> Vec<Bill> {
    let own = node.ledger().own_turns(undelivered(node)).unwrap();
    own.map(|one| one.bill).collect()
}

async fn lease(node: &Node, without_redis: WithoutRedis) -> DeliveryTurn {
    let biller = bill("202611", "").biller_code();
    let message = MessageDigest::of(BODY);
    let ledger = node.ledger();
    ledger
        .lease_delivery(biller, message, LASTS, without_redis)
        .await
}

async fn granted(node: &Node) -> DeliveryLease {
    match lease(node, WithoutRedis::Waits).await {
        DeliveryTurn::Granted(lease) => lease,
        other => panic!("{other:?}"),
    }
}

async fn redelivery(node: &Node, one: &EventDelivery, lease: &DeliveryLease) -> Redelivery {
    let message = MessageDigest::of(BODY);
    let skip = SkipCancelled::Never;
    let redelivery = (node.ledger()).redelivery(one, message, skip, lease, node.now);
    redelivery.await.unwrap()
}

#[tokio::test]
async fn a_redelivery_falls_to_the_author_and_to_the_lowest_running_node_once_that_is_gone() {
    let (_server, mut nodes) = three().await;
    nodes.sort_by_key(|node| node.ledger().node());
    let bills = ["202611", "202612", "202701"].map(|month| bill(month, ""));
    for (node, bill) in nodes.iter().zip(&bills) {
        take(node, bill).await;
        deliver(node, bill, DeliveryOutcome::Refused).await;
    }
    for (node, bill) in nodes.iter().zip(&bills) {
        eventually(async || undelivered(node).len() == 3).await;
        assert_eq!(turns(node), std::slice::from_ref(bill));
    }
    // The one in the middle ends: for a while it is nobody's turn, then that of the first.
    let [mut first, mut middle, last] = nodes;
    middle.stop();
    assert!(!turns(&last).contains(&bills[1]));
    assert!(!turns(&first).contains(&bills[1]));
    first.takes_over_after = Duration::from_secs(1);
    first.restart().await;
    eventually(async || turns(&first) == bills[..2]).await;
    assert_eq!(turns(&last), bills[2..]);
    // It comes back with what it took.
    middle.restart().await;
    eventually(async || turns(&first) == bills[..1]).await;
    assert_eq!(turns(&middle), bills[1..2]);
}

#[tokio::test]
async fn one_node_delivers_at_a_time_and_nothing_that_was_accepted_meanwhile() {
    let (_server, [one, two, _]) = three().await;
    let paid = bill("202611", "");
    take(&one, &paid).await;
    deliver(&one, &paid, DeliveryOutcome::Refused).await;
    eventually(async || undelivered(&two).len() == 1).await;
    let on_two = undelivered(&two).remove(0);
    let held = granted(&one).await;
    let turn = lease(&two, WithoutRedis::GoesOn).await;
    assert!(matches!(turn, DeliveryTurn::HeldElsewhere), "{turn:?}");
    let on_one = undelivered(&one).remove(0);
    let allowed = redelivery(&one, &on_one, &held).await;
    assert!(matches!(allowed, Redelivery::Allowed { .. }), "{allowed:?}");
    let message = MessageDigest::of(BODY).into();
    let event = (&paid, &on_one.event);
    let recorded = (one.ledger()).record_leased_delivery(held, event, message, accepted(), one.now);
    recorded.await.unwrap();
    // Given up at once, and what was accepted is known although the list of before says otherwise.
    let held = granted(&two).await;
    assert_eq!(redelivery(&two, &on_two, &held).await, Redelivery::Accepted);
    held.give_up().await;
    eventually(async || undelivered(&two).is_empty()).await;
}

#[tokio::test]
async fn a_lease_ends_by_itself_and_what_no_node_wrote_is_none() {
    let (server, [one, two, _]) = three().await;
    let biller = bill("202611", "").biller_code();
    let message = MessageDigest::of(BODY);
    let short = Duration::from_millis(50);
    let turn = (one.ledger()).lease_delivery(biller, message, short, WithoutRedis::Waits);
    let turn = turn.await;
    assert!(matches!(turn, DeliveryTurn::Granted(_)), "{turn:?}");
    eventually(async || {
        matches!(
            lease(&two, WithoutRedis::Waits).await,
            DeliveryTurn::Granted(_)
        )
    })
    .await;
    // The names of keys are no text.
    let with_key = |script: &str| {
        let script = format!("local keys = redis.call('KEYS', '*}}:d:*'); {script}");
        server.number(&["EVAL", &script, "0"])
    };
    assert_eq!(with_key("return #keys"), 1);
    with_key("redis.call('SET', keys[1], 'forged'); return 0");
    drop(granted(&one).await);
    assert!(with_key("return redis.call('PTTL', keys[1])") > 0);
}

#[tokio::test]
async fn without_redis_only_an_operator_who_says_so_delivers() {
    let (server, [one, ..]) = three().await;
    let paid = bill("202611", "");
    take(&one, &paid).await;
    deliver(&one, &paid, DeliveryOutcome::Refused).await;
    let before = granted(&one).await;
    server.kill();
    eventually(async || {
        matches!(
            lease(&one, WithoutRedis::Waits).await,
            DeliveryTurn::OutOfReach
        )
    })
    .await;
    let on_one = undelivered(&one).remove(0);
    // Redis was lost after the lease was taken: what others accepted cannot be looked up.
    assert_eq!(
        redelivery(&one, &on_one, &before).await,
        Redelivery::OutOfReach
    );
    let DeliveryTurn::Granted(alone) = lease(&one, WithoutRedis::GoesOn).await else {
        panic!("an operator said so");
    };
    let allowed = redelivery(&one, &on_one, &alone).await;
    assert!(matches!(allowed, Redelivery::Allowed { .. }), "{allowed:?}");
}

#[tokio::test]
async fn a_payment_whose_author_died_before_the_delivery_is_listed_and_falls_to_another_node() {
    let (_server, [one, mut two, mut three]) = three().await;
    let bills = ["202611", "202612"].map(|month| bill(month, ""));
    take(&one, &bills[0]).await;
    take(&one, &bills[1]).await;
    eventually(async || two.is_paid(&bills[1]).await && three.is_paid(&bills[1]).await).await;
    // While it runs it may yet hear from the biller.
    for node in [&mut two, &mut three] {
        node.takes_over_after = Duration::from_millis(500);
        node.restart().await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(undelivered(&two).is_empty() && undelivered(&three).is_empty());
    drop(one);
    for node in [&two, &three] {
        eventually(async || undelivered(node).len() == 2 && node.ledger().undelivered() == 2).await;
        let states: Vec<_> = undelivered(node).iter().map(|one| one.state).collect();
        assert_eq!(states, [DeliveryState::Unknown; 2]);
    }
    let (first, second) = if two.ledger().node() < three.ledger().node() {
        (&two, &three)
    } else {
        (&three, &two)
    };
    assert_eq!((turns(first).len(), turns(second).len()), (2, 0));
    // One of them said so, once for each.
    let history = first.ledger().history(&bills[0]).await.unwrap();
    assert_eq!(history.facts.facts.len(), 2, "{history:?}");
    let held = granted(second).await;
    let on_second = undelivered(second).remove(0);
    let allowed = redelivery(second, &on_second, &held).await;
    let Redelivery::Allowed { body, .. } = allowed else {
        panic!("{allowed:?}");
    };
    assert_eq!(body, BODY, "the bytes are here, too");
}

#[tokio::test]
async fn a_copy_waits_while_another_node_delivers_the_pay_result() {
    let (_server, [one, two, _]) = three().await;
    let paid = bill("202611", "");
    take(&one, &paid).await;
    deliver(&one, &paid, DeliveryOutcome::Refused).await;
    eventually(async || two.is_paid(&paid).await).await;
    eventually(async || two.ledger().nodes().await.unwrap().unwrap().len() == 3).await;
    let held = granted(&one).await;
    let message = MessageDigest::of(BODY);
    let event = pay("1", "20000");
    let claim = two.ledger().claim(&paid, &event, message).await;
    assert!(matches!(claim, Claim::Granted(_)), "{claim:?}");
    let body = Bytes::from_static(BODY);
    let copy = two.begin(&paid, &event, &body, message);
    tokio::pin!(copy);
    let early = tokio::time::timeout(Duration::from_millis(500), &mut copy).await;
    assert!(early.is_err(), "{early:?}");
    let recorded = (one.ledger()).record_leased_delivery(
        held,
        (&paid, &event),
        message.into(),
        accepted(),
        one.now,
    );
    recorded.await.unwrap();
    let outcome = copy.await;
    assert!(
        matches!(outcome, RecordOutcome::AcceptedElsewhere { .. }),
        "{outcome:?}"
    );
}
