//! The fold is pure: any order and any repetition of the same facts gives the same state.
#![allow(clippy::unwrap_used, missing_docs)]

use ledger::{BillState, DeliveryState, Fact, FactKind, MessageDigest, Stamp, Timestamp};
use proptest::prelude::*;
use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent};

fn bill() -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, "0000000001", "", "", "", &[])
}

fn event(pay_id: u8, second: u8, pay_type: PayType, amount: i64) -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::parse(&pay_id.to_string()).unwrap(),
        pay_type,
        paid_at: PaidAt::parse(&format!("202611240000{second:02}")).unwrap(),
        pay_amount: Decimal::parse(&amount.to_string()).unwrap(),
    }
}

fn events() -> impl Strategy<Value = PaymentEvent> {
    let pay_type = prop_oneof![Just(PayType::P), Just(PayType::C)];
    (0..4u8, 0..3u8, pay_type, -3i64..4).prop_map(|(pay_id, second, pay_type, thousands)| {
        event(pay_id, second, pay_type, thousands * 1_000)
    })
}

fn stamps() -> impl Strategy<Value = Stamp> {
    (1..20i64, 1..3u32).prop_map(|(time, node)| Stamp {
        time: time << 20,
        node,
    })
}

fn kinds() -> impl Strategy<Value = FactKind> {
    let time = (0..20i64).prop_map(Timestamp::from_millis);
    let expire_at = (0..10u8)
        .prop_map(|day| KoreanTime::parse(&format!("202612{:02}235959", day + 1)).unwrap());
    let message = (0..4u8).prop_map(|byte| MessageDigest::of(&[byte]));
    let state = prop_oneof![
        Just(DeliveryState::Accepted),
        Just(DeliveryState::Refused),
        Just(DeliveryState::Unknown),
        Just(DeliveryState::Pending),
    ];
    prop_oneof![
        (time.clone(), any::<bool>()).prop_map(|(until, after_unknown)| FactKind::Reserved {
            until,
            after_unknown
        }),
        (stamps(), any::<bool>()).prop_map(|(attempt, after_unknown)| FactKind::Released {
            attempt,
            after_unknown
        }),
        stamps().prop_map(|attempt| FactKind::Uncertain { attempt }),
        (stamps(), expire_at.clone())
            .prop_map(|(attempt, expire_at)| FactKind::Linked { attempt, expire_at }),
        expire_at.prop_map(|expire_at| FactKind::Relinked { expire_at }),
        (events(), proptest::option::of(time), message.clone()).prop_map(
            |(event, mark_ends_at, message)| FactKind::Payment {
                event,
                mark_ends_at,
                message
            }
        ),
        (events(), message.clone(), state).prop_map(|(event, message, state)| {
            FactKind::Delivery {
                event,
                message,
                state,
            }
        }),
        (events(), message.clone()).prop_map(|(event, message)| FactKind::DeliveryClosed {
            event,
            message,
            reason: "booked by hand".into(),
            operator: "kim".into(),
        }),
        message
            .clone()
            .prop_map(|message| FactKind::PayResultRefused { message }),
        message.prop_map(|message| FactKind::RefusalClosed {
            message,
            reason: "passed".into(),
            operator: "gateway".into(),
        }),
        "[ab]".prop_map(|reason| FactKind::Classified {
            reason,
            operator: "kim".into()
        }),
        "[ab]".prop_map(|reason| FactKind::Cleared {
            reason,
            operator: "lee".into()
        }),
    ]
}

/// Facts with unique stamps.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    proptest::collection::btree_map(stamps(), kinds(), 0..16).prop_map(|facts| {
        facts
            .into_iter()
            .map(|(stamp, kind)| Fact {
                stamp,
                bill: bill(),
                kind,
            })
            .collect()
    })
}

fn fold<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> BillState {
    let mut state = BillState::default();
    facts.into_iter().for_each(|fact| state.fold(fact));
    state
}

/// Refused pay-results and how they ended, far more than a short list holds, each fact with a stamp of its own.
fn many_facts() -> impl Strategy<Value = Vec<Fact>> {
    let message = (0..90u8).prop_map(|byte| MessageDigest::of(&[byte]));
    let kind = (message, any::<bool>()).prop_map(|(message, closes)| {
        if closes {
            FactKind::RefusalClosed {
                message,
                reason: "passed".into(),
                operator: "gateway".into(),
            }
        } else {
            FactKind::PayResultRefused { message }
        }
    });
    proptest::collection::vec(kind, 0..200).prop_map(|kinds| {
        let facts = (1i64..).zip(kinds).map(|(number, kind)| Fact {
            stamp: Stamp {
                time: number << 20,
                node: 1,
            },
            bill: bill(),
            kind,
        });
        facts.collect()
    })
}

/// The digests whose latest fact opened them, in their order.
fn refused_and_not_closed(facts: &[Fact]) -> Vec<MessageDigest> {
    let mut open = std::collections::BTreeSet::new();
    for fact in facts {
        match &fact.kind {
            FactKind::PayResultRefused { message } => open.insert(*message),
            FactKind::RefusalClosed { message, .. } => open.remove(message),
            _ => false,
        };
    }
    open.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_bill_with_many_facts_is_one_state_in_any_order_and_merged_from_any_parts(
        (facts, shuffled) in many_facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))
    ) {
        let state = fold(&facts);
        prop_assert!(state == fold(&shuffled));
        let (one, other) = shuffled.split_at(shuffled.len() / 5);
        for (one, other) in [(one, other), (other, one)] {
            let mut merged = fold(one);
            merged.merge_owned(fold(other));
            prop_assert!(merged == state);
            merged.merge(&fold(one));
            prop_assert!(merged == state);
        }
        let newest = facts.iter().map(|fact| fact.stamp).max().unwrap_or_default();
        prop_assert_eq!(state.latest(), newest);
        let open: Vec<_> = state.open_refusals().map(|(message, _)| message).collect();
        prop_assert_eq!(open, refused_and_not_closed(&facts));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn any_order_of_the_same_facts_gives_the_same_state(
        (facts, shuffled) in facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))
    ) {
        prop_assert_eq!(fold(&facts), fold(&shuffled));
    }

    #[test]
    fn any_repetition_of_the_same_facts_gives_the_same_state(
        facts in facts(), again in proptest::collection::vec(any::<prop::sample::Index>(), 0..16)
    ) {
        let repeated = again.iter().filter(|_| !facts.is_empty()).map(|index| index.get(&facts));
        prop_assert_eq!(fold(&facts), fold(facts.iter().chain(repeated)));
    }

    #[test]
    fn the_states_of_two_nodes_merge_to_the_fold_of_all_facts(facts in facts(), split in any::<prop::sample::Index>()) {
        let (one, other) = facts.split_at(if facts.is_empty() { 0 } else { split.index(facts.len()) });
        let (mut merged, theirs) = (fold(one), fold(other));
        merged.merge(&theirs);
        prop_assert_eq!(&merged, &fold(&facts));
        merged.merge(&theirs);
        prop_assert_eq!(merged, fold(&facts));
    }

    #[test]
    fn paid_agrees_with_a_naive_ledger(facts in facts()) {
        // Without paid marks: per payment, its amount less its cancels.
        let mut paid = std::collections::BTreeMap::new();
        let mut cancelled = std::collections::BTreeMap::new();
        let lasting: Vec<Fact> = facts
            .into_iter()
            .filter_map(|fact| match fact.kind {
                FactKind::Payment { event, message, .. } => {
                    let kind = FactKind::Payment { event, message, mark_ends_at: None };
                    Some(Fact { kind, ..fact })
                }
                _ => None,
            })
            .collect();
        for fact in &lasting {
            if let FactKind::Payment { event, .. } = &fact.kind {
                let amount = event.pay_amount.abs().units();
                match event.pay_type {
                    PayType::P => {
                        let held: &mut i64 = paid
                            .entry(event.pay_id)
                            .or_insert_with(std::collections::BTreeMap::new)
                            .entry(event.paid_at)
                            .or_default();
                        *held = amount.max(*held);
                    }
                    PayType::C => {
                        cancelled
                            .entry(event.pay_id)
                            .or_insert_with(std::collections::BTreeSet::new)
                            .insert((event.paid_at, amount));
                    }
                }
            }
        }
        let naive = paid.iter().any(|(pay_id, payments)| {
            let came: i64 = payments.values().sum();
            let went: i64 = cancelled
                .get(pay_id)
                .map_or(0, |cancels| cancels.iter().map(|(_, amount)| amount).sum());
            came > went
        });
        prop_assert_eq!(fold(&lasting).is_paid(Timestamp::from_millis(0)), naive);
    }
}
