//! The identity of a bill (contract section 4): the members that identify it in guide sections 3 to 7.

use std::fmt;

use crate::BillerCode;

/// The identity of a bill: the biller's code, `biller_user_key`, `billed_year_month`, `ordinal`,
/// `biller_notice_key`, and the values of the biller's identity parameters. Absent and `""` are the
/// same.
///
/// All parts except the code are stored as one text of netstrings (`LENGTH:CONTENT,`, lengths in bytes).
/// Two prefixes of the text are keys, [`group_key`](Self::group_key) and
/// [`key_without_notice_key`](Self::key_without_notice_key):
///
/// ```text
/// user_key month ordinal │ name value name value … │ notice_key
/// ── group_key ──────────┘                         │
/// ── key_without_notice_key ───────────────────────┘
/// ```
///
/// Different bills have different texts, whatever characters their members contain.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bill {
    biller_code: BillerCode,
    text: Box<str>,
    group_end: usize,
    notice_key_start: usize,
}

impl Bill {
    /// Returns the bill with these parts; absent parts are `""`. The parts are not validated. Identity
    /// parameters are sorted, and those with an empty value are omitted.
    pub fn from_parts(
        biller_code: BillerCode,
        biller_user_key: &str,
        billed_year_month: &str,
        ordinal: &str,
        biller_notice_key: &str,
        identity_parameters: &[(&str, &str)],
    ) -> Self {
        let mut parameters: Vec<(&str, &str)> = identity_parameters
            .iter()
            .copied()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        parameters.sort_unstable();

        let group = [biller_user_key, billed_year_month, ordinal];
        let length = group.into_iter().map(netstring_length).sum::<usize>()
            + parameters
                .iter()
                .map(|(name, value)| netstring_length(name) + netstring_length(value))
                .sum::<usize>()
            + netstring_length(biller_notice_key);

        let mut text = String::with_capacity(length);
        for part in group {
            push_netstring(&mut text, part);
        }
        let group_end = text.len();
        for (name, value) in parameters {
            push_netstring(&mut text, name);
            push_netstring(&mut text, value);
        }
        let notice_key_start = text.len();
        push_netstring(&mut text, biller_notice_key);
        Self {
            biller_code,
            text: text.into_boxed_str(),
            group_end,
            notice_key_start,
        }
    }

    /// The code of the bill's biller.
    pub const fn biller_code(&self) -> BillerCode {
        self.biller_code
    }

    /// The biller's key of its customer. It is personal data and must not be logged in plain text.
    pub fn biller_user_key(&self) -> &str {
        self.part(0)
    }

    /// The month, `YYYYMM`, or `""`.
    pub fn billed_year_month(&self) -> &str {
        self.part(1)
    }

    /// The number of the bill in its month, or `""`.
    pub fn ordinal(&self) -> &str {
        self.part(2)
    }

    /// The biller's key of this bill, or `""`.
    pub fn biller_notice_key(&self) -> &str {
        Netstrings(self.text.get(self.notice_key_start..).unwrap_or_default())
            .next()
            .unwrap_or_default()
    }

    /// The names and values of the bill's identity parameters, sorted by name.
    pub fn identity_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = self
            .text
            .get(self.group_end..self.notice_key_start)
            .unwrap_or_default();
        let mut parts = Netstrings(text);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// Whether the user key is the bill's only part. Such a customer's bills of different months have
    /// the same identity.
    pub fn has_only_user_key(&self) -> bool {
        self.billed_year_month().is_empty()
            && self.ordinal().is_empty()
            && self.biller_notice_key().is_empty()
            && self.group_end == self.notice_key_start
    }

    /// The key of the bill's group: the canonical text of user key, month and ordinal, without the
    /// biller's code.
    pub fn group_key(&self) -> &str {
        self.text.get(..self.group_end).unwrap_or_default()
    }

    /// Returns the bill without its identity parameters.
    #[must_use]
    pub fn without_identity_parameters(&self) -> Self {
        Self::from_parts(
            self.biller_code,
            self.biller_user_key(),
            self.billed_year_month(),
            self.ordinal(),
            self.biller_notice_key(),
            &[],
        )
    }

    /// Whether the other bill has the same parts but for its identity parameters; all parts are the same too.
    pub fn differs_in_identity_only(&self, other: &Self) -> bool {
        self.biller_code == other.biller_code
            && self.group_key() == other.group_key()
            && self.notice_key_part() == other.notice_key_part()
    }

    /// The canonical text of all parts except the biller's code and the notice key. Bills that differ
    /// only in their notice keys have the same text.
    pub fn key_without_notice_key(&self) -> &str {
        self.text.get(..self.notice_key_start).unwrap_or_default()
    }

    /// The canonical text of all parts except the biller's code.
    pub fn key(&self) -> &str {
        &self.text
    }

    /// The end of [`key`](Self::key): the canonical text of the notice key.
    pub fn notice_key_part(&self) -> &str {
        self.text.get(self.notice_key_start..).unwrap_or_default()
    }

    /// The length of the canonical text of all parts except the biller's code.
    pub const fn text_bytes(&self) -> usize {
        self.text.len()
    }

    fn part(&self, index: usize) -> &str {
        Netstrings(&self.text).nth(index).unwrap_or_default()
    }
}

impl fmt::Debug for Bill {
    /// Writes the biller's code and the lengths of the other parts, since a user key is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bill")
            .field("biller_code", &self.biller_code)
            .field("biller_user_key_bytes", &self.biller_user_key().len())
            .field("billed_year_month_bytes", &self.billed_year_month().len())
            .field("ordinal_bytes", &self.ordinal().len())
            .field("biller_notice_key_bytes", &self.biller_notice_key().len())
            .field("identity_parameters", &self.identity_parameters().count())
            .finish_non_exhaustive()
    }
}

fn netstring_length(content: &str) -> usize {
    let digits = content
        .len()
        .checked_ilog10()
        .map_or(1, |log| log as usize + 1);
    digits + 1 + content.len() + 1
}

fn push_netstring(text: &mut String, content: &str) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = content.len();
    // A `usize` has at most 20 digits.
    for slot in digits.iter_mut().rev() {
        *slot = b"0123456789"[rest % 10];
        start -= 1;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend(digits.iter().skip(start).copied().map(char::from));
    text.push(':');
    text.push_str(content);
    text.push(',');
}

/// Iterates over the contents of netstrings written by `push_netstring`.
struct Netstrings<'a>(&'a str);

impl<'a> Iterator for Netstrings<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let (length, rest) = self.0.split_once(':')?;
        let length: usize = length.parse().ok()?;
        let content = rest.get(..length)?;
        self.0 = rest.get(length + 1..)?;
        Some(content)
    }
}

#[cfg(test)]
mod tests;
