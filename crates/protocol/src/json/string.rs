//! The scanner's way through a string (RFC 8259 section 7).

use super::Fault;
use super::scanner::{LoneSurrogates, Scanner};
use super::text::{is_high_surrogate, is_low_surrogate};

/// Whether a string holds any.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    None,
    Some,
}

impl Scanner<'_> {
    /// Takes a string, the scanner standing at its opening quote.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Escapes, Fault> {
        self.at = plain_end(self.bytes, self.at + 1);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Escapes::None);
        }
        self.string_with_escapes()
    }

    /// Takes the rest of a string, the scanner standing at its first escape or at a fault.
    #[cold]
    fn string_with_escapes(&mut self) -> Result<Escapes, Fault> {
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
                Some(_) => return Err(Fault("a control character in a string")),
                None => return Err(Fault("a string without its end")),
            }
            self.at = plain_end(self.bytes, self.at);
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

/// Where, from `start` on, the first quote, backslash or control character is; or the end.
#[inline]
fn plain_end(bytes: &[u8], start: usize) -> usize {
    let mut rest = bytes.get(start..).unwrap_or_default();
    while let Some((word, behind)) = rest.split_first_chunk() {
        let marks = special_bytes(u64::from_le_bytes(*word));
        if marks != 0 {
            return bytes.len() - rest.len() + (marks.trailing_zeros() / 8) as usize;
        }
        rest = behind;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    let plain = rest.iter().position(special);
    plain.map_or(bytes.len(), |plain| bytes.len() - rest.len() + plain)
}

/// Marks, with its highest bit, the lowest byte of eight that is a quote, a backslash or a control
/// character. Borrows can mark bytes above that one wrongly, never below it.
const fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST_BITS: u64 = ONES << 7;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    // With this bit turned, the quote stands right behind the control characters.
    const TURNED: u8 = 0b10;
    const BEHIND_QUOTES: u64 = ONES * ((b'"' ^ TURNED) as u64 + 1);

    let low = (word ^ (ONES * TURNED as u64)).wrapping_sub(BEHIND_QUOTES);
    let backslashes = (word ^ BACKSLASHES).wrapping_sub(ONES);
    // Bytes of other characters than ASCII are none of these.
    (low | backslashes) & !word & HIGHEST_BITS
}
