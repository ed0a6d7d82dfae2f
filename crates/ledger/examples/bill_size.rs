//! What one operation on the state of a bill costs, by the number of its events.
//!
//! `cargo run --release -p relay-ledger --example bill_size`
#![allow(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ledger::{BillState, DeliveryState, Fact, FactKind, MessageDigest, Stamp, Timestamp};
use protocol::{Bill, BillerCode, Decimal, PaidAt, PayId, PayType, PaymentEvent};

const SIZES: [u32; 4] = [1, 100, 10_000, 50_000];

/// A measurement takes so long at least.
const ENOUGH: Duration = Duration::from_millis(200);

/// The shapes of long bills, each with its events by their numbers.
const SHAPES: [(&str, Events); 3] = [
    ("payments", |number| event(number, PayType::P, 0, 100)),
    ("cancels of one payment", |number| match number {
        0 => event(0, PayType::P, 0, 1_000_000_000),
        number => event(0, PayType::C, number, 1),
    }),
    ("payments and cancels in turns", |number| match number % 2 {
        0 => event(number / 2, PayType::P, 0, 100),
        _ => event(number / 2, PayType::C, 1, 50),
    }),
];

fn main() {
    for (shape, event) in SHAPES {
        println!("\n{shape}: nanoseconds per operation with so many events");
        println!(
            "{:<34}{}",
            "",
            SIZES.map(|size| format!("{size:>12}")).concat()
        );
        for (operation, measure) in operations() {
            let row = SIZES.map(|size| format!("{:>12.0}", measure(size, event)));
            println!("{operation:<34}{}", row.concat());
        }
    }
}

type Events = fn(u32) -> PaymentEvent;
type Operation = fn(u32, Events) -> f64;

fn operations() -> [(&'static str, Operation); 9] {
    [
        ("fold a new payment, in the middle", |size, event| {
            each(&mut folded(size, event), |state, turn| {
                // Between two that are there.
                let mut new = event(size / 2);
                new.pay_id = PayId::from(Decimal::from_parts(i64::from(size / 2), turn).unwrap());
                new.pay_type = PayType::P;
                state.fold(&payment(&new, stamp(1)));
            })
        }),
        ("fold a delivery", |size, event| {
            each(&mut folded(size, event), |state, turn| {
                state.fold(&delivery(&event(size / 2), stamp(turn)));
            })
        }),
        ("is_paid", |size, event| {
            asked(size, event, |state, _| {
                state.is_paid(Timestamp::from_seconds(9))
            })
        }),
        ("latest", |size, event| {
            asked(size, event, |state, _| state.latest())
        }),
        ("undelivered", |size, event| {
            asked(size, event, |state, _| state.undelivered())
        }),
        ("delivery of one event", |size, event| {
            asked(size, event, BillState::delivery)
        }),
        ("effect_of a new payment", |size, event| {
            asked(size, event, |state, one| {
                let new = PaymentEvent {
                    pay_id: PayId::parse("77777777").unwrap(),
                    ..one.clone()
                };
                state
                    .payments()
                    .unwrap()
                    .effect_of(&new, Timestamp::from_seconds(9))
            })
        }),
        ("merge a state of one event", |size, event| {
            let mut one = BillState::default();
            one.fold(&delivery(&event(size / 2), stamp(7)));
            each(&mut folded(size, event), |state, _| state.merge(&one))
        }),
        ("conflicts with one event", |size, event| {
            let ours = folded(size, event);
            let mut theirs = BillState::default();
            let new = PaymentEvent {
                pay_id: PayId::parse("77777777").unwrap(),
                ..event(0)
            };
            theirs.fold(&payment(&new, stamp(7)));
            each(&mut (), |(), _| {
                black_box(ours.conflict(&theirs, &bill()));
            })
        }),
    ]
}

fn asked<A>(size: u32, event: Events, ask: fn(&BillState, &PaymentEvent) -> A) -> f64 {
    let one = event(size / 2);
    each(&mut folded(size, event), |state, _| {
        black_box(ask(black_box(state), black_box(&one)));
    })
}

/// Returns the nanoseconds of one turn.
fn each<S>(state: &mut S, mut turn: impl FnMut(&mut S, i64)) -> f64 {
    let mut turns = 0;
    let began = Instant::now();
    while began.elapsed() < ENOUGH {
        for _ in 0..4 {
            turns += 1;
            turn(state, turns);
        }
    }
    began.elapsed().as_nanos() as f64 / turns as f64
}

fn folded(size: u32, event: Events) -> BillState {
    let mut state = BillState::default();
    for number in 0..size {
        state.fold(&payment(&event(number), stamp(i64::from(number))));
        state.fold(&delivery(&event(number), stamp(i64::from(number))));
    }
    state
}

fn payment(event: &PaymentEvent, stamp: Stamp) -> Fact {
    let (event, message) = (event.clone(), MessageDigest::from_slice(&[0; 32]).unwrap());
    let kind = FactKind::Payment {
        event,
        mark_ends_at: None,
        message,
    };
    Fact {
        stamp,
        bill: bill(),
        kind,
    }
}

fn delivery(event: &PaymentEvent, stamp: Stamp) -> Fact {
    let (event, message) = (event.clone(), MessageDigest::from_slice(&[0; 32]).unwrap());
    let kind = FactKind::Delivery {
        event,
        message,
        state: DeliveryState::Accepted,
    };
    Fact {
        stamp,
        bill: bill(),
        kind,
    }
}

fn event(pay_id: u32, pay_type: PayType, second: u32, won: i64) -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::from(Decimal::from_parts(i64::from(pay_id), 0).unwrap()),
        pay_type,
        paid_at: PaidAt::parse(&format!("20261124{second:06}")).unwrap(),
        pay_amount: Decimal::from_parts(won, 0).unwrap(),
    }
}

fn bill() -> Bill {
    Bill::from_parts(
        BillerCode::parse("B0001").unwrap(),
        "u",
        "202611",
        "",
        "",
        &[],
    )
}

fn stamp(millis: i64) -> Stamp {
    Stamp {
        time: millis << 20,
        node: 1,
    }
}
