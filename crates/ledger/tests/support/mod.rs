//! A node of the ledger on either store, with a real Redis for the one that needs it.
#![allow(dead_code, missing_docs, clippy::unwrap_used)]

pub mod disk;
pub mod forgery;
pub mod payments;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ledger::redis::{OutOfReach, ServerAddress, Settings, Topology, ValueKey, WallClock};
use ledger::{
    BillView, FactContext, ForgottenCount, KeptFrom, Ledger, LinkOutcome, LinkRefusal, Message,
    MessageDigest, Observer, Options, PaymentEffect, RecordOutcome, RecordedPayment, Reservation,
    Timestamp,
};
use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent};
use tempfile::TempDir;
use test_support::RedisServer;

pub const BUDGET: Duration = Duration::from_secs(3);

/// Where the state of bills is stored.
#[derive(Clone, Debug)]
pub enum Store {
    /// In the node.
    Embedded,
    /// In a Redis that nodes share, under one key prefix.
    Shared(Arc<RedisServer>, String),
    /// The same, and the node has this secret.
    Keyed(Arc<RedisServer>, String, &'static str),
}

impl Store {
    /// Returns a unique key prefix.
    pub fn shared(server: &Arc<RedisServer>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::Shared(Arc::clone(server), format!("test{number}"))
    }

    /// Returns an empty store of the same kind.
    pub fn fresh(&self) -> Self {
        match self {
            Self::Embedded => Self::Embedded,
            Self::Shared(server, _) => Self::shared(server),
            Self::Keyed(server, prefix, secret) => {
                Self::Keyed(Arc::clone(server), prefix.clone(), secret)
            }
        }
    }

    fn settings(&self) -> Option<Settings> {
        let (server, prefix, secret) = match self {
            Self::Embedded => return None,
            Self::Shared(server, prefix) => (server, prefix, None),
            Self::Keyed(server, prefix, secret) => (server, prefix, Some(*secret)),
        };
        Some(Settings {
            topology: Topology::Standalone(ServerAddress::new("127.0.0.1", server.port())),
            database: 0,
            username: None,
            password: None,
            key_prefix: prefix.clone(),
            value_key: secret.map(ValueKey::new),
            tls: None,
            // Longer than in production: the tests share two cores with one another.
            timeout: Duration::from_secs(2),
        })
    }
}

/// A node with a journal and a clock that the test sets.
pub struct Node {
    directory: TempDir,
    store: Store,
    ledger: Option<Ledger>,
    clock: WallClock,
    /// After this time without a node this one acts for it, from its next start on.
    pub takes_over_after: Duration,
    /// The number of reported conflicts.
    pub conflicts: Arc<Conflicts>,
    pub now: Timestamp,
}

/// Counts conflicts, payments that were relayed with one copy, and entries of streams that were refused.
#[derive(Debug, Default)]
pub struct Conflicts {
    found: AtomicUsize,
    on_one_disk: AtomicUsize,
    refused_entries: AtomicUsize,
}

impl Conflicts {
    pub fn count(&self) -> usize {
        self.found.load(Ordering::Relaxed)
    }

    pub fn on_one_disk(&self) -> usize {
        self.on_one_disk.load(Ordering::Relaxed)
    }

    pub fn refused_entries(&self) -> usize {
        self.refused_entries.load(Ordering::Relaxed)
    }
}

impl Observer for Conflicts {
    fn redis_operation(&self, _: Duration, _: Result<(), OutOfReach>) {}

    fn payment_conflict(&self, _: BillerCode) {
        self.found.fetch_add(1, Ordering::Relaxed);
    }

    fn payment_on_one_disk(&self) {
        self.on_one_disk.fetch_add(1, Ordering::Relaxed);
    }

    fn entry_refused(&self) {
        self.refused_entries.fetch_add(1, Ordering::Relaxed);
    }
}

impl Node {
    /// Starts the only node of a new store.
    pub async fn alone(store: &Store) -> Self {
        Self::on(&store.fresh()).await
    }

    /// Starts a node on this store.
    pub async fn on(store: &Store) -> Self {
        Self::by(store, WallClock(Timestamp::now), time("20261124120000")).await
    }

    /// Starts a node on this store with this clock, which shows `now`.
    pub async fn by(store: &Store, clock: WallClock, now: Timestamp) -> Self {
        let mut node = Self {
            directory: TempDir::new().unwrap(),
            store: store.clone(),
            ledger: None,
            clock,
            takes_over_after: Duration::from_mins(1),
            conflicts: Arc::default(),
            now,
        };
        node.restart().await;
        node
    }

    /// Stops and starts again on the same journal.
    pub async fn restart(&mut self) {
        self.restart_at_once();
        if !matches!(self.store, Store::Embedded) {
            self.until_reachable().await;
        }
    }

    /// The same, without a wait for Redis.
    pub fn restart_at_once(&mut self) {
        drop(self.ledger.take());
        let options = Options {
            redis: self.store.settings(),
            clock: self.clock,
            takes_over_after: self.takes_over_after,
            observer: Some(Arc::<Conflicts>::clone(&self.conflicts)),
            ..options(self.directory.path())
        };
        self.ledger = Some(Ledger::open(&options, self.now).unwrap());
    }

    /// Stops and starts again on the same journal with another store.
    pub async fn restart_on(&mut self, store: &Store) {
        self.store = store.clone();
        self.restart().await;
    }

    /// Stops as a process does.
    pub fn stop(&mut self) {
        drop(self.ledger.take());
    }

    /// Waits for the connection to Redis, which is opened in the background and which links need.
    pub async fn until_reachable(&self) {
        let probe = bill("209912", "");
        eventually(async || {
            self.ledger().find_for_recreate(&probe, self.now).await
                == Err(LinkRefusal::NotRegistered)
        })
        .await;
    }

    pub fn ledger(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Forgets every bill of which nothing was heard since `before`, whatever its class. Returns how many that were.
    pub async fn forget_bills(&self, before: Timestamp) -> u64 {
        let kept = KeptFrom {
            unpaid_bills: before,
            paid_bills: before,
            bodies: Timestamp::from_millis(0),
        };
        let forgotten = self.forget(kept).await;
        forgotten.unpaid_bills + forgotten.paid_bills
    }

    /// Forgets what is older.
    pub async fn forget(&self, kept: KeptFrom) -> ForgottenCount {
        let ledger = self.ledger().clone();
        let forgotten = tokio::task::spawn_blocking(move || ledger.forget_before(kept));
        forgotten.await.unwrap().unwrap()
    }

    pub async fn reserve(&self, bill: &Bill) -> Result<Reservation, LinkRefusal> {
        self.ledger()
            .reserve(
                bill,
                FactContext::default(),
                self.now,
                self.now.plus(BUDGET),
            )
            .await
    }

    pub async fn create(&self, bill: &Bill, outcome: LinkOutcome) -> Result<(), LinkRefusal> {
        let reservation = self.reserve(bill).await?;
        self.ledger()
            .settle(&reservation, &outcome, self.now)
            .await
            .unwrap();
        Ok(())
    }

    pub async fn link(&self, bill: &Bill, expire_at: &str) -> Result<(), LinkRefusal> {
        let expire_at = KoreanTime::parse(expire_at).unwrap();
        self.create(bill, LinkOutcome::Linked { expire_at }).await
    }

    pub async fn report(&self, bill: &Bill, event: &PaymentEvent) -> PaymentEffect {
        let body = Bytes::from(format!("{bill:?} {event:?}"));
        let recorded = self
            .record(bill, event, &body, MessageDigest::of(&body))
            .await;
        assert!(matches!(recorded.durability, ledger::Durability::Durable));
        recorded.effect
    }

    pub async fn record(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        body: &Bytes,
        message: impl Into<Message>,
    ) -> RecordedPayment {
        match self.begin(bill, event, body, message).await {
            RecordOutcome::Recorded(recorded) => recorded,
            elsewhere @ RecordOutcome::AcceptedElsewhere { .. } => panic!("{elsewhere:?}"),
        }
    }

    pub async fn begin(
        &self,
        bill: &Bill,
        event: &PaymentEvent,
        body: &Bytes,
        message: impl Into<Message>,
    ) -> RecordOutcome {
        self.ledger()
            .record_payment(bill, event, body, message.into(), self.now)
            .await
    }

    pub async fn view(&self, bill: &Bill) -> BillView {
        self.ledger().look_up(bill, self.now).await.unwrap()
    }

    pub async fn is_paid(&self, bill: &Bill) -> bool {
        self.view(bill).await.paid
    }

    pub async fn find(&self, bill: &Bill) -> Result<Bill, LinkRefusal> {
        self.ledger().find_for_recreate(bill, self.now).await
    }
}

/// Returns the settings of a node with its journal in `directory`, with the size of the cache that the run has.
pub fn options(directory: &Path) -> Options {
    let default = Options::embedded(directory.to_path_buf());
    Options {
        cache_bytes: test_support::ledger_cache_bytes().unwrap_or(default.cache_bytes),
        ..default
    }
}

/// Waits until a condition holds.
#[track_caller]
pub fn eventually(mut holds: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let attempts = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(30), attempts).await;
        assert!(in_time.is_ok(), "it never came about: {caller}");
    }
}

pub fn time(text: &str) -> Timestamp {
    Timestamp::from_seconds(KoreanTime::parse(text).unwrap().unix_seconds())
}

pub fn bill(month: &str, notice_key: &str) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, "0000000001", month, "", notice_key, &[])
}

pub fn event(pay_id: &str, pay_type: PayType, paid_at: &str, amount: &str) -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::parse(pay_id).unwrap(),
        pay_type,
        paid_at: PaidAt::parse(paid_at).unwrap(),
        pay_amount: Decimal::parse(amount).unwrap(),
    }
}

pub fn pay(pay_id: &str, amount: &str) -> PaymentEvent {
    event(pay_id, PayType::P, "20261124120000", amount)
}

pub fn cancel(pay_id: &str, amount: &str) -> PaymentEvent {
    event(pay_id, PayType::C, "20261124130000", amount)
}
