//! Refused pay-results in the ledger: bounds, retention, and a journal that stays sound.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::time::Duration;

use bytes::Bytes;
use ledger::journal::RefusedFilter;
use ledger::{
    MessageDigest, REFUSED_BOUND, RefusedClosing, RefusedKept, RefusedOutcome, RefusedPayResult,
};
use protocol::BillerCode;
use support::{Node, Store, bill};

fn refused(number: usize) -> RefusedPayResult {
    RefusedPayResult {
        biller: BillerCode::parse("B0001"),
        body: Bytes::from(number.to_string()),
        is_whole: true,
        res_code: "E006".to_owned(),
        reason: "member-width".to_owned(),
        source: [127, 0, 0, 1].into(),
        request_id: format!("r{number}"),
    }
}

fn closing() -> RefusedClosing {
    RefusedClosing {
        outcome: RefusedOutcome::Closed,
        reason: "settled".to_owned(),
        operator: "kim".to_owned(),
    }
}

async fn close(node: &Node, number: usize) {
    let message = MessageDigest::of(number.to_string().as_bytes());
    let end = node
        .ledger()
        .end_refused(message, closing(), node.now)
        .await;
    node.ledger().refused_ended(end.unwrap()).await.unwrap();
}

async fn count(node: &Node, filter: RefusedFilter) -> usize {
    let listed = node.ledger().refused_pay_results(filter, None, 1).await;
    listed.unwrap().1
}

#[tokio::test]
async fn a_full_journal_of_refused_pay_results_takes_no_more_until_one_is_closed() {
    let mut node = Node::alone(&Store::Embedded).await;
    for number in 0..REFUSED_BOUND {
        // The writer commits them in groups.
        drop(node.ledger().keep_refused(refused(number), None, node.now));
    }
    for restarted in [false, true] {
        if restarted {
            node.restart().await;
        }
        let one_more = refused(REFUSED_BOUND);
        let kept = node.ledger().keep_refused(one_more, None, node.now).await;
        assert!(matches!(kept, RefusedKept::NoRoom), "{restarted}: {kept:?}");
        assert_eq!(node.ledger().open_refused(), REFUSED_BOUND);
    }
    close(&node, 3).await;
    assert_eq!(count(&node, RefusedFilter::Closed).await, 1);
    let one_more = refused(REFUSED_BOUND);
    let kept = node.ledger().keep_refused(one_more, None, node.now).await;
    assert!(matches!(kept, RefusedKept::Durable(_)), "{kept:?}");
    assert_eq!(count(&node, RefusedFilter::Closed).await, 0);
    assert_eq!(count(&node, RefusedFilter::All).await, REFUSED_BOUND);
}

#[tokio::test]
async fn a_bill_with_an_open_refused_pay_result_is_not_forgotten_and_a_closed_entry_is() {
    let mut node = Node::alone(&Store::Embedded).await;
    let bill = bill("202611", "");
    let kept = node
        .ledger()
        .keep_refused(refused(1), Some(&bill), node.now);
    assert!(matches!(kept.await, RefusedKept::Durable(_)));
    let later = node.now.plus(Duration::from_hours(24));
    for restarted in [false, true] {
        if restarted {
            node.restart().await;
        }
        assert_eq!(node.forget_bills(later).await, 0);
        assert!(
            node.ledger()
                .look_up(&bill, later)
                .await
                .unwrap()
                .error_bill
        );
        assert!(
            node.ledger()
                .verify()
                .await
                .unwrap()
                .audit
                .findings
                .is_empty()
        );
    }
    close(&node, 1).await;
    assert!(
        !node
            .ledger()
            .look_up(&bill, later)
            .await
            .unwrap()
            .error_bill
    );
    assert!(
        node.ledger()
            .verify()
            .await
            .unwrap()
            .audit
            .findings
            .is_empty()
    );
    assert_eq!(node.forget_bills(later).await, 1);
    assert_eq!(count(&node, RefusedFilter::All).await, 0);
}

#[tokio::test]
async fn a_refused_pay_result_that_opens_again_makes_its_bill_an_error_bill_again() {
    let node = Node::alone(&Store::Embedded).await;
    let bill = bill("202611", "");
    let half = || RefusedPayResult {
        is_whole: false,
        ..refused(1)
    };
    for _ in 0..2 {
        let kept = node.ledger().keep_refused(half(), Some(&bill), node.now);
        assert!(matches!(kept.await, RefusedKept::Durable(_)));
        assert!(
            node.ledger()
                .look_up(&bill, node.now)
                .await
                .unwrap()
                .error_bill
        );
        close(&node, 1).await;
        assert!(
            !node
                .ledger()
                .look_up(&bill, node.now)
                .await
                .unwrap()
                .error_bill
        );
    }
}
