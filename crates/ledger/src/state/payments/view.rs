//! The payments of a bill in the form that operators see.

use protocol::{PayId, PayType, PaymentEvent};

use super::balance::Sum;
use super::{Delivery, Group, Payments};
use crate::{DeliveryState, Timestamp};

/// The events that Kakao Pay reported under one `pay_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentGroup {
    /// The number of the payment at Kakao Pay.
    pub pay_id: PayId,
    /// The events in the order of `paid_at`; a payment stands before its cancels.
    pub records: Vec<PaymentRecord>,
    /// The payments minus the cancels in won, as a plain decimal number; never negative. Payments
    /// whose mark has ended are included.
    pub remaining: String,
    /// How much of the payments was cancelled.
    pub cancelled: Cancellation,
}

/// One event and its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// The event. The amount has no sign; of several amounts it is the largest.
    pub event: PaymentEvent,
    /// The time of the first report; `None` for cancels.
    pub reported_at: Option<Timestamp>,
    /// When the payment stops counting; only for a bill that cannot be distinguished from next
    /// month's.
    pub mark_ends_at: Option<Timestamp>,
    /// The time and state of the deciding delivery; `None` until the first attempt ends.
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
    /// Returns the groups in the order of `pay_id`.
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
        let timed = |delivery: Delivery| delivery.map(|(stamp, state)| (stamp.timestamp(), state));
        let paid = self.payments.iter().map(|paid| PaymentRecord {
            event: event(PayType::P, paid.paid_at, paid.amount),
            reported_at: paid.first_report.map(|(stamp, _)| stamp.timestamp()),
            mark_ends_at: paid.first_report.and_then(|(_, ends)| ends),
            delivery: timed(paid.delivery),
        });
        let cancelled = self.cancelled.iter().map(|cancel| PaymentRecord {
            event: event(PayType::C, cancel.paid_at, cancel.amount),
            reported_at: None,
            mark_ends_at: None,
            delivery: timed(cancel.delivery),
        });
        let mut records: Vec<PaymentRecord> = paid.chain(cancelled).collect();
        records.sort_by_key(|record| (record.event.paid_at, record.event.pay_type));
        let remaining = self.paid_sum().minus(self.cancelled_sum());
        let cancelled = match (self.cancelled.is_empty(), remaining.exceeds(Sum::default())) {
            (true, _) => Cancellation::No,
            (false, true) => Cancellation::InPart,
            (false, false) => Cancellation::Fully,
        };
        PaymentGroup {
            pay_id: self.pay_id,
            records,
            remaining: remaining.text(),
            cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{Decimal, PaidAt};

    use super::*;
    use crate::Stamp;

    fn event(pay_type: PayType, second: u8, amount: &str) -> PaymentEvent {
        PaymentEvent {
            pay_id: PayId::parse("7").unwrap(),
            pay_type,
            paid_at: PaidAt::parse(&format!("202611241200{second:02}")).unwrap(),
            pay_amount: Decimal::parse(amount).unwrap(),
        }
    }

    #[test]
    fn the_remaining_amount_has_no_sign() {
        use Cancellation::{Fully, InPart, No};
        use PayType::{C, P};
        // reported events | remaining | cancelled
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
        for (events, remaining, cancelled) in table {
            let mut payments = Payments::default();
            for (pay_type, second, amount) in events {
                let event = event(*pay_type, *second, amount);
                payments.fold_payment(&event, Stamp::default(), None);
            }
            let groups: Vec<PaymentGroup> = payments.groups().collect();
            assert_eq!(groups.len(), 1);
            assert_eq!(groups[0].remaining, remaining);
            assert_eq!(groups[0].cancelled, cancelled, "{events:?}");
            assert_eq!(groups[0].records.len(), events.len());
        }
    }
}
