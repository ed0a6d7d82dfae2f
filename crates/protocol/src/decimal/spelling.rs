//! The spelling of a JSON number, read digit by digit.

use std::ops::Range;

use super::TooWide;

/// Larger exponents are replaced by this one. No body has enough digits to compensate for it, and sums
/// with it do not overflow an `i64`.
const EXPONENT_LIMIT: i64 = 1 << 60;

/// The parts of a JSON number (RFC 8259 section 6).
pub(super) struct Spelling<'a> {
    negative: bool,
    whole: &'a [u8],
    decimals: &'a [u8],
    exponent: i64,
}

impl<'a> Spelling<'a> {
    /// Splits a number into its parts.
    ///
    /// # Errors
    /// [`TooWide`] if the text is no JSON number.
    pub(super) fn split(spelling: &'a str) -> Result<Self, TooWide> {
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

    /// The digits before the decimal point as a number with the sign.
    ///
    /// # Errors
    /// [`TooWide`] for more than `digits_max` digits, at most 38.
    pub(super) fn whole(&self, digits_max: i64) -> Result<i128, TooWide> {
        let Some(significant) = self.significant() else {
            return Ok(0);
        };
        let point = self.point()?;
        if point - position(significant.start)? > digits_max {
            return Err(TooWide);
        }
        Ok(self.number(point - digits_max, digits_max))
    }

    /// The digits after the decimal point in 10⁻ᵈ of a unit, where d is `digits_max`, with the sign.
    ///
    /// # Errors
    /// [`TooWide`] for more than `digits_max` digits, at most 38.
    pub(super) fn fraction(&self, digits_max: i64) -> Result<i128, TooWide> {
        let Some(significant) = self.significant() else {
            return Ok(0);
        };
        let point = self.point()?;
        if position(significant.end)? - point > digits_max {
            return Err(TooWide);
        }
        Ok(self.number(point, digits_max))
    }

    /// The position of the decimal point. Positions count from the mantissa's first digit.
    fn point(&self) -> Result<i64, TooWide> {
        Ok(position(self.whole.len())? + self.exponent)
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

    /// The `digits` digits from `from` on as one number with the sign. Digits outside the mantissa are zero.
    fn number(&self, from: i64, digits: i64) -> i128 {
        let number = (from..from + digits).fold(0, |number, position| {
            let digit = usize::try_from(position).map_or(0, |index| self.digit(index));
            number * 10 + i128::from(digit)
        });
        if self.negative { -number } else { number }
    }

    fn digit(&self, index: usize) -> u8 {
        let byte = match index.checked_sub(self.whole.len()) {
            None => self.whole.get(index),
            Some(index) => self.decimals.get(index),
        };
        byte.map_or(0, |byte| byte - b'0')
    }
}

fn position(index: usize) -> Result<i64, TooWide> {
    i64::try_from(index).map_err(|_| TooWide)
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
