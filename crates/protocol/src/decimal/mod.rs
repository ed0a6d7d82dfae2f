//! Exact decimals: the guide's amounts and `pay_id` (type `Number`, sections 6.1 and 7.1).

use std::fmt;
use std::ops::Range;

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

impl fmt::Display for TooWide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no number of at most 18 digits on either side of the point")
    }
}

impl std::error::Error for TooWide {}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self {
        units: 0,
        fraction: 0,
    };

    /// Takes a number as JSON spells it (RFC 8259 section 6).
    ///
    /// # Errors
    ///
    /// [`TooWide`] if the value, written out without exponent, leading or trailing zeros, has more
    /// than 18 digits on either side of the point. The cost is the spelling's length, whatever the
    /// exponent is.
    pub fn parse(spelling: &str) -> Result<Self, TooWide> {
        match plain_integer(spelling) {
            Some(units) => Ok(Self { units, fraction: 0 }),
            None => Spelling::split(spelling)?.value(),
        }
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

/// The value of up to 18 digits and nothing else, which is how nearly all amounts are spelled; all
/// other spellings take the long way.
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

/// The parts of a JSON number: `-`, digits, digits after the point, exponent.
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
        // Positions count from the mantissa's first digit; the point stands before `point`.
        let place = |position: usize| i64::try_from(position).map_err(|_| TooWide);
        let (first, end) = (place(significant.start)?, place(significant.end)?);
        let point = place(self.whole.len())? + self.exponent;
        if point - first > DIGITS || end - point > DIGITS {
            return Err(TooWide);
        }
        let sign = if self.negative { -1 } else { 1 };
        Ok(Decimal {
            units: sign * self.number(point - DIGITS),
            fraction: sign * self.number(point),
        })
    }

    /// From the first digit that is not zero to behind the last; `None` if all are zero.
    fn significant(&self) -> Option<Range<usize>> {
        let is_digit = |byte: &u8| *byte != b'0';
        let behind_whole = |index: usize| self.whole.len() + index;
        let first_decimal = || self.decimals.iter().position(is_digit).map(behind_whole);
        let last_decimal = self.decimals.iter().rposition(is_digit).map(behind_whole);
        let first = self
            .whole
            .iter()
            .position(is_digit)
            .or_else(first_decimal)?;
        let last = last_decimal.or_else(|| self.whole.iter().rposition(is_digit))?;
        Some(first..last + 1)
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

/// One digit or more, and what follows them.
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
