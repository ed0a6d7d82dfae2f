//! Exact decimals for the guide's amounts and `pay_id` (type `Number`, sections 6.1 and 7.1).

use std::fmt;
use std::ops::Range;

/// The most digits before and after the decimal point, without exponent (contract check 7).
const DIGITS: i64 = 18;

/// Larger exponents are replaced by this one. No body has enough digits to compensate for it, and sums
/// with it do not overflow an `i64`.
const EXPONENT_LIMIT: i64 = 1 << 60;

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
        match plain_integer(spelling) {
            Some(units) => Ok(Self { units, fraction: 0 }),
            None => Spelling::split(spelling)?.value(),
        }
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

/// The parts of a JSON number.
struct Spelling<'a> {
    negative: bool,
    whole: &'a [u8],
    decimals: &'a [u8],
    exponent: i64,
}

impl<'a> Spelling<'a> {
    fn split(spelling: &'a str) -> Result<Self, TooWide> {
        let bytes = spelling.as_bytes();
        let (negative, unsigned) = match bytes.strip_prefix(b"-") {
            Some(unsigned) => (true, unsigned),
            None => (false, bytes),
        };
        let (whole, rest) = take_digits(unsigned)?;
        let (decimals, rest) = match rest.strip_prefix(b".") {
            Some(rest) => take_digits(rest)?,
            None => (&[][..], rest),
        };
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', exponent @ ..] => read_exponent(exponent)?,
            _ => return Err(TooWide),
        };
        if matches!(whole, [b'0', _, ..]) {
            return Err(TooWide);
        }
        Ok(Self {
            negative,
            whole,
            decimals,
            exponent,
        })
    }

    fn value(&self) -> Result<Decimal, TooWide> {
        let Some(significant) = self.significant() else {
            return Ok(Decimal::ZERO);
        };
        // Positions count from the mantissa's first digit; the decimal point is before `point`.
        let signed = |position: usize| i64::try_from(position).map_err(|_| TooWide);
        let (first, end) = (signed(significant.start)?, signed(significant.end)?);
        let point = signed(self.whole.len())? + self.exponent;
        if point - first > DIGITS || end - point > DIGITS {
            return Err(TooWide);
        }
        let sign = if self.negative { -1 } else { 1 };
        Ok(Decimal {
            units: sign * self.number(point - DIGITS),
            fraction: sign * self.number(point),
        })
    }

    /// The range from the first to the last digit that is not zero; `None` if all are zero.
    fn significant(&self) -> Option<Range<usize>> {
        let is_digit = |byte: &u8| *byte != b'0';
        let after_whole = |index: usize| self.whole.len() + index;
        let first_decimal = || self.decimals.iter().position(is_digit).map(after_whole);
        let last_decimal = self.decimals.iter().rposition(is_digit).map(after_whole);
        let first = self
            .whole
            .iter()
            .position(is_digit)
            .or_else(first_decimal)?;
        let last = last_decimal.or_else(|| self.whole.iter().rposition(is_digit))?;
        Some(first..last + 1)
    }

    /// The 18 digits from `from` on as one number. Digits outside the mantissa are zero.
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

/// Splits off the leading digits, at least one. Returns them and the rest.
fn take_digits(bytes: &[u8]) -> Result<(&[u8], &[u8]), TooWide> {
    let end = bytes
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(bytes.len());
    match bytes.split_at_checked(end) {
        Some((digits, rest)) if !digits.is_empty() => Ok((digits, rest)),
        _ => Err(TooWide),
    }
}

fn read_exponent(bytes: &[u8]) -> Result<i64, TooWide> {
    let (sign, unsigned) = match bytes {
        [b'-', unsigned @ ..] => (-1, unsigned),
        [b'+', unsigned @ ..] | unsigned => (1, unsigned),
    };
    let (digits, []) = take_digits(unsigned)? else {
        return Err(TooWide);
    };
    let size = digits.iter().fold(0_i64, |size, byte| {
        let next = size
            .saturating_mul(10)
            .saturating_add(i64::from(byte - b'0'));
        next.min(EXPONENT_LIMIT)
    });
    Ok(sign * size)
}

#[cfg(test)]
mod tests;
