//! Random scripts, run on two nodes with one Redis, on one node without, and on a reference model of
//! contract section 4. After every step all of them must have given the same answer.
//!
//! The steps are sequential, so that every answer is determined. `SCRIPTS=1000` runs more scripts.
#![allow(clippy::unwrap_used, missing_docs)]

mod reference;
#[path = "../support/mod.rs"]
mod support;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger::{
    Claim, DeliveryOutcome, DeliveryState, KeptAnswer, LinkOutcome, MessageDigest, RecordOutcome,
    Reservation, Timestamp,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent};
use reference::{Outcome, Reference};
use support::{BUDGET, Node, Store, time};
use test_support::RedisServer;

type Checked = Result<(), TestCaseError>;

/// The index of a bill, modulo the number of the script's bills.
type Which = usize;

#[derive(Clone, Debug)]
enum Step {
    Create(Which, Outcome),
    /// A creation whose outcome comes later or never.
    Reserve(Which),
    /// The outcome of the oldest creation without one.
    Settle(Outcome),
    Recreate(Which, Hours),
    Tell(Which, Event, DeliveryState),
    Classify(Which),
    Clear(Which),
    Wait(Duration),
    /// Forgets link creations that Kakao Pay refused. No answer may change.
    ForgetRefusedLinks,
    Restart,
}

/// Relative to now, so that a link may already have ended.
type Hours = i64;

#[derive(Clone, Copy, Debug)]
struct Event {
    pay_id: u8,
    pay_type: PayType,
    thousands: i64,
    /// The same amount in another spelling: another body of the same event.
    is_spelled_otherwise: bool,
}

fn hours() -> impl Strategy<Value = Hours> {
    prop_oneof![Just(-5), 1_i64..40]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => hours().prop_map(Outcome::Linked),
        1 => Just(Outcome::Refused),
        1 => Just(Outcome::Unknown),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let pay_type = prop_oneof![2 => Just(PayType::P), 1 => Just(PayType::C)];
    let spelled = prop::bool::weighted(0.2);
    (0..3_u8, pay_type, 1..3_i64, spelled).prop_map(
        |(pay_id, pay_type, thousands, is_spelled_otherwise)| Event {
            pay_id,
            pay_type,
            thousands,
            is_spelled_otherwise,
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    let which = 0..BILLS.len();
    let state = prop_oneof![
        3 => Just(DeliveryState::Accepted),
        1 => Just(DeliveryState::Refused),
        1 => Just(DeliveryState::Unknown),
        1 => Just(DeliveryState::Pending),
    ];
    let wait = prop_oneof![
        Just(BUDGET),
        Just(Duration::from_hours(7)),
        Just(Duration::from_hours(26))
    ];
    prop_oneof![
        8 => (which.clone(), outcomes()).prop_map(|(bill, outcome)| Step::Create(bill, outcome)),
        3 => which.clone().prop_map(Step::Reserve),
        3 => outcomes().prop_map(Step::Settle),
        4 => (which.clone(), hours()).prop_map(|(bill, hours)| Step::Recreate(bill, hours)),
        12 => (which.clone(), events(), state)
            .prop_map(|(bill, event, state)| Step::Tell(bill, event, state)),
        1 => which.clone().prop_map(Step::Classify),
        2 => which.prop_map(Step::Clear),
        2 => wait.prop_map(Step::Wait),
        2 => Just(Step::ForgetRefusedLinks),
        1 => Just(Step::Restart),
    ]
}

/// Month, ordinal, notice key, identity parameter.
const BILLS: [[&str; 4]; 7] = [
    ["202611", "", "", ""],
    ["202611", "", "N1", ""],
    ["202611", "", "N2", ""],
    ["202611", "", "N1", "7"],
    ["202611", "", "", "7"],
    ["202612", "1", "N1", ""],
    // Its bill cannot be distinguished from next month's.
    ["", "", "", ""],
];

/// The nodes, for all scripts; every script has its own bills.
struct House {
    nodes: Vec<Node>,
    now: Timestamp,
    scripts: usize,
}

/// The state of one running script.
struct Play<'a> {
    house: &'a mut House,
    bills: Vec<Bill>,
    reference: Reference,
    waiting: Vec<(usize, Which, Reservation)>,
    attempts: usize,
}

impl House {
    async fn open(store: &Store, nodes: usize) -> Self {
        let mut house = Self {
            nodes: Vec::new(),
            now: time("20261124120000"),
            scripts: 0,
        };
        for _ in 0..nodes {
            house.nodes.push(Node::on(store).await);
        }
        house
    }

    /// A script has few bills, so that its steps affect each other.
    async fn play(&mut self, bills: &[[&str; 4]], script: &[(usize, Step)]) -> Checked {
        self.scripts += 1;
        let user = format!("{:010}", self.scripts);
        let biller = BillerCode::parse("B0001").unwrap();
        let bill = |[month, ordinal, key, identity]: [&str; 4]| {
            let key = if key.is_empty() {
                String::new()
            } else {
                format!("{key}-{user}")
            };
            Bill::from_parts(biller, &user, month, ordinal, &key, &[("seq", identity)])
        };
        let mut play = Play {
            bills: bills.iter().copied().map(bill).collect(),
            house: self,
            reference: Reference::default(),
            waiting: Vec::new(),
            attempts: 0,
        };
        for (place, step) in script {
            let place = place % play.house.nodes.len();
            play.step(place, step).await?;
            play.compare().await?;
        }
        Ok(())
    }

    /// Advances the clock of all nodes.
    fn pass(&mut self, span: Duration) {
        self.now = self.now.plus(span);
        for node in &mut self.nodes {
            node.now = self.now;
        }
    }
}

impl Play<'_> {
    async fn step(&mut self, place: usize, step: &Step) -> Checked {
        self.house.pass(Duration::from_millis(1));
        let bills = self.bills.len();
        match step {
            Step::Create(bill, outcome) => {
                self.reserve(place, bill % bills).await?;
                // Not the attempt that was refused.
                if self
                    .waiting
                    .last()
                    .is_some_and(|(attempt, ..)| *attempt == self.attempts)
                {
                    let last = self.waiting.len() - 1;
                    self.settle(place, last, *outcome).await;
                }
            }
            Step::Reserve(bill) => self.reserve(place, bill % bills).await?,
            Step::Settle(outcome) if !self.waiting.is_empty() => {
                self.settle(place, 0, *outcome).await;
            }
            Step::Settle(_) => {}
            Step::Recreate(bill, hours) => self.recreate(place, bill % bills, *hours).await?,
            Step::Tell(bill, event, state) => self.tell(place, bill % bills, event, *state).await?,
            Step::Classify(bill) => self.classify(place, bill % bills, true).await,
            Step::Clear(bill) => self.classify(place, bill % bills, false).await,
            Step::Wait(span) => self.house.pass(*span),
            Step::ForgetRefusedLinks => {
                let ledger = self.house.nodes[place].ledger().clone();
                let before = self.house.now.plus(Duration::from_millis(1));
                let forgotten =
                    tokio::task::spawn_blocking(move || ledger.forget_refused_links(before));
                forgotten.await.unwrap().unwrap();
            }
            Step::Restart => self.house.nodes[place].restart().await,
        }
        Ok(())
    }

    async fn reserve(&mut self, place: usize, bill: Which) -> Checked {
        self.attempts += 1;
        let now = self.house.now;
        let until = now.plus(BUDGET);
        let reserved = self.house.nodes[place].reserve(&self.bills[bill]).await;
        let expected = self.reference.reserve(
            &self.bills[bill],
            self.attempts,
            now.millis(),
            until.millis(),
        );
        let refused = reserved.as_ref().map(|_| ()).map_err(|refusal| *refusal);
        prop_assert_eq!(refused, expected);
        if let Ok(reservation) = reserved {
            self.waiting.push((self.attempts, bill, reservation));
        }
        Ok(())
    }

    /// Settles through any node: the result depends on the facts only.
    async fn settle(&mut self, place: usize, waiting: usize, outcome: Outcome) {
        self.house.pass(Duration::from_millis(1));
        let (attempt, bill, reservation) = self.waiting.remove(waiting);
        let now = self.house.now;
        let settled = match outcome {
            Outcome::Linked(hours) => LinkOutcome::Linked {
                expire_at: korean(in_hours(now, hours)),
            },
            Outcome::Refused => LinkOutcome::Released,
            Outcome::Unknown => LinkOutcome::Unknown,
        };
        let ledger = self.house.nodes[place].ledger();
        ledger.settle(&reservation, &settled, now).await.unwrap();
        let outcome = match outcome {
            Outcome::Linked(hours) => Outcome::Linked(in_hours(now, hours)),
            other => other,
        };
        self.reference.settle(&self.bills[bill], attempt, outcome);
    }

    async fn recreate(&mut self, place: usize, bill: Which, hours: Hours) -> Checked {
        let node = &self.house.nodes[place];
        let found = node.find(&self.bills[bill]).await;
        let now = node.now.millis();
        let expected = self.reference.find_for_recreate(&self.bills[bill], now);
        prop_assert_eq!(&found, &expected);
        if let Ok(found) = found {
            let ends = in_hours(node.now, hours);
            let relinked = node
                .ledger()
                .relink(
                    &found,
                    ledger::FactContext::default(),
                    korean(ends),
                    node.now,
                )
                .await;
            relinked.unwrap();
            self.reference.relink(&found, ends);
        }
        Ok(())
    }

    /// Handles a pay-result as the flow does.
    async fn tell(
        &mut self,
        place: usize,
        bill: Which,
        event: &Event,
        state: DeliveryState,
    ) -> Checked {
        let (node, bill) = (&self.house.nodes[place], &self.bills[bill]);
        let (ledger, now) = (node.ledger(), node.now);
        let (event, body) = (event.event(), event.body(bill));
        let message = MessageDigest::of(&body);
        let kept = self.reference.kept(&body).cloned();
        let guard = match ledger.claim(bill, &event, message).await {
            Claim::Granted(guard) => guard,
            Claim::Accepted { answer, .. } => {
                prop_assert_eq!(Some(&*answer), kept.as_ref());
                return Ok(());
            }
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };
        let recorded = match node.begin(bill, &event, &body, message).await {
            RecordOutcome::Recorded(recorded) => recorded,
            RecordOutcome::AcceptedElsewhere { answer, .. } => {
                prop_assert_eq!(Some(answer), kept);
                return Ok(());
            }
        };
        prop_assert_eq!(None, kept, "delivered again");
        let expected = self.reference.take(bill, &event, now.millis());
        prop_assert_eq!(recorded.effect, expected);

        let answer = KeptAnswer {
            status: 200,
            content_type: Bytes::from_static(b"application/json;charset=utf-8"),
            body: Bytes::from(format!("{{\"res_code\":\"OK\",\"at\":{}}}", now.millis())),
        };
        let delivered = match state {
            DeliveryState::Accepted => DeliveryOutcome::Accepted(answer.clone()),
            DeliveryState::Refused => DeliveryOutcome::Refused,
            DeliveryState::Unknown => DeliveryOutcome::Unknown,
            DeliveryState::Pending => DeliveryOutcome::Pending,
            DeliveryState::Closed => unreachable!("no attempt ends so"),
        };
        let settled = ledger.record_delivery(bill, &event, message.into(), delivered, now);
        settled.await.unwrap();
        drop(guard);
        let accepted = (state == DeliveryState::Accepted).then_some((&*body, &answer));
        self.reference.deliver(bill, &event, state, accepted);

        for node in &self.house.nodes {
            let known = node.ledger().scoped_state(bill).await.state;
            let delivery = known.and_then(|known| known.delivery(&event));
            prop_assert_eq!(delivery, self.reference.delivery(bill, &event));
        }
        Ok(())
    }

    async fn classify(&mut self, place: usize, bill: Which, error_bill: bool) {
        let (node, bill) = (&self.house.nodes[place], &self.bills[bill]);
        let (why, who) = ("민원".to_owned(), "kim".to_owned());
        let result = if error_bill {
            node.ledger().classify(bill, why, who, node.now).await
        } else {
            node.ledger().clear(bill, why, who, node.now).await
        };
        result.unwrap();
        self.reference.classify(bill, error_bill);
    }

    /// Checks that every node agrees with the reference on every bill.
    async fn compare(&mut self) -> Checked {
        let now = self.house.now.millis();
        for bill in &self.bills {
            let (error_bill, paid) = self.reference.view(bill, now);
            for node in &self.house.nodes {
                let view = node.view(bill).await;
                prop_assert_eq!(
                    (view.error_bill, view.paid),
                    (error_bill, paid),
                    "{:?}",
                    bill
                );
            }
        }
        Ok(())
    }
}

impl Event {
    fn event(self) -> PaymentEvent {
        let sign = if self.pay_type == PayType::C { "-" } else { "" };
        let amount = if self.is_spelled_otherwise {
            format!("{sign}{}e3", self.thousands)
        } else {
            format!("{sign}{}000", self.thousands)
        };
        PaymentEvent {
            pay_id: PayId::parse(&self.pay_id.to_string()).unwrap(),
            pay_type: self.pay_type,
            paid_at: PaidAt::parse("20261124120000").unwrap(),
            pay_amount: Decimal::parse(&amount).unwrap(),
        }
    }

    /// Returns a pay-result's body, unique for the bill.
    fn body(self, bill: &Bill) -> Bytes {
        let identity: Vec<_> = bill.identity_parameters().collect();
        let (user, month) = (bill.biller_user_key(), bill.billed_year_month());
        let key = bill.biller_notice_key();
        Bytes::from(format!("{user} {month} {key} {identity:?} {self:?}"))
    }
}

fn in_hours(now: Timestamp, hours: Hours) -> i64 {
    // `expire_at` has whole seconds.
    (now.millis() / 1_000 + hours * 3_600) * 1_000
}

/// Formats a time as Kakao Pay does.
fn korean(millis: i64) -> KoreanTime {
    let seconds = millis / 1_000 + 9 * 3_600;
    let (mut day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let mut year = 1970;
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while day >= 365 + i64::from(is_leap(year)) {
        day -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 0;
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    let text = format!(
        "{year}{:02}{:02}{hour:02}{minute:02}{:02}",
        month + 1,
        day + 1,
        second % 60
    );
    KoreanTime::parse(&text).unwrap()
}

fn play_scripts(store: &Store, nodes: usize) {
    let cases = std::env::var("SCRIPTS").map_or(64, |cases| cases.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let house = RefCell::new(runtime.block_on(House::open(store, nodes)));
    let bills = prop::sample::subsequence(BILLS.to_vec(), 1..=3);
    let script = (bills, prop::collection::vec((0..2_usize, steps()), 1..30));
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let played = TestRunner::new(config).run(&script, |(bills, script)| {
        runtime.block_on(house.borrow_mut().play(&bills, &script))
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
}

#[test]
fn two_nodes_on_one_redis_do_what_the_contract_says() {
    play_scripts(&Store::shared(&Arc::new(RedisServer::start())), 2);
}

#[test]
fn one_node_without_redis_does_what_the_contract_says() {
    play_scripts(&Store::Embedded, 1);
}

#[test]
fn a_formatted_time_is_parsed_back() {
    for text in ["20261124120000", "20280229235959", "20270101000000"] {
        assert_eq!(korean(time(text).millis()).as_str(), text);
    }
}
