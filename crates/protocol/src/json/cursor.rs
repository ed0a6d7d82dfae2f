//! A position in a body, and the reading of white space and numbers (RFC 8259 sections 2 and 6).

use super::value::InvalidJson;

/// Whether `\uD800` without its second half is accepted. Such a string is JSON, but not Unicode text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LoneSurrogates {
    Refused,
    Accepted,
}

/// A position in a body.
pub(super) struct Cursor<'a> {
    /// UTF-8.
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) lone_surrogates: LoneSurrogates,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Skips white space and returns the byte after it without consuming that byte.
    #[expect(clippy::inline_always, reason = "it is mostly two instructions")]
    #[inline(always)]
    pub(super) fn peek_token(&mut self) -> Option<u8> {
        match self.peek() {
            // Most bodies have no white space.
            Some(byte) if byte > b' ' => Some(byte),
            _ => self.peek_after_white_space(),
        }
    }

    #[cold]
    fn peek_after_white_space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
            // Bodies with white space are mostly indented.
            self.at += spaces(self.rest());
        }
        self.peek()
    }

    /// Consumes a number; the cursor is at its first byte.
    pub(super) fn number(&mut self) -> Result<(), InvalidJson> {
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

    /// Consumes one digit or more.
    fn digits(&mut self) -> Result<(), InvalidJson> {
        let start = self.at;
        let mut at = start;
        while let Some(b'0'..=b'9') = self.bytes.get(at) {
            at += 1;
        }
        self.at = at;
        if at == start {
            Err(InvalidJson("a digit is expected in a number"))
        } else {
            Ok(())
        }
    }
}

/// Counts the spaces at the start of the bytes, up to eight.
fn spaces(bytes: &[u8]) -> usize {
    const SPACES: u64 = u64::from_le_bytes([b' '; 8]);
    let word = bytes.first_chunk::<8>();
    word.map_or(0, |word| {
        let others = u64::from_le_bytes(*word) ^ SPACES;
        (others.trailing_zeros() / 8) as usize
    })
}
