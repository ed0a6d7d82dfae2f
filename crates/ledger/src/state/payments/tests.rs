//! Short and long lists of payments answer as the contract words it.

use proptest::prelude::*;
use protocol::PayId;

use super::plain::Plain;
use super::*;
use crate::state::codec::{Decoder, Encode};

/// The first moment behind all times of these tests, in milliseconds.
const END: i64 = 40;

/// A payment fact or a delivery fact.
#[derive(Clone, Debug)]
struct Part {
    event: PaymentEvent,
    first_report: FirstReport,
    delivery: Delivery,
}

fn event(pay_id: u32, pay_type: PayType, second: u32, halves: i64) -> PaymentEvent {
    let amount = format!(
        "{}{}.{}",
        if halves < 0 { "-" } else { "" },
        halves.abs() / 2,
        halves.abs() % 2 * 5
    );
    PaymentEvent {
        pay_id: PayId::parse(&pay_id.to_string()).unwrap(),
        pay_type,
        paid_at: PaidAt::parse(&format!("2026112412{second:04}")).unwrap(),
        pay_amount: Decimal::parse(&amount).unwrap(),
    }
}

fn stamp(millis: i64, node: u32) -> Stamp {
    let time = Stamp::time_of(Timestamp::from_millis(millis));
    Stamp { time, node }
}

/// Facts of a bill with up to so many `pay_id`s, and so many times of each.
fn reports(pay_ids: u32, seconds: u32) -> impl Strategy<Value = Vec<Part>> {
    let pay_type = prop_oneof![Just(PayType::P), Just(PayType::C)];
    let members = (0..pay_ids, pay_type, 0..seconds, -4..5i64);
    let events = members
        .prop_map(|(pay_id, pay_type, second, halves)| event(pay_id, pay_type, second, halves));
    let stamp = (1..END, 1..4u32).prop_map(|(millis, node)| stamp(millis, node));
    let end = proptest::option::of((0..END).prop_map(Timestamp::from_millis));
    let state = prop_oneof![
        Just(DeliveryState::Accepted),
        Just(DeliveryState::Refused),
        Just(DeliveryState::Unknown),
        Just(DeliveryState::Pending),
        Just(DeliveryState::Closed),
    ];
    let report = (events, stamp, end, proptest::option::weighted(0.3, state)).prop_map(
        |(event, stamp, end, state)| Part {
            // Only payments have a first report.
            first_report: (state.is_none() && event.pay_type == PayType::P).then_some((stamp, end)),
            delivery: state.map(|state| (stamp, state)),
            event,
        },
    );
    let parts = proptest::collection::vec(report, 0..400);
    parts.prop_map(|mut parts| {
        // No two deliveries have one stamp; several payments may.
        for (number, part) in (10..).zip(&mut parts) {
            if let Some((stamp, _)) = &mut part.delivery {
                stamp.node = number;
            }
        }
        parts
    })
}

/// Bills of every shape: few and many `pay_id`s, few and many events of each.
fn bills() -> impl Strategy<Value = Vec<Part>> {
    prop_oneof![
        reports(3, 2),
        reports(300, 1),
        reports(1, 200),
        reports(20, 30)
    ]
}

fn folded<'a>(reports: impl IntoIterator<Item = &'a Part>) -> Payments {
    let mut payments = Payments::default();
    for report in reports {
        match (report.delivery, report.first_report) {
            (Some((stamp, state)), _) => payments.fold_delivery(&report.event, stamp, state),
            (None, Some((stamp, end))) => payments.fold_payment(&report.event, stamp, end),
            // The stamp of a cancel is not kept.
            (None, None) => payments.fold_payment(&report.event, Stamp::default(), None),
        }
    }
    payments
}

fn plain(reports: &[Part]) -> Plain {
    let mut plain = Plain::default();
    for report in reports {
        plain.fold(&report.event, report.first_report, report.delivery);
    }
    plain
}

fn bytes(payments: &Payments) -> Vec<u8> {
    let mut out = Vec::new();
    payments.encode(&mut out);
    out
}

fn decoded(bytes: &[u8]) -> Payments {
    let versioned = [&[1], bytes].concat();
    Payments::decode(&mut Decoder::new(&versioned).unwrap()).unwrap()
}

/// Every question that is asked of the payments of a bill, and some events that it does not have.
fn answer_alike(payments: &Payments, plain: &Plain, reports: &[Part]) {
    let strangers = [event(999, PayType::P, 0, 2), event(0, PayType::C, 999, 3)];
    for millis in 0..=END {
        let now = Timestamp::from_millis(millis);
        assert_eq!(payments.is_paid(now), plain.is_paid(now), "{now:?}");
    }
    assert_eq!(payments.latest(), plain.latest());
    assert_eq!(payments.undelivered(), plain.undelivered());
    assert_eq!(payments.count(), plain.count());
    assert_eq!(payments.latest_double(), plain.latest_double());
    assert_eq!(bytes(payments), plain.bytes());
    let events = reports.iter().map(|report| &report.event);
    for (index, event) in events.step_by(7).chain(&strangers).enumerate() {
        let now = Timestamp::from_millis(i64::try_from(index).unwrap() % END);
        let own = payments.groups.get(&event.pay_id);
        let own = own.and_then(|group| group.payments.get(&event.paid_at)?.first_report);
        let own = own.map_or(Stamp::default(), |(stamp, _)| stamp);
        let excluding = payments.effect_excluding(event, &[own], now);
        assert_eq!(payments.stamped_delivery(event), plain.delivery(event));
        assert_eq!(payments.effect_of(event, now), plain.effect_of(event, now));
        assert_eq!(excluding, plain.effect_excluding(event, &[own], now));
    }
}

fn undelivered_of_groups(payments: &Payments) -> Vec<(PaymentRecord, Cancellation)> {
    let records = payments.groups().flat_map(|group| {
        let cancelled = group.cancelled;
        group
            .records
            .into_iter()
            .map(move |record| (record, cancelled))
    });
    let is_open = |record: &PaymentRecord| {
        record
            .delivery
            .is_some_and(|(_, state)| !state.is_settled())
    };
    records.filter(|(record, _)| is_open(record)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bills_of_every_size_answer_as_the_contract_words_it(
        (reports, shuffled) in bills().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let payments = folded(&reports);
        answer_alike(&payments, &plain(&reports), &reports);
        // In another order, and every third one twice.
        let again = folded(shuffled.iter().chain(reports.iter().step_by(3)));
        prop_assert!(payments == again);
        prop_assert_eq!(bytes(&payments), bytes(&again));
        let read = decoded(&bytes(&payments));
        prop_assert!(payments == read);
        answer_alike(&read, &plain(&reports), &reports);
    }

    #[test]
    fn merged_bills_of_every_size_answer_as_if_all_facts_were_folded(
        reports in bills(), part in 0..10usize
    ) {
        let (ours, theirs) = reports.split_at(reports.len() * part / 9.max(part));
        for (ours, theirs) in [(ours, theirs), (theirs, ours)] {
            let mut merged = folded(ours);
            prop_assert_eq!(
                merged.latest_other_amount(&folded(theirs)),
                plain(ours).latest_other_amount(&plain(theirs))
            );
            merged.merge(folded(theirs));
            answer_alike(&merged, &plain(&reports), &reports);
            merged.merge(folded(theirs));
            prop_assert!(merged == folded(&reports));
        }
    }

    #[test]
    fn the_list_of_undelivered_events_is_that_of_all_events_without_the_others(reports in bills()) {
        let payments = folded(&reports);
        let listed: Vec<_> = payments.undelivered_records().collect();
        prop_assert_eq!(listed, undelivered_of_groups(&payments));
        for group in payments.groups() {
            prop_assert_eq!(payments.cancellation(&group.pay_id), Some(group.cancelled));
        }
    }

    #[test]
    fn a_value_whose_entries_are_out_of_order_or_twice_is_read_in_order(reports in bills()) {
        let written = |one: &Part| plain(std::slice::from_ref(one)).bytes();
        let mut value = Vec::new();
        (reports.len() as u64).encode(&mut value);
        // Each value of one group begins with the number of groups.
        for one in &reports {
            value.extend_from_slice(&written(one)[1..]);
        }
        prop_assert!(decoded(&value) == folded(&reports));
    }
}

#[test]
fn tens_of_thousands_of_events_in_any_order_are_one_state() {
    const EVENTS: u32 = 20_000;
    // 7,919 is a prime: the third order goes through all of them.
    let orders: [fn(u32) -> u32; 3] = [|n| n, |n| EVENTS - 1 - n, |n| n * 7_919 % EVENTS];
    let cancel = |n: u32| event(1, PayType::C, 0, i64::from(n) + 1);
    let payment = |n: u32| event(n, PayType::P, 0, 2);
    for (event, groups) in [
        (&payment as &dyn Fn(u32) -> PaymentEvent, EVENTS as usize),
        (&cancel, 1),
    ] {
        let states = orders.map(|order| {
            let mut payments = Payments::default();
            for number in (0..EVENTS).map(order) {
                payments.fold_delivery(
                    &event(number),
                    stamp(i64::from(number), 1),
                    DeliveryState::Pending,
                );
            }
            payments
        });
        let [first, others @ ..] = &states;
        assert_eq!(first.groups.len(), groups);
        assert_eq!(first.undelivered(), EVENTS as usize);
        for other in others {
            assert!(first == other && bytes(first) == bytes(other));
        }
        for number in (0..EVENTS).step_by(97) {
            assert_eq!(first.delivery(&event(number)), Some(DeliveryState::Pending));
        }
        assert_eq!(first.latest(), stamp(i64::from(EVENTS) - 1, 1));
    }
}

#[test]
fn a_bill_with_one_payment_takes_no_more_than_vectors_would() {
    assert_eq!(size_of::<Sorted<Paid>>(), size_of::<Vec<Paid>>());
    assert_eq!(size_of::<Sorted<Group>>(), size_of::<Vec<Group>>());
}
