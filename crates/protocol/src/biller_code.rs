//! The `biller_code` in the paths of the two link APIs (guide sections 3 and 4).

use std::fmt;

/// The most characters of a biller code (contract section 6).
const MAX_LENGTH: usize = 32;

/// A biller's code: 1 to 32 of `A-Z a-z 0-9 _ -`, held inline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BillerCode {
    // Unused bytes are zero, which no code contains, so the derived order is the order of the text.
    bytes: [u8; MAX_LENGTH],
    length: u8,
}

impl BillerCode {
    /// Parses the code of a path, a header or a configuration. Returns `None` if it is not a code.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || !text.as_bytes().iter().all(allowed) {
            return None;
        }
        let mut bytes = [0; MAX_LENGTH];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).ok()?;
        Some(Self { bytes, length })
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        let used = self
            .bytes
            .get(..usize::from(self.length))
            .unwrap_or_default();
        // `parse` accepts ASCII only, so the fallback is never used.
        std::str::from_utf8(used).unwrap_or_default()
    }
}

impl fmt::Display for BillerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for BillerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_thirty_two_letters_digits_hyphens_and_underscores_make_a_code() {
        let longest = "x".repeat(32);
        for text in ["B", "B0001", "a-b_C-9", longest.as_str()] {
            let code = BillerCode::parse(text).unwrap();
            assert_eq!(code.as_str(), text);
            assert_eq!(format!("{code} {code:?}"), format!("{text} {text}"));
        }
        let too_long = "x".repeat(33);
        for text in [
            "",
            " ",
            "B 1",
            "B%30",
            "B/1",
            "빌러",
            "B\0",
            ".",
            too_long.as_str(),
        ] {
            assert_eq!(BillerCode::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn codes_are_ordered_as_their_text_is() {
        let mut codes = ["B10", "B1", "b", "B-", "B1-"];
        codes.sort_unstable_by_key(|text| BillerCode::parse(text));
        assert_eq!(codes, ["B-", "B1", "B1-", "B10", "b"]);
    }
}
