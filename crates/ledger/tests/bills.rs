//! The ledger of one node, as the flows use it, over a real journal.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use bytes::Bytes;
use ledger::{
    BillView, Claim, Delivered, Durability, KeptAnswer, Ledger, LinkOutcome, LinkRefusal,
    MessageDigest, Options, Taken, Timestamp,
};
use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayType, PaymentEvent};
use tempfile::TempDir;

const BUDGET: Duration = Duration::from_secs(3);

struct Node {
    directory: TempDir,
    ledger: Option<Ledger>,
    now: Timestamp,
}

impl Node {
    fn start() -> Self {
        let mut node = Self {
            directory: TempDir::new().unwrap(),
            ledger: None,
            now: time("20261124120000"),
        };
        node.restart();
        node
    }

    fn restart(&mut self) {
        drop(self.ledger.take());
        let options = Options {
            directory: self.directory.path().to_path_buf(),
        };
        self.ledger = Some(Ledger::open(&options, self.now).unwrap());
    }

    fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    async fn reserve(&self, bill: &Bill) -> Result<ledger::Reservation, LinkRefusal> {
        self.ledger().reserve(bill, self.now, self.now.plus(BUDGET)).await
    }

    async fn create(&self, bill: &Bill, outcome: LinkOutcome) -> Result<(), LinkRefusal> {
        let reservation = self.reserve(bill).await?;
        self.ledger().settle(&reservation, &outcome, self.now).await.unwrap();
        Ok(())
    }

    async fn link(&self, bill: &Bill, expire_at: &str) -> Result<(), LinkRefusal> {
        let expire_at = KoreanTime::parse(expire_at).unwrap();
        self.create(bill, LinkOutcome::Linked { expire_at }).await
    }

    async fn report(&self, bill: &Bill, event: &PaymentEvent) -> Taken {
        let body = Bytes::from(format!("{event:?}"));
        let message = MessageDigest::of(&body);
        let recorded =
            self.ledger().record_payment(bill, event, &body, message, self.now).await;
        assert!(matches!(recorded.durability, Durability::Durable));
        recorded.taken
    }

    fn is_paid(&self, bill: &Bill) -> bool {
        self.ledger().look_up(bill, self.now).paid
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::from_seconds(KoreanTime::parse(text).unwrap().unix_seconds())
}

fn bill(month: &str, notice_key: &str) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, "0000000001", month, "", notice_key, &[])
}

fn event(pay_id: &str, pay_type: PayType, paid_at: &str, amount: &str) -> PaymentEvent {
    PaymentEvent {
        pay_id: Decimal::parse(pay_id).unwrap(),
        pay_type,
        paid_at: PaidAt::parse(paid_at).unwrap(),
        pay_amount: Decimal::parse(amount).unwrap(),
    }
}

fn pay(pay_id: &str, amount: &str) -> PaymentEvent {
    event(pay_id, PayType::P, "20261124120000", amount)
}

fn cancel(pay_id: &str, amount: &str) -> PaymentEvent {
    event(pay_id, PayType::C, "20261124130000", amount)
}

#[tokio::test]
async fn a_link_is_made_once_and_stays_made_over_a_restart() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    let under_way = node.reserve(&bill).await.unwrap();
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    let expire_at = KoreanTime::parse("20261130235959").unwrap();
    let outcome = LinkOutcome::Linked { expire_at };
    node.ledger().settle(&under_way, &outcome, node.now).await.unwrap();
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    node.restart();
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(node.ledger().find_for_recreate(&bill, node.now), Ok(bill));
}

#[tokio::test]
async fn what_came_of_a_creation_decides_what_may_follow() {
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
        let mut node = Node::start();
        let bill = bill("202611", "");
        node.create(&bill, outcome.clone()).await.unwrap();
        for _ in 0..2 {
            let found = node.ledger().find_for_recreate(&bill, node.now);
            assert_eq!(found.is_ok(), recreate, "{outcome:?}");
            node.restart();
        }
        assert_eq!(node.reserve(&bill).await.is_ok(), create, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_reservation_whose_node_died_is_unknown_after_the_budget() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    drop(node.reserve(&bill).await.unwrap());
    node.restart();
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::AlreadyLinked));
    assert_eq!(
        node.ledger().find_for_recreate(&bill, node.now),
        Err(LinkRefusal::NotRegistered)
    );
    node.now = node.now.plus(BUDGET);
    assert_eq!(node.ledger().find_for_recreate(&bill, node.now), Ok(bill.clone()));
    assert!(node.reserve(&bill).await.is_ok());
}

#[tokio::test]
async fn a_refused_second_attempt_leaves_the_first_one_unknown() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    node.create(&bill, LinkOutcome::Unknown).await.unwrap();
    node.create(&bill, LinkOutcome::Released).await.unwrap();
    node.restart();
    assert_eq!(node.ledger().find_for_recreate(&bill, node.now), Ok(bill));
}

#[tokio::test]
async fn a_notice_key_belongs_to_one_bill() {
    let node = Node::start();
    node.link(&bill("202611", "N1"), "20261130235959").await.unwrap();
    let other = bill("202612", "N1");
    assert_eq!(node.reserve(&other).await, Err(LinkRefusal::NoticeKeyTaken));
    assert!(node.reserve(&bill("202612", "N2")).await.is_ok());
}

#[tokio::test]
async fn a_notice_key_whose_creation_was_refused_is_free_again() {
    let node = Node::start();
    node.create(&bill("202611", "N1"), LinkOutcome::Released).await.unwrap();
    assert!(node.reserve(&bill("202612", "N1")).await.is_ok());
}

#[tokio::test]
async fn without_a_notice_key_two_bills_that_share_the_rest_cannot_be_told_apart() {
    let node = Node::start();
    let keyless = bill("202611", "");
    node.link(&bill("202611", "N1"), "20261130235959").await.unwrap();
    let only = node.ledger().find_for_recreate(&keyless, node.now);
    assert_eq!(only, Ok(bill("202611", "N1")));
    node.link(&bill("202611", "N2"), "20261130235959").await.unwrap();
    assert_eq!(node.reserve(&keyless).await, Err(LinkRefusal::NoticeKeyNeeded));
    assert_eq!(
        node.ledger().find_for_recreate(&keyless, node.now),
        Err(LinkRefusal::NoticeKeyNeeded)
    );
    // Another month is another bill.
    assert!(node.reserve(&bill("202612", "")).await.is_ok());
}

#[tokio::test]
async fn an_error_bill_refuses_links_until_it_is_cleared() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    node.link(&bill, "20261130235959").await.unwrap();
    let (why, who) = ("민원".to_owned(), "kim".to_owned());
    node.ledger().classify(&bill, why.clone(), who.clone(), node.now).await.unwrap();
    node.restart();
    assert!(node.ledger().look_up(&bill, node.now).error_bill);
    assert_eq!(node.reserve(&bill).await, Err(LinkRefusal::ErrorBill));
    let found = node.ledger().find_for_recreate(&bill, node.now);
    assert_eq!(found, Err(LinkRefusal::ErrorBill));
    node.ledger().clear(&bill, why, who, node.now).await.unwrap();
    node.restart();
    assert!(!node.ledger().look_up(&bill, node.now).error_bill);
    assert!(node.ledger().find_for_recreate(&bill, node.now).is_ok());
}

#[tokio::test]
async fn a_bill_is_paid_while_its_events_sum_to_more_than_nothing() {
    // events in the order they come | paid in the end
    let table: [(&[PaymentEvent], bool); 9] = [
        (&[], false),
        (&[pay("1", "20000")], true),
        (&[pay("1", "2e4"), pay("1", "20000")], true),
        (&[pay("1", "20000"), cancel("1", "-20000")], false),
        (&[pay("1", "20000"), cancel("1", "20000")], false),
        (&[cancel("1", "-20000"), pay("1", "20000")], false),
        (&[pay("1", "20000"), cancel("1", "-5000"), cancel("1", "-15000")], false),
        (&[cancel("1", "-5000"), pay("1", "20000"), cancel("1", "-5000")], true),
        (&[pay("1", "20000"), cancel("1", "-20000"), pay("2", "20000")], true),
    ];
    for (events, paid) in table {
        let mut node = Node::start();
        let bill = bill("202611", "");
        for event in events {
            assert_ne!(node.report(&bill, event).await, Taken::Double);
        }
        assert_eq!(node.is_paid(&bill), paid, "{events:?}");
        node.restart();
        assert_eq!(node.is_paid(&bill), paid, "{events:?} after a restart");
    }
}

#[tokio::test]
async fn a_second_payment_and_another_amount_make_an_error_bill() {
    // first event | second event | what the second is taken for
    let table = [
        (pay("1", "20000"), pay("2", "20000"), Taken::Double),
        (pay("1", "20000"), pay("1", "30000"), Taken::OtherAmount),
        (pay("1", "20000"), pay("1", "2e4"), Taken::Again),
        (pay("1", "20000"), cancel("1", "-20000"), Taken::New),
    ];
    for (first, second, taken) in table {
        let mut node = Node::start();
        let bill = bill("202611", "");
        node.report(&bill, &first).await;
        assert_eq!(node.report(&bill, &second).await, taken);
        let error_bill = matches!(taken, Taken::Double | Taken::OtherAmount);
        assert_eq!(node.ledger().look_up(&bill, node.now).error_bill, error_bill);
        node.restart();
        assert_eq!(node.ledger().look_up(&bill, node.now).error_bill, error_bill);
    }
}

#[tokio::test]
async fn the_mark_of_an_indistinct_bill_ends() {
    // expire_at of its link, where it has one | when the mark ends
    let table = [
        (None, "20261125120000"),
        (Some("20261124180000"), "20261124180000"),
        (Some("20261123235959"), "20261125120000"),
    ];
    for (expire_at, end) in table {
        let mut node = Node::start();
        let bill = bill("", "");
        if let Some(expire_at) = expire_at {
            node.link(&bill, expire_at).await.unwrap();
        }
        node.report(&bill, &pay("1", "20000")).await;
        node.restart();
        node.now = Timestamp::from_millis(time(end).millis() - 1);
        assert!(node.is_paid(&bill), "{expire_at:?}");
        node.now = time(end);
        assert!(!node.is_paid(&bill), "{expire_at:?}");
        // Next month's payment is no double one, and counts.
        assert_eq!(node.report(&bill, &pay("2", "20000")).await, Taken::New);
        assert!(node.is_paid(&bill));
        // A late cancel of the ended payment takes nothing from this one.
        node.report(&bill, &cancel("1", "-20000")).await;
        assert!(node.is_paid(&bill));
    }
}

#[tokio::test]
async fn the_mark_of_a_distinct_bill_does_not_end() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    node.link(&bill, "20261124180000").await.unwrap();
    node.report(&bill, &pay("1", "20000")).await;
    node.now = time("20271124120000");
    assert!(node.is_paid(&bill));
}

#[tokio::test]
async fn an_accepted_pay_result_is_claimed_once_and_its_answer_is_kept() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    let event = pay("1", "20000");
    let body = Bytes::from_static(b"{}");
    let message = MessageDigest::of(&body);
    let kept = KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: Bytes::from_static(br#"{"res_code":"OK"}"#),
    };
    let biller = bill.biller_code();
    let Claim::Mine(guard) = node.ledger().claim(biller, message) else {
        panic!("the first claim is ours");
    };
    let Claim::UnderWay(copy) = node.ledger().claim(biller, message) else {
        panic!("a copy waits");
    };
    node.ledger().record_payment(&bill, &event, &body, message, node.now).await;
    let delivered = Delivered::Accepted(kept.clone());
    node.ledger().record_delivery(&bill, &event, message, delivered, node.now).await.unwrap();
    drop(guard);
    copy.ended().await;
    for _ in 0..2 {
        assert!(matches!(node.ledger().claim(biller, message), Claim::AcceptedInJournal));
        let answer = node.ledger().kept_answer(biller, message).await.unwrap();
        assert_eq!(answer, Some(kept.clone()));
        assert_eq!(node.ledger().undelivered(), 0);
        node.restart();
    }
}

#[tokio::test]
async fn what_a_biller_did_not_accept_is_counted_until_it_does() {
    let mut node = Node::start();
    let bill = bill("202611", "");
    let event = pay("1", "20000");
    node.report(&bill, &event).await;
    assert_eq!(node.ledger().undelivered(), 0, "it is being told");
    // A crash here: nobody knows whether the biller heard of it.
    node.restart();
    assert_eq!(node.ledger().undelivered(), 1);
    let message = MessageDigest::of(b"again");
    for delivered in [Delivered::Refused, Delivered::Pending, Delivered::Unknown] {
        node.ledger().record_delivery(&bill, &event, message, delivered, node.now).await.unwrap();
        assert_eq!(node.ledger().undelivered(), 1);
    }
    let kept = KeptAnswer {
        status: 200,
        content_type: Bytes::new(),
        body: Bytes::new(),
    };
    let delivered = Delivered::Accepted(kept);
    node.ledger().record_delivery(&bill, &event, message, delivered, node.now).await.unwrap();
    assert_eq!(node.ledger().undelivered(), 0);
    node.restart();
    assert_eq!(node.ledger().undelivered(), 0);
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_takes_no_links_and_owes_what_was_paid() {
    let mut node = Node::start();
    let file = node.directory.path().join("journal.sqlite3");
    let saboteur = rusqlite::Connection::open(file).unwrap();
    saboteur.busy_timeout(BUDGET).unwrap();
    saboteur.execute_batch("ALTER TABLE fact RENAME TO away").unwrap();

    let paid = bill("202611", "");
    let event = pay("1", "20000");
    let body = Bytes::from_static(b"{}");
    let message = MessageDigest::of(&body);
    let recorded = node.ledger().record_payment(&paid, &event, &body, message, node.now).await;
    assert!(matches!(recorded.durability, Durability::InMemoryOnly(_)));
    assert!(!node.ledger().is_journal_writable());
    assert_eq!(
        node.ledger().look_up(&paid, node.now),
        BillView { error_bill: false, paid: true }
    );
    assert_eq!(node.reserve(&bill("202612", "")).await, Err(LinkRefusal::Unavailable));

    saboteur.execute_batch("ALTER TABLE away RENAME TO fact").unwrap();
    // The next entry is written together with what is owed.
    let recorded = node.ledger().record_payment(&paid, &event, &body, message, node.now).await;
    assert!(matches!(recorded.durability, Durability::Durable));
    assert!(node.ledger().is_journal_writable());
    assert!(node.reserve(&bill("202612", "")).await.is_ok());
    node.restart();
    assert!(node.is_paid(&paid));
}

#[test]
fn two_processes_cannot_share_a_journal() {
    let node = Node::start();
    let options = Options {
        directory: node.directory.path().to_path_buf(),
    };
    let refused = Ledger::open(&options, node.now);
    assert!(refused.unwrap_err().to_string().contains("in use by another process"));
}
