//! Writes a journal of many bills, for measurements of large ledgers.
//!
//! `cargo run --release -p relay-ledger --example generate_journal -- FOLDER BILLS [PAID_PERCENT [BILLERS [DAYS]]]`
//!
//! Every bill has a link; the given share is paid too, and its biller accepted the pay-result (300 bytes, an answer of
//! 60). The billers B0001, B0002 … have equal parts. A biller's unpaid bills have the user keys 5000000000, 5000000001
//! …, its paid ones 6000000000, 6000000001 …, all of month 202611 and without a notice key. The first link is DAYS
//! days old, the last a minute; a payment comes 4,000 bills behind its link, so that both are read from places of their
//! own.
#![allow(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ledger::journal::{BulkLoad, Effect, Entry};
use ledger::{
    AnswerSummary, DeliveryState, Digests, Fact, FactContext, FactKind, HybridLogicalClock,
    KeptAnswer, MessageDigest, Timestamp,
};
use protocol::{Bill, BillerCode, KoreanTime, PayResult, Rules};

/// Bills whose facts are one transaction.
const AT_ONCE: u64 = 2_000;

/// Bills that are linked between the link of a bill and its payment.
const PAID_BEHIND: u64 = 4_000;

/// The first user keys of a biller's bills.
const UNPAID_FROM: u64 = 5_000_000_000;
const PAID_FROM: u64 = 6_000_000_000;

const LINKED: Effect = Effect {
    registered: Some(true),
    is_open: false,
};
const PAID: Effect = Effect {
    registered: Some(true),
    is_open: true,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: u64| {
        let given = arguments.get(place);
        given.map_or(usual, |text| text.parse().unwrap())
    };
    let folder = arguments.first().expect("the folder of the journal");
    let days = number(4, 1_826);
    let mut made = Journal {
        bills: number(1, 1_000_000),
        paid_percent: number(2, 50),
        billers: number(3, 10),
        from: Timestamp::now().minus(Duration::from_hours(24 * days)),
        span: Duration::from_hours(24 * days).saturating_sub(Duration::from_mins(1)),
        clock: HybridLogicalClock::new(0, 0),
        answer: answer(),
    };
    let began = Instant::now();
    made.write(Path::new(folder));
    println!("{} bills in {:?}", made.bills, began.elapsed());
}

/// What is written.
struct Journal {
    bills: u64,
    paid_percent: u64,
    billers: u64,
    from: Timestamp,
    span: Duration,
    clock: HybridLogicalClock,
    answer: Arc<KeptAnswer>,
}

impl Journal {
    fn write(&mut self, folder: &Path) {
        let mut journal = BulkLoad::create(folder).unwrap();
        self.clock = HybridLogicalClock::new(journal.node(), 0);
        let mut entries = Vec::new();
        for step in 0..self.bills + PAID_BEHIND {
            if step < self.bills {
                entries.push(self.link(step));
            }
            if let Some(paid) = step.checked_sub(PAID_BEHIND)
                && self.is_paid(paid)
            {
                entries.extend(self.payment(paid, step));
            }
            if step % AT_ONCE == AT_ONCE - 1 {
                journal.write(&entries).unwrap();
                entries.clear();
            }
        }
        journal.write(&entries).unwrap();
        journal.finish().unwrap();
    }

    /// The paid bills are spread evenly over all.
    const fn is_paid(&self, bill: u64) -> bool {
        self.paid_up_to(bill + 1) > self.paid_up_to(bill)
    }

    const fn paid_up_to(&self, bill: u64) -> u64 {
        bill * self.paid_percent / 100
    }

    fn bill(&self, bill: u64) -> Bill {
        let (first, place) = if self.is_paid(bill) {
            (PAID_FROM, self.paid_up_to(bill))
        } else {
            (UNPAID_FROM, bill - self.paid_up_to(bill))
        };
        let code = format!("B{:04}", 1 + place % self.billers);
        let user_key = (first + place / self.billers).to_string();
        let code = BillerCode::parse(&code).unwrap();
        Bill::from_parts(code, &user_key, "202611", "", "", &[])
    }

    fn time(&self, step: u64) -> Timestamp {
        let share = step.min(self.bills) as f64 / self.bills as f64;
        self.from.plus(self.span.mul_f64(share))
    }

    fn link(&self, number: u64) -> Entry {
        let (bill, now) = (self.bill(number), self.time(number));
        let attempt = self.clock.next(now);
        let reserved = FactKind::Reserved {
            until: now.plus(Duration::from_secs(3)),
            after_unknown: false,
        };
        let linked = FactKind::Linked {
            attempt,
            expire_at: KoreanTime::parse("20991231235959").unwrap(),
        };
        let facts = vec![
            Fact {
                stamp: attempt,
                bill: bill.clone(),
                kind: reserved,
            },
            Fact {
                stamp: self.clock.next(now),
                bill,
                kind: linked,
            },
        ];
        Entry::of(facts)
            .with_context(FactContext::of_request(&request_id(number)))
            .with_effects(vec![Some(LINKED); 2])
    }

    /// The payment, and its delivery with the biller's answer.
    fn payment(&self, number: u64, step: u64) -> [Entry; 2] {
        let (bill, now) = (self.bill(number), self.time(step));
        let biller = bill.biller_code();
        let body = body(bill.biller_user_key(), number);
        let rules = Rules {
            parameter_max_length: 8,
            identity_parameters: &[],
        };
        let paid = PayResult::parse(&body, biller, &rules).unwrap();
        let message = MessageDigest::of(&body);
        let digests = Digests {
            bytes: message,
            canonical: paid.canonical,
        };
        let context = FactContext {
            canonical: paid.canonical,
            ..FactContext::of_request(&request_id(number + self.bills))
        };
        let event = paid.event;
        let fact = |kind| Fact {
            stamp: self.clock.next(now),
            bill: bill.clone(),
            kind,
        };
        let payment = fact(FactKind::Payment {
            event: event.clone(),
            mark_ends_at: None,
            message,
        });
        let delivery = fact(FactKind::Delivery {
            event,
            message,
            state: DeliveryState::Accepted,
        });
        let said = AnswerSummary {
            status: 200,
            res_code: Some("OK".to_owned()),
            message: Some("성공".to_owned()),
        };
        let delivered = FactContext {
            answer: Some(said),
            ..context.clone()
        };
        [
            Entry::of(vec![payment])
                .with_context(context)
                .with_effects(vec![Some(PAID)])
                .with_message(biller, message, body),
            Entry::of(vec![delivery])
                .with_context(delivered)
                .with_effects(vec![Some(LINKED)])
                .with_answer(biller, digests, Arc::clone(&self.answer)),
        ]
    }
}

/// A pay-result of some 300 bytes.
fn body(user_key: &str, pay_id: u64) -> Bytes {
    Bytes::from(format!(
        r#"{{"data":{{"biller_user_key":"{user_key}","billed_year_month":"202611","parameters":{{"pay_rqt_seq":"KT000001"}},"pay_by":"MONEY","pay_type":"P","pay_detail1":"","pay_detail2":"","amount":29000,"pay_amount":29000,"pay_fee_type":"BEFORE","pay_fee":150,"pay_fee_tax":15,"paid_at":"20261128101500","pay_id":{pay_id}}}}}"#
    ))
}

fn answer() -> Arc<KeptAnswer> {
    Arc::new(KeptAnswer {
        status: 200,
        content_type: Bytes::from_static(b"application/json;charset=utf-8"),
        body: Bytes::from_static(
            r#"{"res_code":"OK","message":"성공","data":{"seq":"000001"}}"#.as_bytes(),
        ),
    })
}

/// A UUID, as Kakao Pay's calls have one: different for every number and in no order.
fn request_id(number: u64) -> String {
    let mix = |seed: u64| {
        let mixed = (number ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 32)
    };
    let (upper, lower) = (mix(0), mix(0x5851_f42d_4c95_7f2d));
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        upper >> 32,
        upper >> 16 & 0xffff,
        upper & 0xfff,
        lower >> 48 & 0xfff,
        lower & 0xffff_ffff_ffff
    )
}
