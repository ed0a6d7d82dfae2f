//! The scanner's way through a string (RFC 8259 section 7).

use super::Fault;
use super::scanner::{LoneSurrogates, Scanner};
use super::text::{Text, is_high_surrogate, is_low_surrogate};

impl<'a> Scanner<'a> {
    /// Takes a string, the scanner standing at its opening quote.
    pub(super) fn string(&mut self) -> Result<Text<'a>, Fault> {
        self.at += 1;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at += plain_length(self.rest());
            match self.peek() {
                Some(b'"') => {
                    let raw = self.slice(start, self.at);
                    self.at += 1;
                    return Ok(if has_escapes {
                        Text::escaped(raw)
                    } else {
                        Text::plain(raw)
                    });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return Err(Fault("a control character in a string")),
                None => return Err(Fault("a string without its end")),
            }
        }
    }

    /// Takes what follows a backslash.
    fn escape(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex_unit()?;
                match self.lone_surrogates {
                    LoneSurrogates::Tolerated => Ok(()),
                    LoneSurrogates::Refused => self.other_half(unit),
                }
            }
            _ => Err(Fault("an unknown escape in a string")),
        }
    }

    /// Takes the low surrogate that a high one asks for.
    fn other_half(&mut self, unit: u16) -> Result<(), Fault> {
        const LONE: Fault = Fault("a lone surrogate in a string");
        if is_low_surrogate(unit) {
            return Err(LONE);
        }
        if is_high_surrogate(unit) {
            if !self.rest().starts_with(b"\\u") {
                return Err(LONE);
            }
            self.at += 2;
            if !is_low_surrogate(self.hex_unit()?) {
                return Err(LONE);
            }
        }
        Ok(())
    }

    fn hex_unit(&mut self) -> Result<u16, Fault> {
        const BAD: Fault = Fault("a bad \\u escape in a string");
        let digits = self.rest().first_chunk::<4>().ok_or(BAD)?;
        let unit = digits.iter().try_fold(0_u16, |unit, byte| {
            let digit = char::from(*byte).to_digit(16)?;
            Some(unit << 4 | u16::try_from(digit).ok()?)
        });
        self.at += digits.len();
        unit.ok_or(BAD)
    }
}

/// How many bytes come before the first quote, backslash or control character.
fn plain_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    while let Some(word) = bytes.get(length..).and_then(<[u8]>::first_chunk::<8>) {
        let marks = special_bytes(u64::from_le_bytes(*word));
        if marks != 0 {
            return length + (marks.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let tail = bytes.get(length..).unwrap_or_default();
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    length + tail.iter().position(special).unwrap_or(tail.len())
}

/// Marks, with its highest bit, the lowest byte of eight that is a quote, a backslash or a control
/// character. Borrows can mark bytes above that one wrongly, never below it.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHEST_BITS: u64 = ONES << 7;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;

    let quotes = (word ^ QUOTES).wrapping_sub(ONES) & !(word ^ QUOTES);
    let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES) & !(word ^ BACKSLASHES);
    let controls = word.wrapping_sub(SPACES) & !word;
    (quotes | backslashes | controls) & HIGHEST_BITS
}
