//! The canonical form of a pay-result: all spellings of the same values have the same form (contract section 4,
//! "Payments").
//!
//! The form lists the guide's members in the order of their table: strings unescaped, numbers by value, the
//! members of `parameters` and of any other object sorted by name. A missing member (absent, `null` or `""`) is
//! left out, and so are the members beyond the guide. Every part carries its length or its end, so different
//! values have different forms.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::json::{InvalidJson, Scanner, Value};

/// The first bytes of every form. No JSON text begins with them, so no form is the body of a pay-result.
const DOMAIN: &[u8] = b"relay canonical 1\n";

/// The digits of the largest exponent that is read. A number with a longer one is compared by its spelling.
const EXPONENT_DIGITS: usize = 17;

/// The digest of a pay-result's canonical form: the same for all spellings of the same values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalDigest([u8; 32]);

impl CanonicalDigest {
    /// Returns a stored digest; `None` unless it has 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CanonicalDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..8] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("…")
    }
}

/// A member occurs twice in an object: such a body has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemberTwice;

impl From<InvalidJson> for MemberTwice {
    /// The grammar of every text that is read here has been checked, so this does not happen.
    fn from(_: InvalidJson) -> Self {
        Self
    }
}

/// One value of a body, with its text where [`Value`] does not keep the content.
#[derive(Clone, Copy)]
pub(super) struct Spelled<'a> {
    pub(super) value: Value<'a>,
    /// The text of a literal, an array or an object; else empty.
    pub(super) text: &'a str,
}

impl<'a> Spelled<'a> {
    /// Reads the next value of a scanner.
    pub(super) fn next(scanner: &mut Scanner<'a>) -> Result<Self, InvalidJson> {
        let (value, text) = scanner.spelled_value()?;
        Ok(Self { value, text })
    }
}

/// An object's members, in the order of the body.
pub(super) type Members<'a> = Vec<(Cow<'a, str>, Spelled<'a>)>;

/// The canonical form, as far as it is written.
pub(super) struct CanonicalForm(Vec<u8>);

impl CanonicalForm {
    pub(super) fn new() -> Self {
        // The form of the guide's own example has 150 bytes.
        let mut form = Vec::with_capacity(256);
        form.extend_from_slice(DOMAIN);
        Self(form)
    }

    /// Returns the digest of the form.
    pub(super) fn digest(&self) -> CanonicalDigest {
        CanonicalDigest(Sha256::digest(&self.0).into())
    }

    /// Writes the position of a member in the guide's table; its value must be next.
    pub(super) fn member(&mut self, index: usize) {
        // The table has fewer than 256 members.
        self.0.push(u8::try_from(index).unwrap_or(u8::MAX));
    }

    /// Writes a value.
    pub(super) fn value(&mut self, spelled: &Spelled<'_>) -> Result<(), MemberTwice> {
        match spelled.value {
            Value::Null => self.0.push(b'0'),
            Value::String(text) => self.string(&text.content()),
            Value::Number(spelling) => self.number(spelling),
            Value::Bool => self
                .0
                .push(spelled.text.as_bytes().first().copied().unwrap_or_default()),
            Value::Array => self.array(spelled.text)?,
            Value::Object => self.object(members_of(spelled.text)?)?,
        }
        Ok(())
    }

    /// Writes an object with its members sorted by name.
    pub(super) fn object(&mut self, mut members: Members<'_>) -> Result<(), MemberTwice> {
        members.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        if members
            .array_windows()
            .any(|[(left, _), (right, _)]| left == right)
        {
            return Err(MemberTwice);
        }
        self.0.push(b'{');
        for (name, spelled) in &members {
            self.string(name);
            self.value(spelled)?;
        }
        self.0.push(b'}');
        Ok(())
    }

    fn array(&mut self, text: &str) -> Result<(), MemberTwice> {
        self.0.push(b'[');
        let mut scanner = Scanner::checked(text);
        scanner.enter_array()?;
        while scanner.next_element()? {
            let element = Spelled::next(&mut scanner)?;
            self.value(&element)?;
        }
        self.0.push(b']');
        Ok(())
    }

    fn string(&mut self, content: &str) {
        self.counted(b's', content.as_bytes());
    }

    /// Writes a number by its value: sign, the power of ten of the last digit, significant digits.
    fn number(&mut self, spelling: &str) {
        let Some(number) = Number::of(spelling) else {
            self.counted(b'N', spelling.as_bytes());
            return;
        };
        self.0.push(if number.negative { b'-' } else { b'+' });
        // Nearly every amount: below 100.
        if let Ok(power @ 0..100) = u8::try_from(number.power) {
            self.0.push(power);
        } else {
            self.0.push(u8::MAX);
            self.0.extend_from_slice(&number.power.to_le_bytes());
        }
        self.counted(b'n', number.digits.as_bytes());
    }

    /// Writes a kind, a length and bytes.
    fn counted(&mut self, kind: u8, content: &[u8]) {
        self.0.push(kind);
        if let Ok(length @ 0..=254) = u8::try_from(content.len()) {
            self.0.push(length);
        } else {
            self.0.push(u8::MAX);
            self.0
                .extend_from_slice(&(content.len() as u64).to_le_bytes());
        }
        self.0.extend_from_slice(content);
    }
}

/// Returns whether an object in the value occurs with a member twice, at any depth.
pub(super) fn check_deeply_distinct(spelled: &Spelled<'_>) -> Result<(), MemberTwice> {
    CanonicalForm(Vec::new()).value(spelled)
}

fn members_of(text: &str) -> Result<Members<'_>, MemberTwice> {
    let mut members = Vec::new();
    let mut scanner = Scanner::checked(text);
    scanner.enter_object()?;
    while let Some(name) = scanner.next_name()? {
        members.push((name.content(), Spelled::next(&mut scanner)?));
    }
    Ok(members)
}

/// The value of a JSON number: `digits` × 10^`power`, without zeros at either end of the digits.
struct Number<'a> {
    negative: bool,
    digits: Cow<'a, str>,
    power: i64,
}

impl<'a> Number<'a> {
    /// Returns the value of a JSON number; `None` where its exponent is out of all proportion.
    fn of(spelling: &'a str) -> Option<Self> {
        if spelling.bytes().all(|byte| byte.is_ascii_digit()) {
            // JSON has no leading zeros but in `0` itself.
            let digits = spelling.trim_end_matches('0');
            let zeros = if digits.is_empty() {
                0
            } else {
                spelling.len() - digits.len()
            };
            return Some(Self {
                negative: false,
                digits: Cow::Borrowed(digits),
                power: i64::try_from(zeros).ok()?,
            });
        }
        let (negative, unsigned) = match spelling.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, spelling),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (digits, decimals) = match mantissa.split_once('.') {
            Some((whole, decimals)) => {
                let digits = [whole, decimals].concat();
                (Cow::Owned(digits), decimals.len())
            }
            None => (Cow::Borrowed(mantissa), 0),
        };
        let digits = match digits {
            Cow::Borrowed(digits) => Cow::Borrowed(digits.trim_start_matches('0')),
            Cow::Owned(digits) => Cow::Owned(digits.trim_start_matches('0').to_owned()),
        };
        let significant = digits.trim_end_matches('0').len();
        if significant == 0 {
            let (negative, digits, power) = (false, Cow::Borrowed(""), 0);
            return Some(Self {
                negative,
                digits,
                power,
            });
        }
        let zeros = digits.len() - significant;
        let power = exponent + i64::try_from(zeros).ok()? - i64::try_from(decimals).ok()?;
        let digits = match digits {
            Cow::Borrowed(digits) => Cow::Borrowed(digits.get(..significant)?),
            Cow::Owned(mut digits) => {
                digits.truncate(significant);
                Cow::Owned(digits)
            }
        };
        Some(Self {
            negative,
            digits,
            power,
        })
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1, text.get(1..)?),
        [b'+', ..] => (1, text.get(1..)?),
        _ => (1, text),
    };
    let digits = digits.trim_start_matches('0');
    if digits.len() > EXPONENT_DIGITS {
        return None;
    }
    digits
        .bytes()
        .try_fold(0_i64, |size, digit| {
            digit
                .is_ascii_digit()
                .then(|| size * 10 + i64::from(digit - b'0'))
        })
        .map(|size| sign * size)
}

#[cfg(test)]
mod tests;
