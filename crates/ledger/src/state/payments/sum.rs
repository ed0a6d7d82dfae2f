//! Sums of amounts.

use protocol::Decimal;

/// One won in units of 10^-18: [`Decimal`] has up to 18 digits after the point.
const FRACTIONS_PER_UNIT: i64 = 1_000_000_000_000_000_000;

/// A sum of amounts without signs. It cannot overflow: 2^63 amounts of 18 digits fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sum {
    // The derived order is the order of the values.
    units: i128,
    /// Less than one unit.
    fractions: i64,
}

impl Sum {
    pub(super) fn of(amount: &Decimal) -> Self {
        Self {
            units: i128::from(amount.units()),
            fractions: amount.fraction(),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, other: &Self) {
        self.units += other.units;
        // Two numbers of 18 digits: far from an overflow.
        self.fractions += other.fractions;
        if self.fractions >= FRACTIONS_PER_UNIT {
            self.fractions -= FRACTIONS_PER_UNIT;
            self.units += 1;
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// Returns `self` minus `other`, or zero where that is negative.
    #[must_use]
    pub(super) fn minus(self, other: Self) -> Self {
        if self <= other {
            return Self::default();
        }
        let borrowed = self.fractions < other.fractions;
        let fractions = self.fractions - other.fractions;
        Self {
            units: self.units - other.units - i128::from(borrowed),
            fractions: if borrowed {
                fractions + FRACTIONS_PER_UNIT
            } else {
                fractions
            },
        }
    }

    /// Returns the sum as a plain decimal number.
    pub(super) fn text(self) -> String {
        let fractions = format!("{:018}", self.fractions);
        match fractions.trim_end_matches('0') {
            "" => self.units.to_string(),
            digits => format!("{}.{digits}", self.units),
        }
    }
}
