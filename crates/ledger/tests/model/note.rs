//! Facts of the one bill, small enough for many in a state.

use protocol::{Bill, BillerCode, Decimal, KoreanTime, PaidAt, PayId, PayType, PaymentEvent};

use crate::{DeliveryState, Fact, FactKind, MessageDigest, Stamp, Timestamp};

/// A pay-result: its index in the scenario's list of events.
pub(crate) type Message = u8;

/// A set of pay-results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Messages(u8);

impl Messages {
    pub(crate) const fn has(self, message: Message) -> bool {
        self.0 & (1 << message) != 0
    }

    pub(crate) const fn insert(&mut self, message: Message) {
        self.0 |= 1 << message;
    }

    pub(crate) const fn remove(&mut self, message: Message) {
        self.0 &= !(1 << message);
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Message> {
        (0..8).filter(move |message| self.has(*message))
    }
}

/// One fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Note {
    pub(crate) stamp: Stamp,
    pub(crate) what: What,
}

/// Its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Reserved {
        until: Timestamp,
        after_unknown: bool,
    },
    Released {
        attempt: Stamp,
        after_unknown: bool,
    },
    Uncertain(Stamp),
    Linked(Stamp),
    Payment(Message),
    Delivery(Message, DeliveryState),
    Classified,
    /// A row that was deleted. It is no fact any more.
    Forgotten,
}

impl Note {
    /// The real fact.
    pub(crate) fn fact(&self, events: &[PaymentEvent]) -> Fact {
        let event = |message: Message| events[usize::from(message)].clone();
        let digest = |message: Message| MessageDigest::of(&[message]);
        let kind = match self.what {
            What::Reserved {
                until,
                after_unknown,
            } => FactKind::Reserved {
                until,
                after_unknown,
            },
            What::Released {
                attempt,
                after_unknown,
            } => FactKind::Released {
                attempt,
                after_unknown,
            },
            What::Uncertain(attempt) => FactKind::Uncertain { attempt },
            What::Linked(attempt) => FactKind::Linked {
                attempt,
                expire_at: KoreanTime::parse("20261130235959").unwrap(),
            },
            What::Payment(message) => FactKind::Payment {
                event: event(message),
                mark_ends_at: None,
                message: digest(message),
            },
            What::Delivery(message, state) => FactKind::Delivery {
                event: event(message),
                message: digest(message),
                state,
            },
            What::Forgotten => unreachable!("a deleted row is never folded"),
            What::Classified => FactKind::Classified {
                reason: "paid twice".to_owned(),
                operator: "gateway".to_owned(),
            },
        };
        Fact {
            stamp: self.stamp,
            bill: bill(),
            kind,
        }
    }
}

/// The bill.
pub(crate) fn bill() -> Bill {
    let biller = BillerCode::parse("B0001").unwrap();
    Bill::from_parts(biller, "0000000001", "202611", "", "", &[])
}

/// A payment of 20,000 won.
pub(crate) fn pay(pay_id: &str) -> PaymentEvent {
    event(pay_id, PayType::P, "20000")
}

/// A cancel of 20,000 won.
pub(crate) fn cancel(pay_id: &str) -> PaymentEvent {
    event(pay_id, PayType::C, "-20000")
}

fn event(pay_id: &str, pay_type: PayType, amount: &str) -> PaymentEvent {
    PaymentEvent {
        pay_id: PayId::parse(pay_id).unwrap(),
        pay_type,
        paid_at: PaidAt::parse("20261124120000").unwrap(),
        pay_amount: Decimal::parse(amount).unwrap(),
    }
}
