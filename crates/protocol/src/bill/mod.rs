//! A bill's identity (contract section 4): the members by which guide sections 3 to 7 name a bill.

use std::fmt;

use crate::BillerCode;

/// Which bill a call is about: the biller's code, `biller_user_key`, `billed_year_month`,
/// `ordinal`, `biller_notice_key`, and the values of the biller's identity parameters. Absent and
/// `""` are the same.
///
/// Besides the code it is one text of netstrings (`LENGTH:CONTENT,`, lengths in bytes), in an order
/// that makes [`family`](Self::family) and [`rest`](Self::rest) two heads of it:
///
/// ```text
/// user_key month ordinal │ name value name value … │ notice_key
/// ── family ─────────────┘                         │
/// ── rest ─────────────────────────────────────────┘
/// ```
///
/// No content, whatever characters it holds, can be mistaken for another bill's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bill {
    biller_code: BillerCode,
    text: Box<str>,
    family_end: usize,
    rest_end: usize,
}

impl Bill {
    /// The bill with these parts, `""` for those it has not. Nothing is validated; the identity
    /// parameters are sorted, those with an empty value left out.
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

        let family = [biller_user_key, billed_year_month, ordinal];
        let length = family.into_iter().map(netstring_length).sum::<usize>()
            + parameters
                .iter()
                .map(|(name, value)| netstring_length(name) + netstring_length(value))
                .sum::<usize>()
            + netstring_length(biller_notice_key);

        let mut text = String::with_capacity(length);
        for part in family {
            push_netstring(&mut text, part);
        }
        let family_end = text.len();
        for (name, value) in parameters {
            push_netstring(&mut text, name);
            push_netstring(&mut text, value);
        }
        let rest_end = text.len();
        push_netstring(&mut text, biller_notice_key);
        Self {
            biller_code,
            text: text.into_boxed_str(),
            family_end,
            rest_end,
        }
    }

    /// The biller whose bill it is.
    pub const fn biller_code(&self) -> BillerCode {
        self.biller_code
    }

    /// The biller's key of its customer. Personal: never to be logged as it is.
    pub fn biller_user_key(&self) -> &str {
        self.part(0)
    }

    /// `YYYYMM`, or `""`.
    pub fn billed_year_month(&self) -> &str {
        self.part(1)
    }

    /// Which of the month's bills, or `""`.
    pub fn ordinal(&self) -> &str {
        self.part(2)
    }

    /// The biller's key of this one bill, or `""`.
    pub fn biller_notice_key(&self) -> &str {
        Netstrings(self.text.get(self.rest_end..).unwrap_or_default())
            .next()
            .unwrap_or_default()
    }

    /// Name and value of the identity parameters that the bill has, sorted by name.
    pub fn identity_parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = self
            .text
            .get(self.family_end..self.rest_end)
            .unwrap_or_default();
        let mut parts = Netstrings(text);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    /// Whether nothing but the customer is known: this month's bill cannot be told from next
    /// month's.
    pub fn is_indistinct(&self) -> bool {
        self.billed_year_month().is_empty()
            && self.ordinal().is_empty()
            && self.biller_notice_key().is_empty()
            && self.family_end == self.rest_end
    }

    /// Canonical text of user key, month and ordinal. The biller's code is not in it.
    pub fn family(&self) -> &str {
        self.text.get(..self.family_end).unwrap_or_default()
    }

    /// Canonical text of everything but the notice key: what two bills share that only their
    /// notice keys tell apart. The biller's code is not in it.
    pub fn rest(&self) -> &str {
        self.text.get(..self.rest_end).unwrap_or_default()
    }

    fn part(&self, index: usize) -> &str {
        Netstrings(&self.text).nth(index).unwrap_or_default()
    }
}

impl fmt::Debug for Bill {
    /// The biller's code and lengths only, since a user key is personal.
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
    // Twenty digits are enough for any `usize`.
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

/// The contents of netstrings that `push_netstring` wrote.
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
