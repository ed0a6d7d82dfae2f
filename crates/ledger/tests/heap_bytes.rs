//! What the states of bills say that they take is what the allocator of the program gives them.
#![allow(clippy::cast_precision_loss, clippy::unwrap_used, missing_docs)]

use ledger::{BillState, DeliveryState, Fact, FactKind, HeapBytes, MessageDigest, Stamp};
use mimalloc::MiMalloc;
use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// So much is measured at least: what the program takes besides does not count then.
const ENOUGH_BYTES: usize = 48 << 20;

/// The facts of the bill with a number. One at a time: what a list of them takes would be measured too.
type Shape = fn(u32) -> Box<dyn Iterator<Item = FactKind>>;

#[test]
fn states_of_every_shape_take_what_they_say_within_15_percent() {
    let shapes: [(&str, Shape); 5] = [
        ("one payment", |_| paid(0..1, PayType::P)),
        ("ten payments", |_| paid(0..10, PayType::P)),
        ("20,000 payments", |_| paid(0..20_000, PayType::P)),
        ("20,000 cancels", |_| paid(0..20_000, PayType::C)),
        ("error bill", classified),
    ];
    // Nothing is freed before the end: what the allocator has left would be taken again.
    let mut kept = Vec::new();
    for (name, shape) in shapes {
        let (mut states, mut said) = (Vec::with_capacity(1 << 18), 0);
        // The pages of the list itself are there before.
        states.resize_with(states.capacity(), BillState::default);
        let before = resident_bytes();
        for (turn, state) in (0..).zip(&mut states) {
            for kind in shape(turn) {
                state.fold(&fact(kind));
            }
            said += state.heap_bytes();
            if said > ENOUGH_BYTES {
                break;
            }
        }
        let taken = resident_bytes() - before;
        let ratio = said as f64 / taken as f64;
        assert!(
            said > ENOUGH_BYTES && (0.85..1.15).contains(&ratio),
            "{name}: {said} said, {taken} taken"
        );
        kept.push(states);
    }
}

#[test]
fn a_bill_takes_what_its_text_takes() {
    let texts = [("", 16), ("0123456789", 32)];
    for (user_key, bytes) in texts {
        let bill = Bill::from_parts(biller(), user_key, "", "", "", &[]);
        assert_eq!(bill.heap_bytes(), bytes, "{user_key:?}");
    }
}

fn paid(numbers: std::ops::Range<u32>, pay_type: PayType) -> Box<dyn Iterator<Item = FactKind>> {
    let kinds = numbers.flat_map(move |number| {
        let digits = format!("20261124{number:06}");
        let event = PaymentEvent {
            pay_id: match pay_type {
                PayType::P => PayId::parse(&number.to_string()).unwrap(),
                PayType::C => PayId::parse("7").unwrap(),
            },
            pay_type,
            paid_at: PaidAt::parse(&digits).unwrap(),
            pay_amount: Decimal::parse("20000").unwrap(),
        };
        let message = MessageDigest::of(b"");
        let payment = FactKind::Payment {
            event: event.clone(),
            mark_ends_at: None,
            message,
        };
        let state = DeliveryState::Accepted;
        [
            payment,
            FactKind::Delivery {
                event,
                message,
                state,
            },
        ]
    });
    Box::new(kinds)
}

fn classified(turn: u32) -> Box<dyn Iterator<Item = FactKind>> {
    let classified = FactKind::Classified {
        reason: "x".repeat(turn as usize % 90),
        operator: "kim".to_owned(),
    };
    let refused = |number: u8| FactKind::PayResultRefused {
        message: MessageDigest::of(&[number]),
    };
    let linked = FactKind::Linked {
        attempt: Stamp::default(),
        expire_at: KoreanTime::parse("20991231235959").unwrap(),
    };
    Box::new([classified, linked, refused(0), refused(1)].into_iter())
}

fn fact(kind: FactKind) -> Fact {
    let (stamp, bill) = (Stamp { time: 1, node: 1 }, bill());
    Fact { stamp, bill, kind }
}

fn bill() -> Bill {
    Bill::from_parts(biller(), "0000000001", "202611", "", "", &[])
}

fn biller() -> BillerCode {
    BillerCode::parse("B0001").unwrap()
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with("RssAnon")).unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}
