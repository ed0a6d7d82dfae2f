//! Exact decimals: the guide's amounts and `pay_id` (type `Number`, sections 6.1 and 7.1).

use std::fmt;

/// The most digits on either side of the point, written out without exponent (contract check 7).
const DIGITS: i64 = 18;

/// Stands for any exponent beyond it: far wider than a body's digits can make up for, and far from
/// the end of `i64`.
const EXPONENT_LIMIT: i64 = 1 << 60;

/// An exact decimal, compared and hashed by value: `20000` is `2e4`, `-0` is `0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Decimal {
    // Both carry the sign, so that the derived order is the order of the values.
    units: i64,
    fraction: i64,
}

/// The number has more than 18 digits before or after the point, or is no JSON number at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooWide;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { units: 0, fraction: 0 };

    /// Takes a number as JSON spells it (RFC 8259 section 6).
    ///
    /// # Errors
    ///
    /// [`TooWide`] if the value, written out without exponent, leading or trailing zeros, has more
    /// than 18 digits on either side of the point. The cost is the spelling's length, whatever the
    /// exponent is.
    pub fn parse(spelling: &str) -> Result<Self, TooWide> {
        Spelling::split(spelling)?.value()
    }

    /// The decimal with these [`units`](Self::units) and [`fraction`](Self::fraction); `None` if
    /// either has more than 18 digits or their signs differ.
    pub fn from_parts(units: i64, fraction: i64) -> Option<Self> {
        let narrow = |part: i64| part.unsigned_abs() < 10_u64.pow(18);
        let one_sign = units.signum() * fraction.signum() >= 0;
        (narrow(units) && narrow(fraction) && one_sign).then_some(Self { units, fraction })
    }

    /// What stands before the point, with the sign.
    pub const fn units(self) -> i64 {
        self.units
    }

    /// What stands after the point, in 10⁻¹⁸ of a unit, with the sign.
    pub const fn fraction(self) -> i64 {
        self.fraction
    }

    /// The value without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        // Neither part comes near `i64::MIN`.
        Self { units: self.units.abs(), fraction: self.fraction.abs() }
    }

    /// Whether the value is zero.
    pub const fn is_zero(self) -> bool {
        self.units == 0 && self.fraction == 0
    }
}

impl fmt::Display for Decimal {
    /// The canonical spelling: no exponent, no zeros that add nothing.
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

/// The parts of a JSON number: `-`, digits, digits after the point, exponent.
struct Spelling<'a> {
    negative: bool,
    whole: &'a [u8],
    decimals: &'a [u8],
    exponent: i64,
}

impl<'a> Spelling<'a> {
    fn split(spelling: &'a str) -> Result<Self, TooWide> {
        let (negative, unsigned) = match spelling.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, spelling),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, decimals) = match mantissa.split_once('.') {
            Some((whole, decimals)) => (digits(whole)?, digits(decimals)?),
            None => (digits(mantissa)?, &[][..]),
        };
        if whole.len() > 1 && whole.first() == Some(&b'0') {
            return Err(TooWide);
        }
        Ok(Self { negative, whole, decimals, exponent })
    }

    fn value(&self) -> Result<Decimal, TooWide> {
        let count = self.whole.len() + self.decimals.len();
        let Some(first) = (0..count).position(|index| self.digit(index) != 0) else {
            return Ok(Decimal::ZERO);
        };
        let last = (0..count).rposition(|index| self.digit(index) != 0).unwrap_or(first);

        // Positions count from the mantissa's first digit; the point stands before `point`.
        let first = i64::try_from(first).map_err(|_| TooWide)?;
        let end = i64::try_from(last).map_err(|_| TooWide)? + 1;
        let point = i64::try_from(self.whole.len()).map_err(|_| TooWide)? + self.exponent;
        if point - first > DIGITS || end - point > DIGITS {
            return Err(TooWide);
        }
        let sign = if self.negative { -1 } else { 1 };
        Ok(Decimal {
            units: sign * self.number(point - DIGITS),
            fraction: sign * self.number(point),
        })
    }

    /// The 18 digits from `from` on as one number; what lies outside the mantissa is zero.
    fn number(&self, from: i64) -> i64 {
        (from..from + DIGITS).fold(0, |number, position| {
            let digit = usize::try_from(position).map_or(0, |index| self.digit(index));
            number * 10 + i64::from(digit)
        })
    }

    fn digit(&self, index: usize) -> u8 {
        let byte = match index.checked_sub(self.whole.len()) {
            None => self.whole.get(index),
            Some(index) => self.decimals.get(index),
        };
        byte.map_or(0, |byte| byte - b'0')
    }
}

fn digits(text: &str) -> Result<&[u8], TooWide> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { Ok(text.as_bytes()) } else { Err(TooWide) }
}

fn read_exponent(text: &str) -> Result<i64, TooWide> {
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let size = digits(unsigned)?.iter().fold(0_i64, |size, byte| {
        let next = size.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
        next.min(EXPONENT_LIMIT)
    });
    Ok(sign * size)
}

#[cfg(test)]
mod tests;
