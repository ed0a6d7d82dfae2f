//! A node of the ledger on the servers of a test.

use bytes::Bytes;
use ledger::redis::Topology;
use ledger::{
    DeliveryOutcome, KeptAnswer, Ledger, LinkRefusal, MessageDigest, Options, RecordOutcome,
    Reservation, Scope, Timestamp,
};
use protocol::{Bill, BillerCode, Decimal, PaidAt, PayId, PayType, PaymentEvent};
use tempfile::TempDir;

use crate::store::{PATIENCE, settings};

/// A node with a journal.
pub struct OneNode {
    pub ledger: Ledger,
    _folder: TempDir,
}

impl OneNode {
    /// Opens the ledger and waits until it reaches all servers.
    pub async fn open(topology: Topology) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            redis: Some(settings(topology)),
            ..Options::embedded(folder.path().to_path_buf())
        };
        let ledger = Ledger::open(&options, Timestamp::now()).unwrap();
        let node = Self {
            ledger,
            _folder: folder,
        };
        eventually(async || node.ledger.is_redis_reachable() == Some(true)).await;
        node
    }

    /// Records a payment of a bill and its delivery.
    pub async fn pay(&self, bill: &Bill, answer: Option<KeptAnswer>) {
        let (event, body) = (event(), body(bill));
        let message = MessageDigest::of(&body);
        let now = Timestamp::now();
        let begun = self
            .ledger
            .record_payment(bill, &event, &body, message.into(), now);
        assert!(matches!(begun.await, RecordOutcome::Recorded(_)));
        if let Some(answer) = answer {
            let delivered = DeliveryOutcome::Accepted(answer);
            let recorded =
                self.ledger
                    .record_delivery(bill, &event, message.into(), delivered, now);
            recorded.await.unwrap();
        }
    }

    /// Returns the kept answer to that payment.
    pub async fn begin_again(&self, bill: &Bill) -> RecordOutcome {
        let (event, body) = (event(), body(bill));
        let message = MessageDigest::of(&body);
        let now = Timestamp::now();
        self.ledger
            .record_payment(bill, &event, &body, message.into(), now)
            .await
    }

    /// Reserves a bill for a `link_create`.
    pub async fn reserve(&self, bill: &Bill) -> Result<Reservation, LinkRefusal> {
        let now = Timestamp::now();
        let until = Timestamp::from_millis(now.millis() + 3_000);
        self.ledger
            .reserve(bill, ledger::FactContext::default(), now, until)
            .await
    }

    pub async fn is_paid(&self, bill: &Bill) -> bool {
        self.ledger
            .look_up(bill, Timestamp::now())
            .await
            .unwrap()
            .paid
    }

    pub async fn reach(&self, bill: &Bill) -> Scope {
        self.ledger.scoped_state(bill).await.scope
    }

    /// Waits until no server is in reach.
    pub async fn until_cut_off(&self) {
        eventually(async || self.ledger.is_redis_reachable() == Some(false)).await;
    }

    pub async fn until_all_is_shared(&self) {
        eventually(async || self.ledger.unshared() == 0).await;
    }
}

/// Returns a bill with this user key.
pub fn bill(biller: &str, user_key: &str) -> Bill {
    let biller = BillerCode::parse(biller).unwrap();
    Bill::from_parts(biller, user_key, "202611", "", "", &[])
}

/// Returns an answer of this size.
pub fn answer(bytes: usize) -> KeptAnswer {
    KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json"),
        body: vec![b'x'; bytes].into(),
    }
}

/// Waits until a condition holds.
#[track_caller]
pub fn eventually(mut holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let attempts = async {
            while !holds().await {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, attempts).await;
        assert!(in_time.is_ok(), "it never came about: {caller}");
    }
}

fn event() -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::parse("1").unwrap(),
        pay_type: PayType::P,
        paid_at: PaidAt::parse("20261124120000").unwrap(),
        pay_amount: Decimal::parse("20000").unwrap(),
    }
}

fn body(bill: &Bill) -> Bytes {
    Bytes::from(format!("{bill:?}"))
}
