//! The indexes say what the fold says, whoever found that out.

use std::path::Path;

use proptest::prelude::*;
use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent};
use rusqlite::Connection;

use super::effect::{Effect, registered};
use super::insert::Inserter;
use super::{Entry, Forgotten, ForgottenFacts, Reader, Snapshot, recompute, schema};
use crate::{BillState, DeliveryState, Fact, FactKind, MessageDigest, Stamp, Timestamp};

/// The node whose journal it is.
const NODE: u32 = 7;

fn bill(number: u8) -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    let notice_key = format!("N{number}");
    Bill::from_parts(biller, "1", "202611", "", &notice_key, &[])
}

fn event(second: u8, pay_type: PayType, amount: i64) -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::parse("5").unwrap(),
        pay_type,
        paid_at: PaidAt::parse(&format!("202611240000{second:02}")).unwrap(),
        pay_amount: Decimal::parse(&amount.to_string()).unwrap(),
    }
}

/// Facts of a bill, whose pay-results are its own.
fn kinds(number: u8) -> impl Strategy<Value = FactKind> {
    let attempt = || (1..12_i64).prop_map(stamp);
    let event = || {
        let pay_type = prop_oneof![Just(PayType::P), Just(PayType::C)];
        (0..2_u8, pay_type, -2..3_i64)
            .prop_map(|(second, kind, amount)| event(second, kind, amount))
    };
    let message = MessageDigest::of(&[number]);
    let expire_at = KoreanTime::parse("20261231235959").unwrap();
    let state = prop_oneof![
        Just(DeliveryState::Accepted),
        Just(DeliveryState::Refused),
        Just(DeliveryState::Unknown),
        Just(DeliveryState::Pending),
    ];
    prop_oneof![
        any::<bool>().prop_map(|after_unknown| FactKind::Reserved {
            until: Timestamp::from_millis(9),
            after_unknown
        }),
        (attempt(), any::<bool>()).prop_map(|(attempt, after_unknown)| FactKind::Released {
            attempt,
            after_unknown
        }),
        attempt().prop_map(|attempt| FactKind::Uncertain { attempt }),
        attempt().prop_map(move |attempt| FactKind::Linked { attempt, expire_at }),
        event().prop_map(move |event| FactKind::Payment {
            event,
            mark_ends_at: None,
            message
        }),
        event().prop_map(move |event| FactKind::Payment {
            event,
            mark_ends_at: None,
            message
        }),
        (event(), state).prop_map(move |(event, state)| FactKind::Delivery {
            event,
            message,
            state
        }),
        event().prop_map(move |event| FactKind::DeliveryClosed {
            event,
            message,
            reason: "by hand".to_owned(),
            operator: "operator".to_owned()
        }),
        Just(FactKind::PayResultRefused { message }),
        Just(FactKind::Classified {
            reason: "by hand".to_owned(),
            operator: "operator".to_owned()
        }),
    ]
}

fn stamp(time: i64) -> Stamp {
    Stamp { time, node: NODE }
}

/// Facts of two bills with stamps of their own, in an order that is not theirs, some of them twice.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let fact = (0..2_u8).prop_flat_map(|number| (Just(number), kinds(number)));
    proptest::collection::vec(fact, 1..12).prop_flat_map(|made| {
        let with_stamps = made
            .into_iter()
            .zip(1..)
            .map(|((number, kind), time)| Fact {
                stamp: stamp(time),
                bill: bill(number),
                kind,
            });
        let mut facts: Vec<Fact> = with_stamps.collect();
        facts.extend(facts.first().cloned());
        Just(facts).prop_shuffle()
    })
}

fn journal() -> (Connection, Inserter) {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::prepare(&mut connection, Path::new("")).unwrap();
    connection
        .execute("UPDATE node SET number = ?1, author = ?1", [NODE])
        .unwrap();
    (connection, Inserter::new(NODE))
}

fn write(connection: &mut Connection, inserter: &mut Inserter, entries: &[Entry]) {
    let transaction = connection.transaction().unwrap();
    inserter.insert_all(&transaction, entries.iter()).unwrap();
    transaction.commit().unwrap();
}

/// Entries of one fact each, with the effects that somebody knows who has folded all of a bill.
fn told(facts: &[Fact], is_known: impl Fn(usize) -> bool) -> Vec<Entry> {
    let mut states = [BillState::default(), BillState::default()];
    let entry = |(place, fact): (usize, &Fact)| {
        let state = usize::from(fact.bill == bill(1));
        let effect = Effect::fold(&mut states[state], fact);
        let known = is_known(place).then_some(effect);
        Entry::of(vec![fact.clone()]).with_effects(vec![known])
    };
    facts.iter().enumerate().map(entry).collect()
}

fn folded(facts: &[Fact], number: u8) -> BillState {
    let mut state = BillState::default();
    for fact in facts.iter().filter(|fact| fact.bill == bill(number)) {
        state.fold(fact);
    }
    state
}

/// What is open of a bill by its state: events without a delivery, and those with one that is not settled.
fn open_by_state(facts: &[Fact], number: u8) -> Vec<(PaymentEvent, bool)> {
    let state = folded(facts, number);
    let mut open = Vec::new();
    for group in state
        .payments()
        .iter()
        .flat_map(|payments| payments.groups())
    {
        for record in group.records {
            match record.delivery {
                None => open.push((record.event, false)),
                Some((_, delivery)) if !delivery.is_settled() => open.push((record.event, true)),
                Some(_) => {}
            }
        }
    }
    open
}

/// The same by the rows: the amount without its sign, as in a state.
fn open_by_rows(reader: &Reader, number: u8) -> Vec<(PaymentEvent, bool)> {
    let payments = reader.cut_off_payments().unwrap();
    let deliveries = reader.open_deliveries(None, usize::MAX).unwrap();
    let of_bill = payments.into_iter().chain(deliveries);
    let of_bill = of_bill.filter(|row| row.fact.bill == bill(number));
    of_bill
        .filter_map(|row| match row.fact.kind {
            FactKind::Payment { event, .. } => Some((event, false)),
            FactKind::Delivery { event, .. } => Some((event, true)),
            _ => None,
        })
        .collect()
}

/// An event by which rows and states are compared: a payment's amount is the larger one of its reports.
fn sorted(events: Vec<(PaymentEvent, bool)>) -> Vec<(PayType, PaidAt, Option<Decimal>, bool)> {
    let key = |(event, delivered): (PaymentEvent, bool)| {
        let amount = (event.pay_type == PayType::C).then(|| event.pay_amount.abs());
        (event.pay_type, event.paid_at, amount, delivered)
    };
    let mut events: Vec<_> = events.into_iter().map(key).collect();
    events.sort();
    events
}

fn registered_in(connection: &Connection, number: u8) -> Option<bool> {
    let query = "SELECT registered FROM bill WHERE biller_notice_key = ?1";
    let found = connection.query_row(query, [format!("N{number}")], |row| row.get(0));
    found.unwrap_or_default()
}

fn assert_is_fold(connection: Connection, facts: &[Fact]) -> Connection {
    let registers: Vec<_> = (0..2)
        .map(|number| registered_in(&connection, number))
        .collect();
    let reader = Reader::over(connection);
    for number in 0..2 {
        let state = folded(facts, number);
        assert_eq!(reader.load(&bill(number)).unwrap().state, state);
        assert_eq!(registers[usize::from(number)], registered(state.link()));
        let (rows, said) = (open_by_rows(&reader, number), open_by_state(facts, number));
        assert_eq!(sorted(rows), sorted(said), "{facts:?}");
    }
    reader.into_connection()
}

proptest! {
    #[test]
    fn what_is_open_and_registered_is_what_the_fold_says(
        facts in facts(),
        known in proptest::collection::vec(any::<bool>(), 16),
        group in 1..5_usize,
        snapshot_after in 0..4_usize,
    ) {
        let (mut connection, mut inserter) = journal();
        let entries = told(&facts, |place| known[place]);
        for (number, entries) in entries.chunks(group).enumerate() {
            write(&mut connection, &mut inserter, entries);
            if number == snapshot_after {
                let reader = Reader::over(connection);
                let loaded = reader.load(&bill(0)).unwrap();
                connection = reader.into_connection();
                let snapshot = Snapshot { bill: bill(0), up_to: loaded.last_row, state: loaded.state };
                let entry = Entry::default().with_snapshot(snapshot);
                write(&mut connection, &mut inserter, &[entry]);
            }
        }
        let mut connection = assert_is_fold(connection, &facts);
        // A recompute finds the same, and so it does where the marks were lost.
        let numbers: Vec<i64> = {
            let mut bills = connection.prepare("SELECT id FROM bill").unwrap();
            bills.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        for number in &numbers {
            prop_assert!(!recompute::bill_with_number(&connection, *number).unwrap());
        }
        connection.execute_batch("UPDATE fact SET open = NULL; UPDATE bill SET registered = NULL").unwrap();
        for number in &numbers {
            recompute::bill_with_number(&connection, *number).unwrap();
        }
        connection = assert_is_fold(connection, &facts);
        // What a bill forgets is gone from its marks, too.
        let before = 6;
        let forgotten = Forgotten { bills: vec![bill(0)], before, what: ForgottenFacts::All };
        write(&mut connection, &mut inserter, &[Entry::forgotten(forgotten)]);
        let left: Vec<Fact> = facts
            .iter()
            .filter(|fact| fact.bill != bill(0) || fact.stamp.time >= before)
            .cloned()
            .collect();
        assert_is_fold(connection, &left);
    }
}
