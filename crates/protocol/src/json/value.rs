//! The values that the scanner returns, and its error.

use std::borrow::Cow;

/// The body is not the JSON that is required. The reason contains nothing of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidJson(pub(crate) &'static str);

/// A value whose grammar the scanner has checked. Only numbers and strings keep their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Bool,
    /// The number as it is spelled in the body.
    Number(&'a str),
    String(Text<'a>),
    Array,
    Object,
}

impl Value<'_> {
    /// Whether the value is `null` or `""`, which the contract treats as an absent member.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::String(text) => text.is_empty(),
            Self::Bool | Self::Number(_) | Self::Array | Self::Object => false,
        }
    }
}

/// The text between the quotes of a JSON string (RFC 8259 section 7), with checked grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    has_escapes: bool,
}

impl<'a> Text<'a> {
    /// A string without escapes.
    pub(super) const fn plain(raw: &'a str) -> Self {
        Self {
            raw,
            has_escapes: false,
        }
    }

    /// A string with escapes, all of them valid.
    pub(super) const fn escaped(raw: &'a str) -> Self {
        Self {
            raw,
            has_escapes: true,
        }
    }

    /// Whether the string is `""`. Every escape is a character, so only empty raw text is empty.
    pub(crate) const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Returns the unescaped string, borrowed from the body if it has no escape. A lone surrogate,
    /// which is accepted in answers only, becomes U+FFFD.
    #[inline]
    pub(crate) fn content(&self) -> Cow<'a, str> {
        if self.has_escapes {
            Cow::Owned(unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }
}

fn unescape(raw: &str) -> String {
    let mut content = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        content.push_str(plain);
        let (character, after) = unescape_one(escape);
        content.push(character);
        rest = after;
    }
    content.push_str(rest);
    content
}

/// Decodes the escape after a backslash. Returns its character and the text after the escape.
fn unescape_one(escape: &str) -> (char, &str) {
    let mut characters = escape.chars();
    let character = match characters.next() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => return unescape_unit(characters.as_str()),
        Some(itself) => itself,
        None => char::REPLACEMENT_CHARACTER,
    };
    (character, characters.as_str())
}

/// Decodes the character whose first UTF-16 unit has these hex digits: one unit, or a surrogate pair.
fn unescape_unit(digits: &str) -> (char, &str) {
    let (first, after) = hex_unit(digits);
    if is_high_surrogate(first)
        && let Some(pair) = after.strip_prefix("\\u")
    {
        let (second, after) = hex_unit(pair);
        if is_low_surrogate(second) {
            let code = 0x1_0000 + (u32::from(first & 0x3FF) << 10) + u32::from(second & 0x3FF);
            return (
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                after,
            );
        }
    }
    (
        char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER),
        after,
    )
}

fn hex_unit(digits: &str) -> (u16, &str) {
    let unit = digits
        .get(..4)
        .and_then(|hex| u16::from_str_radix(hex, 16).ok());
    (unit.unwrap_or(0xFFFD), digits.get(4..).unwrap_or_default())
}

pub(super) const fn is_high_surrogate(unit: u16) -> bool {
    matches!(unit, 0xD800..=0xDBFF)
}

pub(super) const fn is_low_surrogate(unit: u16) -> bool {
    matches!(unit, 0xDC00..=0xDFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded() {
        let table = [
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"d\u0061ta", "data"),
            (r"\uD83D\uDE00!", "😀!"),
            (r"\ud83d\ude00", "😀"),
            (r"\uAC00나\u0000", "가나\0"),
            (r"\uD83D", "\u{FFFD}"),
            (r"\uDE00\uD83D", "\u{FFFD}\u{FFFD}"),
            (r"\uD83D\uD83D\uDE00", "\u{FFFD}😀"),
            (r"\uD83D\n\u0041", "\u{FFFD}\nA"),
        ];
        for (raw, content) in table {
            assert_eq!(Text::escaped(raw).content(), content, "{raw}");
        }
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(
            Text::plain("가나").content(),
            Cow::Borrowed("가나")
        ));
    }
}
