//! The reading of strings (RFC 8259 section 7).

use super::cursor::{Cursor, LoneSurrogates};
use super::value::{InvalidJson, is_high_surrogate, is_low_surrogate};

/// Whether a string contains escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    None,
    Some,
}

impl Cursor<'_> {
    /// Consumes a string; the cursor is at its opening quote.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Escapes, InvalidJson> {
        self.at = plain_end(self.bytes, self.at + 1);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Escapes::None);
        }
        self.string_with_escapes()
    }

    /// Consumes the rest of a string; the cursor is at its first escape or at an invalid byte.
    #[cold]
    fn string_with_escapes(&mut self) -> Result<Escapes, InvalidJson> {
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Escapes::Some);
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return Err(InvalidJson("a control character in a string")),
                None => return Err(InvalidJson("an unterminated string")),
            }
            self.at = plain_end(self.bytes, self.at);
        }
    }

    /// Consumes an escape; the cursor is after its backslash.
    fn escape(&mut self) -> Result<(), InvalidJson> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex_unit()?;
                match self.lone_surrogates {
                    LoneSurrogates::Accepted => Ok(()),
                    LoneSurrogates::Refused => self.second_half(unit),
                }
            }
            _ => Err(InvalidJson("an invalid escape in a string")),
        }
    }

    /// Consumes the low surrogate that must follow a high one.
    fn second_half(&mut self, unit: u16) -> Result<(), InvalidJson> {
        const LONE: InvalidJson = InvalidJson("a lone surrogate in a string");
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

    fn hex_unit(&mut self) -> Result<u16, InvalidJson> {
        const INVALID: InvalidJson = InvalidJson("an invalid \\u escape in a string");
        let digits = self.rest().first_chunk::<4>().ok_or(INVALID)?;
        let unit = digits.iter().try_fold(0_u16, |unit, byte| {
            let digit = char::from(*byte).to_digit(16)?;
            Some(unit << 4 | u16::try_from(digit).ok()?)
        });
        self.at += digits.len();
        unit.ok_or(INVALID)
    }
}

/// Returns the position of the first quote, backslash or control character from `start` on, or the end
/// of the bytes.
#[inline]
fn plain_end(bytes: &[u8], start: usize) -> usize {
    let mut rest = bytes.get(start..).unwrap_or_default();
    while let Some((word, after)) = rest.split_first_chunk() {
        let marks = special_bytes(u64::from_le_bytes(*word));
        if marks != 0 {
            return bytes.len() - rest.len() + (marks.trailing_zeros() / 8) as usize;
        }
        rest = after;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let plain = rest.iter().position(special);
    plain.map_or(bytes.len(), |plain| bytes.len() - rest.len() + plain)
}

/// Sets the highest bit of the lowest byte of eight that is a quote, a backslash or a control character.
/// A borrow can set this bit in higher bytes too, never in lower ones.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST_BITS: u64 = ONES << 7;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    // With this bit flipped, the quote is the next value after the control characters.
    const FLIPPED: u8 = 0b10;
    const AFTER_QUOTES: u64 = ONES * ((b'"' ^ FLIPPED) as u64 + 1);

    let low = (word ^ (ONES * FLIPPED as u64)).wrapping_sub(AFTER_QUOTES);
    let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES);
    // Bytes outside ASCII are none of these.
    (low | backslashes) & !word & HIGHEST_BITS
}
