//! Exact numbers for the guide's amounts and `pay_id` (type `Number`, sections 6.1 and 7.1).

mod pay_id;
mod spelling;

use std::fmt;

pub use pay_id::PayId;
use spelling::Spelling;

/// The most digits before and after the decimal point, without exponent (contract check 7).
const DIGITS: i64 = 18;

/// An exact decimal, compared and hashed by value: `20000` is `2e4`, `-0` is `0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimal {
    // Both have the sign of the value, so the derived order is the order of the values.
    units: i64,
    fraction: i64,
}

/// The text is not a JSON number, or has more than 18 digits before or after the decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooWide;

impl fmt::Display for TooWide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number of at most 18 digits before and after the decimal point")
    }
}

impl std::error::Error for TooWide {}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self {
        units: 0,
        fraction: 0,
    };

    /// Parses a JSON number (RFC 8259 section 6). The cost depends on the length of the text only.
    ///
    /// # Errors
    ///
    /// [`TooWide`] if the value, without exponent and without leading and trailing zeros, has more than
    /// 18 digits before or after the decimal point.
    pub fn parse(spelling: &str) -> Result<Self, TooWide> {
        if let Some(units) = plain_integer(spelling) {
            return Ok(Self { units, fraction: 0 });
        }
        let spelling = Spelling::split(spelling)?;
        Ok(Self {
            units: narrow(spelling.whole(DIGITS)?)?,
            fraction: narrow(spelling.fraction(DIGITS)?)?,
        })
    }

    /// Returns the decimal with these [`units`](Self::units) and [`fraction`](Self::fraction), or `None`
    /// if either has more than 18 digits or their signs differ.
    pub fn from_parts(units: i64, fraction: i64) -> Option<Self> {
        let narrow = |part: i64| part.unsigned_abs() < 10_u64.pow(18);
        let one_sign = units.signum() * fraction.signum() >= 0;
        (narrow(units) && narrow(fraction) && one_sign).then_some(Self { units, fraction })
    }

    /// The digits before the decimal point, with the sign.
    pub const fn units(self) -> i64 {
        self.units
    }

    /// The digits after the decimal point, in 10⁻¹⁸ of a unit, with the sign.
    pub const fn fraction(self) -> i64 {
        self.fraction
    }

    /// The value without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        // Both parts have at most 18 digits, so neither is `i64::MIN`.
        Self {
            units: self.units.abs(),
            fraction: self.fraction.abs(),
        }
    }

    /// Whether the value is zero.
    pub const fn is_zero(self) -> bool {
        self.units == 0 && self.fraction == 0
    }
}

impl fmt::Display for Decimal {
    /// Writes the canonical form: no exponent, no unnecessary zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.units < 0 || self.fraction < 0 {
            f.write_str("-")?;
        }
        write!(f, "{}", self.units.unsigned_abs())?;
        if self.fraction != 0 {
            let digits = format!("{:018}", self.fraction.unsigned_abs());
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number of at most 18 digits as an `i64`.
fn narrow(digits: i128) -> Result<i64, TooWide> {
    i64::try_from(digits).map_err(|_| TooWide)
}

/// Returns the value of an integer of up to 18 digits without a sign, the form of almost all amounts.
/// Returns `None` for all other forms.
fn plain_integer(spelling: &str) -> Option<i64> {
    let digits = spelling.as_bytes();
    let is_plain = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.len() <= 18;
    if !is_plain {
        return None;
    }
    digits.iter().try_fold(0_i64, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests;
