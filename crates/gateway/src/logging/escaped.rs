//! Escapes text for a JSON string.

use std::fmt;
use std::io::Write as _;

/// The maximum length of a text before escaping. Longer text is cut. An event has at most 32 fields.
const MAX_TEXT_BYTES: usize = 4_096;

/// Stands for the end of a text that was cut.
const CUT: &str = "…";

/// Writes text as the content of a JSON string, up to a bound.
pub(super) struct Escaped<'a> {
    bytes: &'a mut Vec<u8>,
    left_bytes: usize,
}

impl<'a> Escaped<'a> {
    pub(super) const fn bounded(bytes: &'a mut Vec<u8>) -> Self {
        Self {
            bytes,
            left_bytes: MAX_TEXT_BYTES,
        }
    }

    /// For names, which come from the code.
    pub(super) const fn unbounded(bytes: &'a mut Vec<u8>) -> Self {
        Self {
            bytes,
            left_bytes: usize::MAX,
        }
    }

    /// Appends `text` without regard to the bound.
    pub(super) fn push(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            self.push_by_characters(text);
        }
    }

    fn push_by_characters(&mut self, mut text: &str) {
        while let Some(at) = text.find(needs_escape) {
            let (plain, rest) = text.split_at(at);
            self.bytes.extend_from_slice(plain.as_bytes());
            let mut characters = rest.chars();
            characters
                .next()
                .into_iter()
                .for_each(|character| self.push_escaped(character));
            text = characters.as_str();
        }
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn push_escaped(&mut self, character: char) {
        let short: &[u8] = match character {
            '"' => b"\\\"",
            '\\' => b"\\\\",
            '\n' => b"\\n",
            '\r' => b"\\r",
            '\t' => b"\\t",
            other => {
                // All characters that need an escape are in the basic plane, so four digits are enough.
                let _ = write!(self.bytes, "\\u{:04x}", u32::from(other));
                return;
            }
        };
        self.bytes.extend_from_slice(short);
    }
}

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left_bytes {
            self.left_bytes -= text.len();
            self.push(text);
            return Ok(());
        }
        let cut = text.floor_char_boundary(self.left_bytes);
        self.left_bytes = 0;
        self.push(text.get(..cut).unwrap_or_default());
        self.push(CUT);
        Err(fmt::Error)
    }
}

/// Whether a character is escaped: what JSON requires, and characters that can end a line, control a
/// terminal or falsify how a text looks (C1 controls, zero-width and bidirectional marks, line and paragraph
/// separators).
const fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}'
            | '"'
            | '\\'
            | '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// Whether a text consists of ASCII characters that need no escape. Nearly all texts do.
///
/// Bytes are examined eight or four at a time, the last ones perhaps twice: that costs less than a loop over single
/// bytes.
fn is_plain(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk() {
        let (words, _) = text.as_chunks();
        let mark = |word: &[u8; 8]| marks(u64::from_le_bytes(*word));
        return words
            .iter()
            .fold(mark(last), |found, word| found | mark(word))
            == 0;
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(*half)));
        return marks(first << 32 | last) == 0;
    }
    text.iter().all(|byte| PLAIN[usize::from(*byte)])
}

/// Returns a number other than zero if one of eight bytes is not [`PLAIN`].
const fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST_BITS: u64 = ONES << 7;
    let controls = word.wrapping_sub(ONES * b' ' as u64);
    let quotes = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslashes = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    // 0x7F becomes 0x80. A byte carries into or borrows from the next one only where it is marked itself.
    let deletes = word.wrapping_add(ONES);
    (controls | quotes | backslashes | deletes | word) & HIGHEST_BITS
}

/// The bytes that are ASCII characters and need no escape.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        plain[byte as usize] = !needs_escape(byte as char);
        byte += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut bytes = Vec::new();
        Escaped::unbounded(&mut bytes).push(text);
        String::from_utf8(bytes).unwrap()
    }

    fn one_by_one(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut escaped = Escaped::unbounded(&mut bytes);
        for character in text.chars() {
            if needs_escape(character) {
                escaped.push_escaped(character);
            } else {
                escaped.bytes.extend(character.to_string().bytes());
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_character_below_256_is_escaped_alike_at_every_place() {
        for character in '\0'..='\u{ff}' {
            for (before, behind) in (0..200).map(|place| (place / 10, place % 10)) {
                let text = format!("{}{character}{}", "a".repeat(before), "~".repeat(behind));
                assert_eq!(escaped(&text), one_by_one(&text), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn texts_are_escaped_as_their_characters_are(text in r"[ -~]{0,40}|[\x00-\x7f]{0,20}|\PC{0,20}") {
            prop_assert_eq!(escaped(&text), one_by_one(&text));
        }
    }
}
