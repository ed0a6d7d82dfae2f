//! What a newly told event means to a bill, decided on what was known of the bill without it.

use protocol::{Decimal, PayType, PaymentEvent};

use super::Payments;
use crate::{Stamp, Timestamp};

/// What a newly told event meant to the bill; decided on the state before it was folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentEffect {
    /// Not seen before, and nothing odd about it.
    New,
    /// Seen before, the same in every part.
    Repeated,
    /// A payment of a bill that another payment has already paid.
    Double,
    /// A payment seen before with another amount; the larger counts.
    OtherAmount,
}

impl Payments {
    /// What `event` means to this bill at `now`.
    pub fn effect_of(&self, event: &PaymentEvent, now: Timestamp) -> PaymentEffect {
        let known = self.find(event);
        match (event.pay_type, known) {
            (PayType::P, Some(paid_amount)) if *paid_amount != event.pay_amount.abs() => {
                PaymentEffect::OtherAmount
            }
            (_, Some(_)) => PaymentEffect::Repeated,
            (PayType::P, None) if self.is_paid(now) => PaymentEffect::Double,
            (_, None) => PaymentEffect::New,
        }
    }

    /// The same where these payments may hold the very telling that is judged, known by the stamps
    /// that it was given: it does not speak against itself.
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

    /// Whether the bill is paid at `now` without the payment `event`.
    pub(crate) fn is_paid_without(&self, event: &PaymentEvent, now: Timestamp) -> bool {
        let mut others = self.clone();
        if let Ok(position) = others.position(&event.pay_id) {
            let payments = &mut others.groups[position].payments;
            payments.retain(|paid| paid.paid_at != event.paid_at);
        }
        others.is_paid(now)
    }

    fn was_first_reported_at(&self, event: &PaymentEvent, stamps: &[Stamp]) -> bool {
        let taken = || {
            let group = &self.groups[self.position(&event.pay_id).ok()?];
            group.payments[group.paid_position(&event.paid_at).ok()?].first_report
        };
        event.pay_type == PayType::P && taken().is_some_and(|(stamp, _)| stamps.contains(&stamp))
    }

    fn find(&self, event: &PaymentEvent) -> Option<&Decimal> {
        let group = &self.groups[self.position(&event.pay_id).ok()?];
        match event.pay_type {
            PayType::P => Some(&group.payments[group.paid_position(&event.paid_at).ok()?].amount),
            PayType::C => Some(
                &group.cancelled[group
                    .cancel_position(&event.paid_at, &event.pay_amount.abs())
                    .ok()?]
                .amount,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::PaidAt;

    use super::*;

    fn event(pay_id: &str, pay_type: PayType, amount: &str) -> PaymentEvent {
        PaymentEvent {
            pay_id: Decimal::parse(pay_id).unwrap(),
            pay_type,
            paid_at: PaidAt::parse("20261124120000").unwrap(),
            pay_amount: Decimal::parse(amount).unwrap(),
        }
    }

    #[test]
    fn a_telling_does_not_speak_against_itself() {
        type Known<'a> = &'a [(&'a str, PayType, &'a str, i64)];
        use PayType::{C, P};
        use PaymentEffect::{Double, New, OtherAmount, Repeated};
        let now = Timestamp::from_seconds(0);
        let stamp = |time| Stamp { time, node: 1 };
        let judged = event("1", P, "100");
        // what else is known, each with the time of its stamp | what the telling of time 7 meant
        let table: [(Known<'_>, PaymentEffect); 7] = [
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
        for (known, meant) in table {
            let mut payments = Payments::default();
            for (pay_id, pay_type, amount, time) in known {
                payments.fold_payment(&event(pay_id, *pay_type, amount), stamp(*time), None);
            }
            let taken = payments.effect_excluding(&judged, &[stamp(7), stamp(5)], now);
            assert_eq!(taken, meant, "{known:?}");
        }
    }
}
