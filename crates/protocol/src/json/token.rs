//! The scanner's way over white space and through numbers (RFC 8259 sections 2 and 6).

use super::Fault;
use super::scanner::Scanner;

impl Scanner<'_> {
    /// The next byte that is no white space, the scanner then standing before it.
    #[expect(clippy::inline_always, reason = "it is two instructions, mostly")]
    #[inline(always)]
    pub(super) fn peek_token(&mut self) -> Option<u8> {
        match self.peek() {
            // Bodies come mostly without white space.
            Some(byte) if byte > b' ' => Some(byte),
            _ => self.peek_behind_white_space(),
        }
    }

    #[cold]
    fn peek_behind_white_space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
            // Bodies made for people are indented.
            self.at += spaces(self.rest());
        }
        self.peek()
    }

    /// Takes a number, the scanner standing at its first byte.
    pub(super) fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut at = start;
        while let Some(b'0'..=b'9') = self.bytes.get(at) {
            at += 1;
        }
        self.at = at;
        if at == start {
            Err(Fault("a number without its digits"))
        } else {
            Ok(())
        }
    }
}

/// How many of the first eight bytes are spaces, one behind the other.
fn spaces(bytes: &[u8]) -> usize {
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    let word = bytes.first_chunk::<8>();
    word.map_or(0, |word| {
        let others = u64::from_le_bytes(*word) ^ SPACES;
        (others.trailing_zeros() / 8) as usize
    })
}
