//! Sums of amounts, and the balance of a payment after its cancels.

use protocol::Decimal;

use super::{Group, Paid};
use crate::Timestamp;

/// One won in units of 10^-18: [`Decimal`] has up to 18 digits after the point.
const FRACTIONS_PER_UNIT: i128 = 1_000_000_000_000_000_000;

/// A sum of decimals. It cannot overflow: 2^63 amounts of 18 digits fit.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    units: i128,
    fractions: i128,
}

impl Sum {
    pub(super) fn of<'a>(amounts: impl Iterator<Item = &'a Decimal>) -> Self {
        let mut sum = Self::default();
        amounts.for_each(|amount| sum.add(amount));
        sum
    }

    fn add(&mut self, amount: &Decimal) {
        self.units += i128::from(amount.units());
        self.fractions += i128::from(amount.fraction());
        self.units += self.fractions.div_euclid(FRACTIONS_PER_UNIT);
        self.fractions = self.fractions.rem_euclid(FRACTIONS_PER_UNIT);
    }

    pub(super) fn exceeds(self, other: Self) -> bool {
        (self.units, self.fractions) > (other.units, other.fractions)
    }

    /// Returns `self` minus `other`, or zero where that is negative.
    pub(super) fn minus(self, other: Self) -> Self {
        if !self.exceeds(other) {
            return Self::default();
        }
        let fractions = self.fractions - other.fractions;
        Self {
            units: self.units - other.units + fractions.div_euclid(FRACTIONS_PER_UNIT),
            fractions: fractions.rem_euclid(FRACTIONS_PER_UNIT),
        }
    }

    /// Returns the sum as a plain decimal number. Sums of amounts are never negative.
    pub(super) fn text(self) -> String {
        debug_assert!(self.fractions < FRACTIONS_PER_UNIT);
        let fractions = format!("{:018}", self.fractions);
        match fractions.trim_end_matches('0') {
            "" => self.units.to_string(),
            digits => format!("{}.{digits}", self.units),
        }
    }
}

impl Paid {
    /// Returns whether the payment was made, or was reported, before this time.
    pub(super) fn is_before(&self, before: Timestamp) -> bool {
        let made = (self.paid_at.time()).map(|time| Timestamp::from_seconds(time.unix_seconds()));
        let reported = self.first_report.map(|(stamp, _)| stamp.timestamp());
        made.into_iter().chain(reported).any(|time| time < before)
    }
}

impl Group {
    /// Returns whether the balance of the group is above zero at `now`.
    pub(super) fn is_paid(&self, now: Timestamp) -> bool {
        self.is_paid_by(now, |_| true)
    }

    /// Returns whether the balance at `now` of the payments that `counts` selects is above zero.
    pub(super) fn is_paid_by(&self, now: Timestamp, counts: impl Fn(&Paid) -> bool) -> bool {
        self.balance(now, counts).exceeds(Sum::default())
    }

    /// Returns the balance at `now` of the payments that `counts` selects. Payments whose mark has
    /// ended do not count. Cancels reduce ended payments first, then the others.
    pub(super) fn balance(&self, now: Timestamp, counts: impl Fn(&Paid) -> bool) -> Sum {
        let mut counting = Sum::default();
        let mut ended = Sum::default();
        for paid in self.payments.iter().filter(|paid| counts(paid)) {
            match paid.first_report.and_then(|(_, mark_ends_at)| mark_ends_at) {
                Some(end) if end <= now => ended.add(&paid.amount),
                _ => counting.add(&paid.amount),
            }
        }
        counting.minus(self.cancelled_sum().minus(ended))
    }

    pub(super) fn paid_sum(&self) -> Sum {
        Sum::of(self.payments.iter().map(|paid| &paid.amount))
    }

    pub(super) fn cancelled_sum(&self) -> Sum {
        Sum::of(self.cancelled.iter().map(|cancel| &cancel.amount))
    }
}
