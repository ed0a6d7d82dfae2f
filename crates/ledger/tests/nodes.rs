//! Two nodes on one Redis: each has the other's facts, and data that Redis loses is restored.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use ledger::redis::WallClock;
use ledger::{
    Claim, DeliveryOutcome, Digests, KeptAnswer, LinkOutcome, LinkRefusal, MessageDigest,
    PaymentEffect, RecordOutcome, Timestamp,
};
use protocol::{Bill, BillerCode, CanonicalDigest, KoreanTime, PaymentEvent};
use support::{Node, Store, bill, cancel, eventually, pay};
use test_support::RedisServer;

struct House {
    server: Arc<RedisServer>,
    one: Node,
    other: Node,
}

impl House {
    async fn open() -> Self {
        let server = Arc::new(RedisServer::start());
        let store = Store::shared(&server);
        Self {
            one: Node::on(&store).await,
            other: Node::on(&store).await,
            server,
        }
    }

    /// Stops Redis and waits until both nodes have noticed.
    async fn lose_redis(&self) {
        self.server.kill();
        let any = bill("202611", "");
        for node in [&self.one, &self.other] {
            eventually(async || node.find(&any).await == Err(LinkRefusal::Unavailable)).await;
        }
    }

    async fn until_all_is_shared(&self) {
        let shared = |node: &Node| node.ledger().unshared() == 0;
        eventually(async || shared(&self.one) && shared(&self.other)).await;
    }

    /// Waits until Redis has the facts of both nodes; after a wipe, once both have noticed it.
    async fn until_redis_has_all(&self) {
        for node in [&self.one, &self.other] {
            let has_all = async || {
                let verified = node.ledger().verify().await.unwrap();
                matches!(verified.redis, Some(Ok(difference)) if difference.is_none())
            };
            eventually(has_all).await;
        }
    }
}

#[tokio::test]
async fn a_link_made_on_one_node_is_made_on_both() {
    let House { one, other, .. } = House::open().await;
    let made = bill("202611", "N1");
    let reservation = one.reserve(&made).await.unwrap();
    assert_eq!(other.reserve(&made).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(other.find(&made).await, Err(LinkRefusal::NotRegistered));
    let expire_at = KoreanTime::parse("20261130235959").unwrap();
    let outcome = LinkOutcome::Linked { expire_at };
    one.ledger()
        .settle(&reservation, &outcome, one.now)
        .await
        .unwrap();
    assert_eq!(other.reserve(&made).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(
        other.reserve(&bill("202612", "N1")).await,
        Err(LinkRefusal::NoticeKeyTaken)
    );
    assert_eq!(other.find(&bill("202611", "")).await, Ok(made));
}

#[tokio::test]
async fn of_two_nodes_that_reserve_one_bill_at_once_only_one_may() {
    let House { one, other, .. } = House::open().await;
    for month in 0..50 {
        let bill = bill(&format!("{:06}", 202_000 + month), "");
        let (first, second) = tokio::join!(one.reserve(&bill), other.reserve(&bill));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
}

#[tokio::test]
async fn a_reservation_of_a_killed_node_is_unknown_to_the_other_after_the_budget() {
    let House { one, mut other, .. } = House::open().await;
    let bill = bill("202611", "");
    drop(one.reserve(&bill).await.unwrap());
    drop(one);
    assert_eq!(other.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    other.now = other.now.plus(support::BUDGET);
    assert_eq!(other.find(&bill).await, Ok(bill.clone()));
    assert!(other.reserve(&bill).await.is_ok());
}

#[tokio::test]
async fn a_payment_on_one_node_is_a_payment_on_both_and_so_is_its_cancel() {
    let House { one, other, .. } = House::open().await;
    let bill = bill("202611", "");
    assert_eq!(
        one.report(&bill, &pay("1", "20000")).await,
        PaymentEffect::New
    );
    assert!(other.is_paid(&bill).await);
    assert_eq!(
        other.report(&bill, &pay("1", "20000")).await,
        PaymentEffect::Repeated
    );
    other.report(&bill, &cancel("1", "-20000")).await;
    assert!(!one.is_paid(&bill).await && !other.is_paid(&bill).await);
    assert_eq!(
        one.report(&bill, &pay("2", "20000")).await,
        PaymentEffect::New
    );
    assert_eq!(
        other.report(&bill, &pay("3", "20000")).await,
        PaymentEffect::Double
    );
    assert!(one.view(&bill).await.error_bill);
}

#[tokio::test]
async fn two_payments_on_two_nodes_make_an_error_bill() {
    let House { one, other, .. } = House::open().await;
    for month in 0..20 {
        let bill = bill(&format!("{:06}", 202_000 + month), "");
        let (first, second) = (pay("1", "20000"), pay("2", "20000"));
        let (first, second) = tokio::join!(one.report(&bill, &first), other.report(&bill, &second));
        assert!(
            [first, second].contains(&PaymentEffect::Double),
            "{first:?} {second:?}"
        );
        assert!(one.view(&bill).await.error_bill && other.view(&bill).await.error_bill);
    }
}

/// Reports each event on one of the nodes without Redis, then starts Redis again.
async fn report_apart(house: &House, bill: &Bill, events: [PaymentEvent; 2]) {
    house.lose_redis().await;
    house.one.report(bill, &events[0]).await;
    house.other.report(bill, &events[1]).await;
    house.server.start_again();
    house.until_all_is_shared().await;
}

#[tokio::test]
async fn two_payments_on_two_nodes_during_an_outage_make_an_error_bill_once() {
    let house = House::open().await;
    let bill = bill("202611", "");
    report_apart(&house, &bill, [pay("1", "20000"), pay("2", "20000")]).await;
    let House { server, one, other } = &house;
    assert!(one.view(&bill).await.error_bill && other.view(&bill).await.error_bill);
    assert_eq!(one.conflicts.count() + other.conflicts.count(), 1);

    // The operator's classification fact stays the latest, also after both nodes resync everything.
    let cleared = other
        .ledger()
        .clear(&bill, "paid back".to_owned(), "kim".to_owned(), other.now);
    cleared.await.unwrap();
    server.tell(&["FLUSHALL"]);
    house.until_redis_has_all().await;
    assert!(!one.view(&bill).await.error_bill && !other.view(&bill).await.error_bill);
    assert_eq!(one.conflicts.count() + other.conflicts.count(), 1);
    let verified = one.ledger().verify().await.unwrap();
    assert!(verified.audit.findings.kept.is_empty(), "{verified:?}");
}

#[tokio::test]
async fn a_payment_that_came_to_two_nodes_with_two_amounts_makes_an_error_bill() {
    let house = House::open().await;
    let bill = bill("202611", "");
    report_apart(&house, &bill, [pay("1", "30000"), pay("1", "20000")]).await;
    let House { one, other, .. } = &house;
    assert!(one.view(&bill).await.error_bill && other.view(&bill).await.error_bill);
    assert_eq!(one.conflicts.count() + other.conflicts.count(), 1);
}

#[tokio::test]
async fn a_bill_that_was_paid_again_after_a_cancel_is_no_error_bill() {
    let mut house = House::open().await;
    let bill = bill("202611", "");
    house.other.stop();
    house.one.report(&bill, &pay("1", "20000")).await;
    eventually(async || house.one.ledger().unshared() == 0).await;
    house.server.kill();
    house.one.report(&bill, &cancel("1", "-20000")).await;
    // This node has neither the cancel nor the first payment.
    house.other.restart_at_once();
    assert_eq!(
        house.other.report(&bill, &pay("2", "20000")).await,
        PaymentEffect::New
    );
    // If the second payment were in Redis before the cancel, it would be merged with a first one that counts,
    // which looks like a double payment. So the cancel is written first.
    house.other.stop();
    house.server.start_again();
    eventually(async || house.one.ledger().unshared() == 0).await;
    house.other.restart().await;
    house.until_all_is_shared().await;
    let House { one, other, .. } = &house;
    assert!(one.is_paid(&bill).await && other.is_paid(&bill).await);
    assert!(!one.view(&bill).await.error_bill && !other.view(&bill).await.error_bill);
    assert_eq!(one.conflicts.count() + other.conflicts.count(), 0);
}

#[tokio::test]
async fn nodes_whose_clocks_differ_judge_a_reservation_alike() {
    const HOUR: Duration = Duration::from_hours(1);
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let mut one = Node::on(&store).await;
    let behind = WallClock(|| Timestamp::now().minus(HOUR));
    let other = Node::by(&store, behind, one.now.minus(HOUR)).await;
    let (first, second) = (bill("202611", ""), bill("202612", ""));
    drop(other.reserve(&first).await.unwrap());
    assert_eq!(one.reserve(&first).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(one.find(&first).await, Err(LinkRefusal::NotRegistered));
    drop(one.reserve(&second).await.unwrap());
    assert_eq!(
        other.reserve(&second).await,
        Err(LinkRefusal::AlreadyLinked)
    );
    // The lease ends with the budget, within the accuracy of the clocks.
    one.now = one
        .now
        .plus(support::BUDGET.saturating_sub(Duration::from_millis(300)));
    assert_eq!(one.reserve(&first).await, Err(LinkRefusal::AlreadyLinked));
    one.now = one.now.plus(Duration::from_millis(600));
    assert!(one.reserve(&first).await.is_ok());
}

#[tokio::test]
async fn a_pay_result_accepted_through_one_node_is_answered_by_the_other() {
    let House { one, other, .. } = House::open().await;
    let bill = bill("202611", "");
    let (event, body) = (pay("1", "20000"), Bytes::from_static(b"{}"));
    let message = MessageDigest::of(&body);
    let kept = KeptAnswer {
        status: 201,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    one.record(&bill, &event, &body, message).await;
    let delivered = DeliveryOutcome::Accepted(kept.clone());
    one.ledger()
        .record_delivery(&bill, &event, message.into(), delivered, one.now)
        .await
        .unwrap();
    match other.begin(&bill, &event, &body, message).await {
        RecordOutcome::AcceptedElsewhere { answer, .. } => assert_eq!(answer, kept),
        RecordOutcome::Recorded(recorded) => panic!("delivered twice: {recorded:?}"),
    }
}

#[tokio::test]
async fn a_pay_result_accepted_through_one_node_is_answered_by_the_other_in_any_spelling() {
    let House { server, one, other } = House::open().await;
    let bill = bill("202611", "");
    let event = pay("1", "20000");
    let spelled = |body: &'static [u8], form: u8| {
        let digests = Digests {
            bytes: MessageDigest::of(body),
            canonical: CanonicalDigest::from_slice(&[form; 32]),
        };
        (Bytes::from_static(body), digests)
    };
    let kept = KeptAnswer {
        status: 201,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    let (body, accepted) = spelled(b"{}", 1);
    one.record(&bill, &event, &body, accepted).await;
    let delivered = DeliveryOutcome::Accepted(kept.clone());
    one.ledger()
        .record_delivery(&bill, &event, accepted.into(), delivered, one.now)
        .await
        .unwrap();
    let accepted_as = async |(body, copy): (Bytes, Digests)| match other
        .begin(&bill, &event, &body, copy)
        .await
    {
        RecordOutcome::AcceptedElsewhere { message, answer } => {
            assert_eq!(answer, kept);
            Some(message)
        }
        RecordOutcome::Recorded(_) => None,
    };
    let answered = accepted_as(spelled(b"{ }", 1)).await;
    assert_eq!(answered, Some(accepted.bytes));
    // What was learned is known here from now on, in every spelling.
    let claim = other
        .ledger()
        .claim(&bill, &event, spelled(b"{  }", 1).1)
        .await;
    assert!(matches!(claim, Claim::Accepted { .. }), "{claim:?}");
    assert_eq!(accepted_as(spelled(b"{  }", 2)).await, None);

    // The resync restores the digest of the form too.
    for node in [&one, &other] {
        eventually(async || node.ledger().unshared() == 0).await;
    }
    server.tell(&["FLUSHALL"]);
    eventually(async || accepted_as(spelled(b"{   }", 1)).await.is_some()).await;
}

#[tokio::test]
async fn without_redis_payments_are_taken_links_are_not_and_all_is_shared_afterwards() {
    let House { server, one, other } = House::open().await;
    let (known, unknown) = (bill("202611", ""), bill("202612", ""));
    one.report(&known, &pay("1", "20000")).await;
    server.kill();
    // This node has its own payment, so that no call waits.
    eventually(async || one.reserve(&unknown).await == Err(LinkRefusal::Unavailable)).await;
    let began = Instant::now();
    assert!(one.is_paid(&known).await);
    assert!(!one.is_paid(&unknown).await);
    assert_eq!(
        one.report(&unknown, &pay("2", "20000")).await,
        PaymentEffect::New
    );
    assert!(one.is_paid(&unknown).await);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(one.ledger().unshared() > 0);
    server.start_again();
    eventually(async || other.is_paid(&unknown).await && other.is_paid(&known).await).await;
    eventually(async || one.ledger().unshared() == 0).await;
    eventually(async || one.reserve(&bill("202701", "")).await.is_ok()).await;
}

#[tokio::test]
async fn a_redis_that_hangs_delays_one_call_only() {
    let House { server, one, .. } = House::open().await;
    let bill = bill("202611", "");
    one.report(&bill, &pay("1", "20000")).await;
    server.signal("STOP");
    // Only the first call waits for the time-out, here of two seconds.
    one.is_paid(&bill).await;
    let began = Instant::now();
    for _ in 0..50 {
        assert!(one.is_paid(&bill).await);
    }
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    server.signal("CONT");
    eventually(async || one.find(&bill).await == Err(LinkRefusal::NotRegistered)).await;
}

/// Returns the seconds until the last of a biller's keys of this kind expires.
fn seconds_left(server: &RedisServer, kind: &str) -> i64 {
    let script = "local most = 0; for _, key in ipairs(redis.call('KEYS', ARGV[1])) do \
                  most = math.max(most, redis.call('TTL', key)) end; return tostring(most)";
    let pattern = format!("*:{kind}:*");
    let seconds = server.ask_text(&["EVAL", script, "0", &pattern]);
    seconds.parse().unwrap()
}

#[tokio::test]
async fn a_refused_link_is_forgotten_everywhere_and_missed_nowhere() {
    const QUARTER: i64 = 15 * 60;
    let House { server, one, other } = House::open().await;
    let refused = bill("202611", "N1");
    one.create(&refused, LinkOutcome::Released).await.unwrap();
    eventually(async || one.ledger().unshared() == 0).await;
    for kind in ["b", "g", "k"] {
        let left = seconds_left(&server, kind);
        assert!((1..=QUARTER).contains(&left), "{kind}: {left}");
    }
    let forget = async |node: &Node| {
        let ledger = node.ledger().clone();
        let later = node.now.plus(Duration::from_millis(1));
        let forgotten = tokio::task::spawn_blocking(move || ledger.forget_refused_links(later));
        forgotten.await.unwrap().unwrap()
    };
    // What Redis does not have is kept: it would have a reservation without its end.
    let unshared = bill("202612", "N2");
    let reservation = one.reserve(&unshared).await.unwrap();
    server.kill();
    eventually(async || one.find(&unshared).await == Err(LinkRefusal::Unavailable)).await;
    let settled = one.ledger();
    settled
        .settle(&reservation, &LinkOutcome::Released, one.now)
        .await
        .unwrap();
    assert_eq!(forget(&one).await, 1, "only what Redis had");
    server.start_again();
    one.until_reachable().await;
    eventually(async || one.ledger().unshared() == 0).await;
    assert_eq!(forget(&one).await, 1);

    // The journal's last rows are gone; a wiped Redis lacks nothing.
    server.tell(&["FLUSHALL"]);
    for node in [&one, &other] {
        eventually(async || node.ledger().unshared() == 0).await;
        node.until_reachable().await;
        for bill in [&refused, &unshared] {
            assert_eq!(node.find(bill).await, Err(LinkRefusal::NotRegistered));
        }
    }
    // A link that is made is kept as long as ever.
    other.link(&refused, "20261130235959").await.unwrap();
    for kind in ["b", "g", "k"] {
        assert!(seconds_left(&server, kind) > 24 * 60 * 60, "{kind}");
    }
    assert_eq!(
        one.reserve(&bill("202701", "N1")).await,
        Err(LinkRefusal::NoticeKeyTaken)
    );
}

/// `WIPED_BILLS=100000` runs it at the size of a large deployment.
#[tokio::test]
async fn both_nodes_restore_what_a_wipe_lost() {
    let bills: usize = std::env::var("WIPED_BILLS").map_or(2_000, |bills| bills.parse().unwrap());
    let House { server, one, other } = House::open().await;
    let biller = BillerCode::parse("B0001").unwrap();
    let bills: Vec<Bill> = (0..bills)
        .map(|number| Bill::from_parts(biller, &number.to_string(), "202611", "", "", &[]))
        .collect();
    let (ours, theirs) = bills.split_at(bills.len() / 2);
    let event = pay("1", "20000");
    for (first, second) in ours.chunks(500).zip(theirs.chunks(500)) {
        let reports = first.iter().map(|bill| one.report(bill, &event));
        let others = second.iter().map(|bill| other.report(bill, &event));
        join_all(reports.chain(others)).await;
    }
    server.tell(&["FLUSHALL"]);
    let began = Instant::now();
    // The other node's facts come back only through Redis.
    for (first, second) in ours.iter().zip(theirs) {
        eventually(async || other.is_paid(first).await && one.is_paid(second).await).await;
    }
    println!(
        "{} paid bills are E403 again after {:?}",
        bills.len(),
        began.elapsed()
    );
    eventually(async || one.ledger().unshared() == 0 && other.ledger().unshared() == 0).await;
}

#[tokio::test]
async fn what_was_journalled_before_there_was_a_redis_is_shared_when_there_is_one() {
    let server = Arc::new(RedisServer::start());
    let store = Store::shared(&server);
    let (mut one, other) = (Node::on(&store).await, Node::on(&store).await);
    let bill = bill("202611", "");
    server.kill();
    assert_eq!(
        one.report(&bill, &pay("1", "20000")).await,
        PaymentEffect::New
    );
    server.start_again();
    one.restart().await;
    eventually(async || other.is_paid(&bill).await).await;
}
