//! Sums of won.

use protocol::Decimal;

/// How many units of 10^-18 one won has: `Decimal` keeps 18 digits after the point.
pub(super) const FRACTIONS_PER_UNIT: i128 = 1_000_000_000_000_000_000;

/// A sum of decimals that cannot overflow: 2^63 amounts of 18 digits fit.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) units: i128,
    pub(super) fractions: i128,
}

impl Sum {
    pub(super) fn add(&mut self, amount: &Decimal) {
        self.units += i128::from(amount.units());
        self.fractions += i128::from(amount.fraction());
        self.units += self.fractions.div_euclid(FRACTIONS_PER_UNIT);
        self.fractions = self.fractions.rem_euclid(FRACTIONS_PER_UNIT);
    }

    pub(super) fn exceeds(self, other: Self) -> bool {
        (self.units, self.fractions) > (other.units, other.fractions)
    }

    /// How far `self` goes beyond `other`; nothing where it does not.
    pub(super) fn beyond(self, other: Self) -> Self {
        if !self.exceeds(other) {
            return Self::default();
        }
        let fractions = self.fractions - other.fractions;
        Self {
            units: self.units - other.units + fractions.div_euclid(FRACTIONS_PER_UNIT),
            fractions: fractions.rem_euclid(FRACTIONS_PER_UNIT),
        }
    }
}
