//! The payments of a bill in the form that operators see.

use protocol::{PayId, PayType, PaymentEvent};

use super::sum::Sum;
use super::totals::Totals;
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

    /// Returns the events with a delivery that was neither accepted nor closed, by `pay_id`, in the order of a group's
    /// records. The cost is that of these events.
    pub fn undelivered_records(&self) -> impl Iterator<Item = (PaymentRecord, Cancellation)> {
        let groups = self.groups.iter_where(Totals::has_undelivered);
        groups.flat_map(|group| {
            let cancellation = group.cancellation();
            let records = group.records(Totals::has_undelivered).into_iter();
            records
                .filter(|record| matches!(record.delivery, Some((_, state)) if !state.is_settled()))
                .map(move |record| (record, cancellation))
        })
    }

    /// Returns how much of the payments with this `pay_id` was cancelled; `None` where nothing is known of it.
    pub fn cancellation(&self, pay_id: &PayId) -> Option<Cancellation> {
        self.groups.get(pay_id).map(Group::cancellation)
    }
}

impl Group {
    fn view(&self) -> PaymentGroup {
        PaymentGroup {
            pay_id: self.pay_id,
            records: self.records(|_| true),
            remaining: self.remaining().text(),
            cancelled: self.cancellation(),
        }
    }

    fn remaining(&self) -> Sum {
        let paid = self.payments.totals().amount;
        paid.minus(self.cancelled.totals().amount)
    }

    fn cancellation(&self) -> Cancellation {
        match (self.cancelled.is_empty(), self.remaining().is_zero()) {
            (true, _) => Cancellation::No,
            (false, false) => Cancellation::InPart,
            (false, true) => Cancellation::Fully,
        }
    }

    /// Returns the records in their order; those below totals that are not `wanted` may be missing.
    fn records(&self, wanted: fn(&Totals) -> bool) -> Vec<PaymentRecord> {
        let event = |pay_type, paid_at, pay_amount| PaymentEvent {
            pay_id: self.pay_id,
            pay_type,
            paid_at,
            pay_amount,
        };
        let timed = |delivery: Delivery| delivery.map(|(stamp, state)| (stamp.timestamp(), state));
        let paid = self.payments.iter_where(wanted).map(|paid| PaymentRecord {
            event: event(PayType::P, paid.paid_at, paid.amount),
            reported_at: paid.first_report.map(|(stamp, _)| stamp.timestamp()),
            mark_ends_at: paid.first_report.and_then(|(_, ends)| ends),
            delivery: timed(paid.delivery),
        });
        let cancelled = self.cancelled.iter_where(wanted);
        let cancelled = cancelled.map(|cancel| PaymentRecord {
            event: event(PayType::C, cancel.paid_at, cancel.amount),
            reported_at: None,
            mark_ends_at: None,
            delivery: timed(cancel.delivery),
        });
        let mut records: Vec<PaymentRecord> = paid.chain(cancelled).collect();
        records.sort_by_key(|record| (record.event.paid_at, record.event.pay_type));
        records
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
