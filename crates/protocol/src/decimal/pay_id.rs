//! `pay_id` (guide section 7.1): Kakao Pay's number of a payment.

use std::fmt;

use super::spelling::Spelling;
use super::{Decimal, TooWide, plain_integer};

/// The most digits of a `pay_id`, written out without exponent (contract check 7).
const DIGITS: i64 = 38;

/// Kakao Pay's number of a payment: a whole number, compared and hashed by value (`7`, `7.0` and `70e-1` are one).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayId {
    whole: i128,
    /// In 10⁻¹⁸; zero, except in facts that an earlier version journalled: it accepted fractions.
    fraction: i64,
}

impl PayId {
    /// Parses a JSON number that is whole. The cost depends on the length of the text only.
    ///
    /// # Errors
    /// [`TooWide`] if the text is no JSON number, if the number is not whole, or if it has more than 38 digits.
    pub fn parse(spelling: &str) -> Result<Self, TooWide> {
        if let Some(number) = plain_integer(spelling) {
            return Ok(Self::of(i128::from(number)));
        }
        let spelling = Spelling::split(spelling)?;
        spelling.fraction(0)?;
        spelling.whole(DIGITS).map(Self::of)
    }

    /// Parses what [`Display`](fmt::Display) wrote, also by a version that accepted a [`Decimal`].
    ///
    /// # Errors
    /// [`TooWide`] for any other text.
    pub fn parse_stored(text: &str) -> Result<Self, TooWide> {
        Self::parse(text).or_else(|_| Decimal::parse(text).map(Self::from))
    }

    /// Returns the `pay_id` as the decimal that an earlier version stored, if it has at most 18 digits.
    pub fn as_decimal(self) -> Option<Decimal> {
        Decimal::from_parts(i64::try_from(self.whole).ok()?, self.fraction)
    }

    /// Returns the whole number.
    pub const fn whole(self) -> i128 {
        self.whole
    }

    /// Returns the `pay_id` with this whole number, or `None` if it has more than 38 digits.
    pub fn from_whole(whole: i128) -> Option<Self> {
        (whole.unsigned_abs() < 10_u128.pow(38)).then_some(Self::of(whole))
    }

    const fn of(whole: i128) -> Self {
        Self { whole, fraction: 0 }
    }
}

impl From<Decimal> for PayId {
    fn from(decimal: Decimal) -> Self {
        Self {
            whole: i128::from(decimal.units()),
            fraction: decimal.fraction(),
        }
    }
}

impl fmt::Display for PayId {
    /// Writes the canonical form: no exponent, no unnecessary zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_decimal() {
            Some(decimal) => decimal.fmt(f),
            None => self.whole.fmt(f),
        }
    }
}

impl fmt::Debug for PayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pay_id_is_a_whole_number_of_up_to_38_digits_in_any_spelling() {
        let widest = "9".repeat(38);
        let table = [
            ("7", "7"),
            ("7.0", "7"),
            ("70e-1", "7"),
            ("-0", "0"),
            ("-12", "-12"),
            ("1234567890123456789", "1234567890123456789"),
            ("1234567890123456789.000", "1234567890123456789"),
            ("1.5e1", "15"),
            ("1e37", "10000000000000000000000000000000000000"),
            (&widest, &widest),
        ];
        for (spelling, canonical) in table {
            let pay_id = PayId::parse(spelling).unwrap_or_else(|_| panic!("refused: {spelling}"));
            assert_eq!(pay_id.to_string(), canonical, "{spelling}");
            assert_eq!(PayId::parse(canonical), Ok(pay_id));
            assert_eq!(PayId::from_whole(pay_id.whole()), Some(pay_id));
        }
        let one_more = format!("1{}", "0".repeat(38));
        for refused in [
            "7.5",
            "1e38",
            "1e-1",
            &one_more,
            "07",
            "",
            "x",
            "1e99999999999999999999",
        ] {
            assert_eq!(PayId::parse(refused), Err(TooWide), "{refused}");
        }
        assert_eq!(PayId::from_whole(10_i128.pow(38)), None);
    }

    #[test]
    fn a_pay_id_that_an_earlier_version_stored_reads_back_the_same() {
        for stored in ["7", "12.5", "-0.000000000000000001", "123456789012345678"] {
            let pay_id = PayId::parse_stored(stored).unwrap();
            assert_eq!(pay_id.to_string(), stored);
            assert_eq!(pay_id.as_decimal(), Decimal::parse(stored).ok());
        }
        assert_eq!(PayId::parse_stored("1e-19"), Err(TooWide));
        assert_eq!(
            PayId::parse("1234567890123456789").unwrap().as_decimal(),
            None
        );
    }
}
