//! Bytes as text without white space.

use std::fmt::{self, Write as _};

/// Displays bytes in a form that [`unescape`] parses. Printable text is not escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                match letter {
                    '\r' => formatter.write_str("\\r")?,
                    '\n' => formatter.write_str("\\n")?,
                    '\t' => formatter.write_str("\\t")?,
                    '\\' => formatter.write_str("\\\\")?,
                    ' ' | '\0'..='\x1f' | '\x7f' => write!(formatter, "\\x{:02x}", letter as u32)?,
                    letter => formatter.write_char(letter)?,
                }
            }
            for byte in chunk.invalid() {
                write!(formatter, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Parses the escapes `\r`, `\n`, `\t`, `\\` and `\xNN`; all other text is unchanged.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'\\' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (byte, length) = match after {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', high, low, ..] => (hexadecimal(*high, *low).ok_or_else(|| invalid(text))?, 3),
            _ => return Err(invalid(text)),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    Ok(bytes)
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn invalid(text: &str) -> String {
    format!("`{text}`: expected r, n, t, \\ or xNN after a backslash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_restored() {
        let all: Vec<u8> = (0..=255).collect();
        let text = Escaped(&all).to_string();
        assert!(!text.contains(char::is_whitespace), "{text}");
        assert_eq!(unescape(&text), Ok(all));
    }

    #[test]
    fn text_stays_readable() {
        assert_eq!(
            Escaped("{\"a\":\"성공\"}\r\n".as_bytes()).to_string(),
            "{\"a\":\"성공\"}\\r\\n"
        );
    }

    #[test]
    fn an_unknown_escape_is_refused() {
        for text in ["\\", "\\q", "\\x", "\\x1", "\\xgg"] {
            assert!(unescape(text).is_err(), "{text}");
        }
    }
}
