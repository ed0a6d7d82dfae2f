//! The effect of a reported event on its bill, decided on the state before the event is folded.

use protocol::{Decimal, PayType, PaymentEvent};

use super::totals::paid_until;
use super::{Payments, cancel_key};
use crate::{Stamp, Timestamp};

/// The effect of a reported event on its bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentEffect {
    /// The event is new.
    New,
    /// The event was reported before, with the same members.
    Repeated,
    /// A payment of a bill that another payment has already paid.
    Double,
    /// A payment that was reported before with another amount; the larger counts.
    OtherAmount,
}

impl Payments {
    /// Returns the effect of `event` on this bill at `now`.
    pub fn effect_of(&self, event: &PaymentEvent, now: Timestamp) -> PaymentEffect {
        let known_amount = self.find(event);
        match (event.pay_type, known_amount) {
            (PayType::P, Some(amount)) if *amount != event.pay_amount.abs() => {
                PaymentEffect::OtherAmount
            }
            (_, Some(_)) => PaymentEffect::Repeated,
            (PayType::P, None) if self.is_paid(now) => PaymentEffect::Double,
            (_, None) => PaymentEffect::New,
        }
    }

    /// Returns the effect of a report that may be folded here already, under one of the stamps `own`:
    /// the report does not count against itself.
    pub(crate) fn effect_excluding(
        &self,
        event: &PaymentEvent,
        own: &[Stamp],
        now: Timestamp,
    ) -> PaymentEffect {
        if !self.was_first_reported_at(event, own) {
            return self.effect_of(event, now);
        }
        if self.is_paid_without(event, now) {
            PaymentEffect::Double
        } else {
            PaymentEffect::New
        }
    }

    /// Returns whether the event was reported, or a delivery of it was.
    pub(crate) fn has(&self, event: &PaymentEvent) -> bool {
        self.find(event).is_some()
    }

    fn is_paid_without(&self, event: &PaymentEvent, now: Timestamp) -> bool {
        let others = self.groups.totals_without(&event.pay_id).paid_until;
        let of_group = self.groups.get(&event.pay_id).map(|group| {
            let payments = group.payments.totals_without(&event.paid_at);
            paid_until(&payments, &group.cancelled.totals())
        });
        others.max(of_group.unwrap_or_default()).is_after(now)
    }

    fn was_first_reported_at(&self, event: &PaymentEvent, stamps: &[Stamp]) -> bool {
        let first_report = || {
            let group = self.groups.get(&event.pay_id)?;
            group.payments.get(&event.paid_at)?.first_report
        };
        event.pay_type == PayType::P
            && first_report().is_some_and(|(stamp, _)| stamps.contains(&stamp))
    }

    fn find(&self, event: &PaymentEvent) -> Option<&Decimal> {
        let group = self.groups.get(&event.pay_id)?;
        match event.pay_type {
            PayType::P => Some(&group.payments.get(&event.paid_at)?.amount),
            PayType::C => Some(&group.cancelled.get(&cancel_key(event))?.amount),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::{PaidAt, PayId};

    use super::*;

    fn event(pay_id: &str, pay_type: PayType, amount: &str) -> PaymentEvent {
        PaymentEvent {
            pay_id: PayId::parse(pay_id).unwrap(),
            pay_type,
            paid_at: PaidAt::parse("20261124120000").unwrap(),
            pay_amount: Decimal::parse(amount).unwrap(),
        }
    }

    #[test]
    fn a_report_does_not_count_against_itself() {
        type Reports<'a> = &'a [(&'a str, PayType, &'a str, i64)];
        use PayType::{C, P};
        use PaymentEffect::{Double, New, OtherAmount, Repeated};
        let now = Timestamp::from_seconds(0);
        let stamp = |time| Stamp { time, node: 1 };
        let reported = event("1", P, "100");
        // folded reports, each with the time of its stamp | the effect of the report of time 7
        let table: [(Reports<'_>, PaymentEffect); 7] = [
            (&[], New),
            (&[("1", P, "100", 7)], New),
            (&[("1", P, "100", 6)], Repeated),
            (&[("1", P, "200", 6)], OtherAmount),
            (&[("2", P, "100", 6)], Double),
            (&[("2", P, "100", 9), ("1", P, "100", 7)], Double),
            (
                &[("2", P, "100", 6), ("2", C, "100", 8), ("1", P, "100", 7)],
                New,
            ),
        ];
        for (reports, expected) in table {
            let mut payments = Payments::default();
            for (pay_id, pay_type, amount, time) in reports {
                payments.fold_payment(&event(pay_id, *pay_type, amount), stamp(*time), None);
            }
            let effect = payments.effect_excluding(&reported, &[stamp(7), stamp(5)], now);
            assert_eq!(effect, expected, "{reports:?}");
        }
    }
}
