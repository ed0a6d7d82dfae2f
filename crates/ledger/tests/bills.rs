//! The ledger's interface over a real journal, on both stores.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use bytes::Bytes;
use ledger::{
    BillView, Claim, DeliveryOutcome, DeliveryState, Digests, Durability, KeptAnswer, Ledger,
    LinkOutcome, LinkRefusal, MessageDigest, Options, PaymentEffect, Timestamp,
};
use protocol::{CanonicalDigest, KoreanTime, PaymentEvent};
use support::{BUDGET, Node, Store, bill, cancel, pay, time};

/// Runs every test twice: with the state in the node and with it in a real Redis.
macro_rules! on_both_stores {
    ($($test:ident)+) => {
        mod embedded {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::support::Store::Embedded).await;
            })+
        }
        mod redis {
            use super::support::Store;
            use test_support::RedisServer;

            $(#[tokio::test]
            async fn $test() {
                super::$test(Store::shared(&RedisServer::start().into())).await;
            })+
        }
    };
}

on_both_stores! {
    a_link_is_made_once_and_stays_made_over_a_restart
    the_outcome_of_a_creation_decides_what_may_follow
    a_reservation_of_a_killed_node_is_unknown_after_the_budget
    a_refused_second_attempt_leaves_the_first_one_unknown
    a_notice_key_belongs_to_one_bill
    a_notice_key_whose_creation_was_refused_is_free_again
    link_creations_that_were_refused_are_forgotten_soon
    without_a_notice_key_bills_that_share_the_rest_are_not_distinguished
    an_error_bill_refuses_links_until_it_is_cleared
    a_bill_is_paid_while_its_events_sum_to_more_than_nothing
    a_second_payment_and_another_amount_make_an_error_bill
    the_mark_of_an_indistinct_bill_ends
    the_mark_of_a_distinct_bill_does_not_end
    an_accepted_pay_result_is_claimed_once_and_its_answer_is_kept
    a_copy_in_another_spelling_is_the_same_pay_result
    a_large_answer_is_kept_without_its_body
    what_a_biller_did_not_accept_is_counted_until_it_does
    a_journal_that_cannot_be_written_takes_no_links_and_keeps_a_backlog_of_payments
}

async fn a_link_is_made_once_and_stays_made_over_a_restart(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    let under_way = node.reserve(&bill).await.unwrap();
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    let expire_at = KoreanTime::parse("20261130235959").unwrap();
    let outcome = LinkOutcome::Linked { expire_at };
    node.ledger()
        .settle(&under_way, &outcome, node.now)
        .await
        .unwrap();
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    node.restart().await;
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(node.find(&bill).await, Ok(bill));
}

async fn the_outcome_of_a_creation_decides_what_may_follow(store: Store) {
    // outcome of the first creation | may be created again | may be re-created
    let linked = LinkOutcome::Linked {
        expire_at: KoreanTime::parse("20261130235959").unwrap(),
    };
    let table = [
        (linked, false, true),
        (LinkOutcome::Released, true, false),
        (LinkOutcome::Unknown, true, true),
    ];
    for (outcome, create, recreate) in table {
        let mut node = Node::alone(&store).await;
        let bill = bill("202611", "");
        node.create(&bill, outcome.clone()).await.unwrap();
        for _ in 0..2 {
            let found = node.find(&bill).await;
            assert_eq!(found.is_ok(), recreate, "{outcome:?}");
            node.restart().await;
        }
        assert_eq!(node.reserve(&bill).await.is_ok(), create, "{outcome:?}");
    }
}

async fn a_reservation_of_a_killed_node_is_unknown_after_the_budget(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    drop(node.reserve(&bill).await.unwrap());
    node.restart().await;
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(node.find(&bill).await, Err(LinkRefusal::NotRegistered));
    node.now = node.now.plus(BUDGET);
    assert_eq!(node.find(&bill).await, Ok(bill.clone()));
    assert!(node.reserve(&bill).await.is_ok());
}

async fn a_refused_second_attempt_leaves_the_first_one_unknown(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    node.create(&bill, LinkOutcome::Unknown).await.unwrap();
    node.create(&bill, LinkOutcome::Released).await.unwrap();
    node.restart().await;
    assert_eq!(node.find(&bill).await, Ok(bill));
}

async fn a_notice_key_belongs_to_one_bill(store: Store) {
    let node = Node::alone(&store).await;
    node.link(&bill("202611", "N1"), "20261130235959")
        .await
        .unwrap();
    let other = bill("202612", "N1");
    assert_eq!(node.reserve(&other).await, Err(LinkRefusal::NoticeKeyTaken));
    assert!(node.reserve(&bill("202612", "N2")).await.is_ok());
}

async fn a_notice_key_whose_creation_was_refused_is_free_again(store: Store) {
    let node = Node::alone(&store).await;
    node.create(&bill("202611", "N1"), LinkOutcome::Released)
        .await
        .unwrap();
    assert!(node.reserve(&bill("202612", "N1")).await.is_ok());
}

async fn link_creations_that_were_refused_are_forgotten_soon(store: Store) {
    let mut node = Node::alone(&store).await;
    let expire_at = KoreanTime::parse("20261130235959").unwrap();
    // the outcomes of the creations of a bill, with its notice key | whether something is left of it
    let table: [(&str, &[LinkOutcome], bool); 6] = [
        ("N1", &[LinkOutcome::Released], false),
        ("", &[LinkOutcome::Released, LinkOutcome::Released], false),
        ("N2", &[LinkOutcome::Unknown, LinkOutcome::Released], true),
        (
            "N3",
            &[LinkOutcome::Released, LinkOutcome::Linked { expire_at }],
            true,
        ),
        ("N4", &[LinkOutcome::Unknown], true),
        // Paid although its link was refused.
        ("N5", &[LinkOutcome::Released], true),
    ];
    for (notice_key, outcomes, _) in table {
        for outcome in outcomes {
            let bill = bill("202611", notice_key);
            node.create(&bill, outcome.clone()).await.unwrap();
        }
    }
    node.report(&bill("202611", "N5"), &pay("1", "20000")).await;
    support::eventually(async || node.ledger().unshared() == 0).await;
    let forget = async |node: &Node, before: Timestamp| {
        let ledger = node.ledger().clone();
        let forgotten = tokio::task::spawn_blocking(move || ledger.forget_refused_links(before));
        forgotten.await.unwrap().unwrap()
    };
    // What is as old as that is forgotten, and nothing younger.
    assert_eq!(forget(&node, node.now).await, 0);
    let later = node.now.plus(std::time::Duration::from_millis(1));
    assert_eq!(forget(&node, later).await, 2);
    assert_eq!(forget(&node, later).await, 0);
    for _ in 0..2 {
        for (notice_key, outcomes, is_left) in table {
            let history = node.ledger().history(&bill("202611", notice_key)).await;
            let facts = history.unwrap().facts.facts.len();
            assert_eq!(facts > 0, is_left, "{notice_key} {outcomes:?}");
        }
        let verified = node.ledger().verify().await.unwrap();
        assert!(verified.audit.findings.is_empty(), "{verified:?}");
        assert!(
            verified.redis.is_none_or(|redis| redis.unwrap().is_none()),
            "Redis may keep longer, never shorter"
        );
        node.restart().await;
    }
    // A refused creation leaves a bill and its notice key free, before and after.
    let refused = bill("202611", "N1");
    assert_eq!(node.find(&refused).await, Err(LinkRefusal::NotRegistered));
    assert!(node.reserve(&bill("202612", "N1")).await.is_ok());
}

async fn without_a_notice_key_bills_that_share_the_rest_are_not_distinguished(store: Store) {
    let node = Node::alone(&store).await;
    let keyless = bill("202611", "");
    node.link(&bill("202611", "N1"), "20261130235959")
        .await
        .unwrap();
    let only = node.find(&keyless).await;
    assert_eq!(only, Ok(bill("202611", "N1")));
    node.link(&bill("202611", "N2"), "20261130235959")
        .await
        .unwrap();
    assert_eq!(
        node.reserve(&keyless).await,
        Err(LinkRefusal::NoticeKeyNeeded)
    );
    assert_eq!(node.find(&keyless).await, Err(LinkRefusal::NoticeKeyNeeded));
    // Another month is another bill.
    assert!(node.reserve(&bill("202612", "")).await.is_ok());
}

async fn an_error_bill_refuses_links_until_it_is_cleared(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    node.link(&bill, "20261130235959").await.unwrap();
    let (why, who) = ("민원".to_owned(), "kim".to_owned());
    node.ledger()
        .classify(&bill, why.clone(), who.clone(), node.now)
        .await
        .unwrap();
    node.restart().await;
    assert!(node.view(&bill).await.error_bill);
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::ErrorBill));
    let found = node.find(&bill).await;
    assert_eq!(found, Err(LinkRefusal::ErrorBill));
    node.ledger()
        .clear(&bill, why, who, node.now)
        .await
        .unwrap();
    node.restart().await;
    assert!(!node.view(&bill).await.error_bill);
    assert!(node.find(&bill).await.is_ok());
}

async fn a_bill_is_paid_while_its_events_sum_to_more_than_nothing(store: Store) {
    // events in order | paid in the end
    let table: [(&[PaymentEvent], bool); 9] = [
        (&[], false),
        (&[pay("1", "20000")], true),
        (&[pay("1", "2e4"), pay("1", "20000")], true),
        (&[pay("1", "20000"), cancel("1", "-20000")], false),
        (&[pay("1", "20000"), cancel("1", "20000")], false),
        (&[cancel("1", "-20000"), pay("1", "20000")], false),
        (
            &[
                pay("1", "20000"),
                cancel("1", "-5000"),
                cancel("1", "-15000"),
            ],
            false,
        ),
        (
            &[
                cancel("1", "-5000"),
                pay("1", "20000"),
                cancel("1", "-5000"),
            ],
            true,
        ),
        (
            &[pay("1", "20000"), cancel("1", "-20000"), pay("2", "20000")],
            true,
        ),
    ];
    for (events, paid) in table {
        let mut node = Node::alone(&store).await;
        let bill = bill("202611", "");
        for event in events {
            assert_ne!(node.report(&bill, event).await, PaymentEffect::Double);
        }
        assert_eq!(node.is_paid(&bill).await, paid, "{events:?}");
        node.restart().await;
        assert_eq!(
            node.is_paid(&bill).await,
            paid,
            "{events:?} after a restart"
        );
    }
}

async fn a_second_payment_and_another_amount_make_an_error_bill(store: Store) {
    // first event | second event | how the second is judged
    let table = [
        (pay("1", "20000"), pay("2", "20000"), PaymentEffect::Double),
        (
            pay("1", "20000"),
            pay("1", "30000"),
            PaymentEffect::OtherAmount,
        ),
        (pay("1", "20000"), pay("1", "2e4"), PaymentEffect::Repeated),
        (pay("1", "20000"), cancel("1", "-20000"), PaymentEffect::New),
    ];
    for (first, second, taken) in table {
        let mut node = Node::alone(&store).await;
        let bill = bill("202611", "");
        node.report(&bill, &first).await;
        assert_eq!(node.report(&bill, &second).await, taken);
        let error_bill = matches!(taken, PaymentEffect::Double | PaymentEffect::OtherAmount);
        assert_eq!(node.view(&bill).await.error_bill, error_bill);
        node.restart().await;
        assert_eq!(node.view(&bill).await.error_bill, error_bill);
    }
}

async fn the_mark_of_an_indistinct_bill_ends(store: Store) {
    // `expire_at` of its link, if any | when the mark ends
    let table = [
        (None, "20261125120000"),
        (Some("20261124180000"), "20261124180000"),
        (Some("20261123235959"), "20261125120000"),
    ];
    for (expire_at, end) in table {
        let mut node = Node::alone(&store).await;
        let bill = bill("", "");
        if let Some(expire_at) = expire_at {
            node.link(&bill, expire_at).await.unwrap();
        }
        node.report(&bill, &pay("1", "20000")).await;
        node.restart().await;
        node.now = Timestamp::from_millis(time(end).millis() - 1);
        assert!(node.is_paid(&bill).await, "{expire_at:?}");
        node.now = time(end);
        assert!(!node.is_paid(&bill).await, "{expire_at:?}");
        // Next month's payment counts and is no double payment.
        assert_eq!(
            node.report(&bill, &pay("2", "20000")).await,
            PaymentEffect::New
        );
        assert!(node.is_paid(&bill).await);
        // A late cancel of the ended payment does not reduce this one.
        node.report(&bill, &cancel("1", "-20000")).await;
        assert!(node.is_paid(&bill).await);
    }
}

async fn the_mark_of_a_distinct_bill_does_not_end(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    node.link(&bill, "20261124180000").await.unwrap();
    node.report(&bill, &pay("1", "20000")).await;
    node.now = time("20271124120000");
    assert!(node.is_paid(&bill).await);
}

async fn an_accepted_pay_result_is_claimed_once_and_its_answer_is_kept(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    let event = pay("1", "20000");
    let body = Bytes::from_static(b"{}");
    let message = MessageDigest::of(&body);
    let kept = KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    let Claim::Granted(guard) = node.ledger().claim(&bill, &event, message).await else {
        panic!("the first claim is ours");
    };
    let Claim::UnderWay(copy) = node.ledger().claim(&bill, &event, message).await else {
        panic!("a copy waits");
    };
    node.record(&bill, &event, &body, message).await;
    let delivered = DeliveryOutcome::Accepted(kept.clone());
    node.ledger()
        .record_delivery(&bill, &event, message.into(), delivered, node.now)
        .await
        .unwrap();
    drop(guard);
    copy.ended().await;
    for _ in 0..2 {
        let claim = node.ledger().claim(&bill, &event, message).await;
        let Claim::Accepted { answer, .. } = claim else {
            panic!("accepted: {claim:?}");
        };
        assert_eq!(*answer, kept);
        assert_eq!(node.ledger().undelivered(), 0);
        node.restart().await;
    }
}

async fn a_copy_in_another_spelling_is_the_same_pay_result(store: Store) {
    let mut node = Node::alone(&store).await;
    let (bill, event) = (bill("202611", ""), pay("1", "20000"));
    let form = |byte| CanonicalDigest::from_slice(&[byte; 32]);
    let spelled = |bytes: &[u8], canonical| Digests {
        bytes: MessageDigest::of(bytes),
        canonical,
    };
    let accepted = spelled(b"{}", form(1));
    let (copy, other) = (spelled(b"{ }", form(1)), spelled(b"{  }", form(2)));
    let (same_bytes, no_form) = (spelled(b"{}", None), spelled(b"{\n}", None));
    let Claim::Granted(guard) = node.ledger().claim(&bill, &event, accepted).await else {
        panic!("the first claim is ours");
    };
    for copy in [copy, same_bytes] {
        let claim = node.ledger().claim(&bill, &event, copy).await;
        assert!(matches!(claim, Claim::UnderWay(_)), "{copy:?}");
    }
    for other in [other, no_form] {
        let claim = node.ledger().claim(&bill, &event, other).await;
        assert!(matches!(claim, Claim::Granted(_)), "{other:?}");
    }
    let body = Bytes::from_static(b"{}");
    node.record(&bill, &event, &body, accepted).await;
    let kept = KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    let delivered = DeliveryOutcome::Accepted(kept.clone());
    node.ledger()
        .record_delivery(&bill, &event, accepted.into(), delivered, node.now)
        .await
        .unwrap();
    drop(guard);
    for _ in 0..2 {
        for copy in [accepted, copy, same_bytes] {
            let Claim::Accepted { message, .. } = node.ledger().claim(&bill, &event, copy).await
            else {
                panic!("accepted: {copy:?}");
            };
            assert_eq!(message, accepted.bytes);
        }
        for other in [other, no_form] {
            let claim = node.ledger().claim(&bill, &event, other).await;
            assert!(matches!(claim, Claim::Granted(_)), "{other:?}");
        }
        node.restart().await;
    }
}

async fn a_large_answer_is_kept_without_its_body(store: Store) {
    let node = Node::alone(&store).await;
    for (number, (bytes, kept_bytes)) in [(64 * 1024, 64 * 1024), (64 * 1024 + 1, 0)]
        .into_iter()
        .enumerate()
    {
        let (bill, event) = (bill("202611", ""), pay(&number.to_string(), "20000"));
        let body = Bytes::from(number.to_string());
        let message = MessageDigest::of(&body);
        node.record(&bill, &event, &body, message).await;
        let answer = KeptAnswer {
            status: 201,
            content_type: Bytes::from_static(b"application/json"),
            body: vec![b' '; bytes].into(),
        };
        let delivered = DeliveryOutcome::Accepted(answer);
        let settled =
            (node.ledger()).record_delivery(&bill, &event, message.into(), delivered, node.now);
        settled.await.unwrap();
        let claim = node.ledger().claim(&bill, &event, message).await;
        let Claim::Accepted { answer, .. } = claim else {
            panic!("accepted: {claim:?}");
        };
        assert_eq!((answer.status, answer.body.len()), (201, kept_bytes));
    }
}

async fn what_a_biller_did_not_accept_is_counted_until_it_does(store: Store) {
    let mut node = Node::alone(&store).await;
    let bill = bill("202611", "");
    let event = pay("1", "20000");
    node.report(&bill, &event).await;
    assert_eq!(node.ledger().undelivered(), 0, "it is being delivered");
    // After a crash here it is unknown whether the delivery reached the biller.
    node.restart().await;
    assert_eq!(node.ledger().undelivered(), 1);
    let message = MessageDigest::of(b"again");
    // delivery attempt | delivery after it: a copy that was not sent changes nothing
    let table = [
        (DeliveryOutcome::Refused, DeliveryState::Refused),
        (DeliveryOutcome::Pending, DeliveryState::Refused),
        (DeliveryOutcome::Unknown, DeliveryState::Unknown),
        (DeliveryOutcome::Pending, DeliveryState::Unknown),
    ];
    for (delivered, state) in table {
        node.ledger()
            .record_delivery(&bill, &event, message.into(), delivered, node.now)
            .await
            .unwrap();
        assert_eq!(node.ledger().undelivered(), 1);
        let listed = node.ledger().undelivered_payments(None).unwrap();
        assert_eq!(listed[0].state, state);
    }
    let kept = KeptAnswer {
        status: 200,
        content_type: Bytes::new(),
        body: Bytes::new(),
    };
    let delivered = DeliveryOutcome::Accepted(kept);
    node.ledger()
        .record_delivery(&bill, &event, message.into(), delivered, node.now)
        .await
        .unwrap();
    assert_eq!(node.ledger().undelivered(), 0);
    node.restart().await;
    assert_eq!(node.ledger().undelivered(), 0);
}

async fn a_journal_that_cannot_be_written_takes_no_links_and_keeps_a_backlog_of_payments(
    store: Store,
) {
    let mut node = Node::alone(&store).await;
    let file = node.directory().join("journal.sqlite3");
    let saboteur = rusqlite::Connection::open(file).unwrap();
    saboteur.busy_timeout(BUDGET).unwrap();
    saboteur
        .execute_batch("ALTER TABLE fact RENAME TO away")
        .unwrap();

    let paid = bill("202611", "");
    let event = pay("1", "20000");
    let body = Bytes::from_static(b"{}");
    let message = MessageDigest::of(&body);
    let recorded = node.record(&paid, &event, &body, message).await;
    assert!(matches!(recorded.durability, Durability::InMemoryOnly(_)));
    assert!(!node.ledger().is_journal_writable());
    assert_eq!(
        node.view(&paid).await,
        BillView {
            error_bill: false,
            paid: true
        }
    );
    assert_eq!(
        node.reserve(&bill("202612", "")).await,
        Err(LinkRefusal::Unavailable)
    );

    saboteur
        .execute_batch("ALTER TABLE away RENAME TO fact")
        .unwrap();
    // The next entry is written together with the backlog.
    let recorded = node.record(&paid, &event, &body, message).await;
    assert!(matches!(recorded.durability, Durability::Durable));
    assert!(node.ledger().is_journal_writable());
    assert!(node.reserve(&bill("202612", "")).await.is_ok());
    node.restart().await;
    assert!(node.is_paid(&paid).await);
}

#[tokio::test]
async fn two_processes_cannot_share_a_journal() {
    let node = Node::alone(&Store::Embedded).await;
    let options = Options::embedded(node.directory().to_path_buf());
    let refused = Ledger::open(&options, node.now);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("in use by another process")
    );
}

#[tokio::test]
async fn a_journal_whose_file_was_replaced_takes_nothing() {
    for harm in ["deleted", "replaced", "cut"] {
        let node = Node::alone(&Store::Embedded).await;
        let bill = bill("202611", "");
        node.report(&bill, &pay("1", "20000")).await;
        let file = node.directory().join("journal.sqlite3");
        match harm {
            "deleted" => std::fs::remove_file(&file).unwrap(),
            "replaced" => {
                let copy = node.directory().join("copy");
                std::fs::copy(&file, &copy).unwrap();
                std::fs::rename(copy, &file).unwrap();
            }
            _ => std::fs::File::create(&file).unwrap().set_len(100).unwrap(),
        }
        // An idle journal notices it without a new entry.
        support::eventually(async || !node.ledger().is_journal_writable()).await;
        let body = Bytes::from_static(b"{}");
        let message = MessageDigest::of(&body);
        let recorded = node.record(&bill, &pay("1", "20000"), &body, message).await;
        assert!(
            matches!(recorded.durability, Durability::InMemoryOnly(_)),
            "{harm}"
        );
        assert_eq!(
            node.find(&bill).await,
            Err(LinkRefusal::Unavailable),
            "{harm}"
        );
        assert!(node.is_paid(&bill).await);
        assert!(node.ledger().flush(BUDGET / 10).await.is_err(), "{harm}");
    }
}

#[tokio::test]
async fn another_processs_lock_on_the_journal_delays_no_payment() {
    let mut node = Node::alone(&Store::Embedded).await;
    let (paid, event) = (bill("202611", ""), pay("1", "20000"));
    let operator = rusqlite::Connection::open(node.directory().join("journal.sqlite3")).unwrap();
    operator.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = Bytes::from_static(b"{}");
    let message = MessageDigest::of(&body);
    let began = std::time::Instant::now();
    let recorded = node.record(&paid, &event, &body, message).await;
    assert!(matches!(recorded.durability, Durability::InMemoryOnly(_)));
    assert!(began.elapsed() < BUDGET / 2, "{:?}", began.elapsed());
    assert!(!node.ledger().is_journal_writable());
    operator.execute_batch("ROLLBACK").unwrap();
    node.ledger().flush(BUDGET).await.unwrap();
    assert!(node.ledger().is_journal_writable());
    node.restart().await;
    assert!(node.is_paid(&paid).await);
}

#[tokio::test]
async fn an_emptied_journal_is_not_taken_for_a_new_one() {
    let mut node = Node::alone(&Store::Embedded).await;
    node.report(&bill("202611", ""), &pay("1", "20000")).await;
    let options = Options::embedded(node.directory().to_path_buf());
    node.stop();
    std::fs::File::create(node.directory().join("journal.sqlite3")).unwrap();
    let refused = Ledger::open(&options, node.now).unwrap_err().to_string();
    assert!(
        refused.contains("is empty, so what was in it is gone"),
        "{refused}"
    );
}
