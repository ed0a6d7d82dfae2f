//! The payments of a bill as operators look at them.

use protocol::{Decimal, PayType, PaymentEvent};

use super::sum::{FRACTIONS_PER_UNIT, Sum};
use super::{Group, Payments};
use crate::{DeliveryState, Timestamp};

/// What Kakao Pay reported under one `pay_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentGroup {
    /// Kakao Pay's number of the payment.
    pub pay_id: Decimal,
    /// In the order of `paid_at`, a payment before its cancels.
    pub records: Vec<PaymentRecord>,
    /// What still counts: the payments less the cancels, in won, as a plain decimal number. Never
    /// below zero; ended marks are not taken off here.
    pub remaining: String,
    /// How much of it was cancelled.
    pub cancelled: Cancellation,
}

/// One event, and how the biller took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// What happened. The amount is without a sign, and of several the largest.
    pub event: PaymentEvent,
    /// When it was first taken; known of payments only.
    pub reported_at: Option<Timestamp>,
    /// When it stops counting, for a bill that cannot be told from next month's.
    pub mark_ends_at: Option<Timestamp>,
    /// The latest word of delivery; `None` while it is being told for the first time.
    pub delivery: Option<(Timestamp, DeliveryState)>,
}

/// How much of a payment was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// Nothing.
    No,
    /// Less than was paid.
    InPart,
    /// All of it.
    Fully,
}

impl Payments {
    /// Every `pay_id`, in its order.
    pub fn groups(&self) -> impl Iterator<Item = PaymentGroup> {
        self.groups.iter().map(Group::view)
    }
}

impl Group {
    fn view(&self) -> PaymentGroup {
        let event = |pay_type, paid_at, pay_amount| PaymentEvent {
            pay_id: self.pay_id,
            pay_type,
            paid_at,
            pay_amount,
        };
        let paid = self.payments.iter().map(|paid| PaymentRecord {
            event: event(PayType::P, paid.paid_at, paid.amount),
            reported_at: paid.first_report.map(|(stamp, _)| stamp.timestamp()),
            mark_ends_at: paid.first_report.and_then(|(_, ends)| ends),
            delivery: paid
                .delivery
                .map(|(stamp, state)| (stamp.timestamp(), state)),
        });
        let cancelled = self.cancelled.iter().map(|cancel| PaymentRecord {
            event: event(PayType::C, cancel.paid_at, cancel.amount),
            reported_at: None,
            mark_ends_at: None,
            delivery: cancel
                .delivery
                .map(|(stamp, state)| (stamp.timestamp(), state)),
        });
        let mut records: Vec<PaymentRecord> = paid.chain(cancelled).collect();
        records.sort_by_key(|record| (record.event.paid_at, record.event.pay_type));
        let left = self.paid_sum().beyond(self.cancelled_sum());
        let cancelled = match (self.cancelled.is_empty(), left.exceeds(Sum::default())) {
            (true, _) => Cancellation::No,
            (false, true) => Cancellation::InPart,
            (false, false) => Cancellation::Fully,
        };
        PaymentGroup {
            pay_id: self.pay_id,
            records,
            remaining: left.text(),
            cancelled,
        }
    }

    fn paid_sum(&self) -> Sum {
        sum(self.payments.iter().map(|paid| &paid.amount))
    }

    fn cancelled_sum(&self) -> Sum {
        sum(self.cancelled.iter().map(|cancel| &cancel.amount))
    }
}

fn sum<'a>(amounts: impl Iterator<Item = &'a Decimal>) -> Sum {
    let mut sum = Sum::default();
    amounts.for_each(|amount| sum.add(amount));
    sum
}

impl Sum {
    /// As a plain decimal number; sums of amounts are never below zero.
    fn text(self) -> String {
        debug_assert!(self.fractions < FRACTIONS_PER_UNIT);
        let fractions = format!("{:018}", self.fractions);
        match fractions.trim_end_matches('0') {
            "" => self.units.to_string(),
            digits => format!("{}.{digits}", self.units),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::PaidAt;

    use super::*;
    use crate::Stamp;

    fn event(pay_type: PayType, second: u8, amount: &str) -> PaymentEvent {
        PaymentEvent {
            pay_id: Decimal::parse("7").unwrap(),
            pay_type,
            paid_at: PaidAt::parse(&format!("202611241200{second:02}")).unwrap(),
            pay_amount: Decimal::parse(amount).unwrap(),
        }
    }

    #[test]
    fn what_is_left_of_a_payment_is_told_without_a_sign() {
        use Cancellation::{Fully, InPart, No};
        use PayType::{C, P};
        // what Kakao Pay reported | left | cancelled
        type Reports<'a> = &'a [(PayType, u8, &'a str)];
        let table: [(Reports<'_>, &str, Cancellation); 5] = [
            (&[(P, 0, "20000")], "20000", No),
            (&[(P, 0, "20000"), (C, 1, "-5000.5")], "14999.5", InPart),
            (&[(P, 0, "20000"), (C, 1, "20000")], "0", Fully),
            (&[(P, 0, "1"), (C, 1, "-2")], "0", Fully),
            (
                &[(P, 0, "999999999999999999"), (P, 1, "999999999999999999")],
                "1999999999999999998",
                No,
            ),
        ];
        for (events, left, cancelled) in table {
            let mut payments = Payments::default();
            for (pay_type, second, amount) in events {
                let event = event(*pay_type, *second, amount);
                payments.fold_payment(&event, Stamp::default(), None);
            }
            let groups: Vec<PaymentGroup> = payments.groups().collect();
            assert_eq!(groups.len(), 1);
            assert_eq!(groups[0].remaining, left);
            assert_eq!(groups[0].cancelled, cancelled, "{events:?}");
            assert_eq!(groups[0].records.len(), events.len());
        }
    }
}
