//! Finds the end of a JSON object in bytes that arrive in pieces, for answers whose framing does not tell it.

/// The byte-order mark, which some editors put before a file's text.
const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// How far the bytes of a body are a JSON object.
///
/// Only as much is read as its end takes: braces outside of strings. Whether the object is JSON is checked once it is
/// complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonObject {
    /// So many bytes of a byte-order mark and nothing else have come.
    Mark(u8),
    /// White space at most has come.
    Blank,
    /// The object has begun; so many objects are open.
    Open(u32),
    /// The same, within a string.
    String(u32),
    /// The same, behind a backslash.
    Escape(u32),
    /// The object has ended; white space at most came behind it.
    Complete,
    /// The bytes begin no object, or something follows it.
    Other,
}

impl JsonObject {
    /// Starts before the first byte.
    pub(super) const fn new() -> Self {
        Self::Mark(0)
    }

    /// Reads the next bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        *self = bytes.iter().fold(*self, |state, byte| state.step(*byte));
    }

    const fn step(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Mark(read @ 0..=2), _) if byte == BYTE_ORDER_MARK[read as usize] => {
                Self::Mark(read + 1)
            }
            (Self::Mark(0 | 3) | Self::Blank, b' ' | b'\t' | b'\n' | b'\r') => Self::Blank,
            (Self::Mark(0 | 3) | Self::Blank, b'{') => Self::Open(1),
            (Self::Open(depth), b'"') => Self::String(depth),
            (Self::Open(depth), b'{') => Self::Open(depth.saturating_add(1)),
            (Self::Open(1), b'}') | (Self::Complete, b' ' | b'\t' | b'\n' | b'\r') => {
                Self::Complete
            }
            (Self::Open(depth), b'}') => Self::Open(depth - 1),
            (Self::Open(depth), _) | (Self::String(depth), b'"') => Self::Open(depth),
            (Self::String(depth), b'\\') => Self::Escape(depth),
            (Self::String(depth) | Self::Escape(depth), _) => Self::String(depth),
            (Self::Mark(_) | Self::Blank | Self::Complete | Self::Other, _) => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_end_of_an_object_is_found_in_pieces_of_any_size() {
        use JsonObject::{Blank, Complete, Escape, Mark, Open, Other, String};
        for (text, state) in [
            (&b""[..], Mark(0)),
            (b"\xEF\xBB", Mark(2)),
            (b"\xEF\xBB\xBF", Mark(3)),
            (b"\xEF\xBB\xBF \r\n", Blank),
            (b"\xEF\xBB\xBF{}", Complete),
            (b"\xEF\xBB\xBF\xEF\xBB\xBF{}", Other),
            (b" \xEF\xBB\xBF{}", Other),
            (b"\xEF{}", Other),
            (b"{", Open(1)),
            (b"{\"a\":{\"b\":[{", Open(3)),
            (b"{\"a\":{}", Open(1)),
            (b"{\"}", String(1)),
            (b"{\"\\", Escape(1)),
            (b"{\"\\\"}", String(1)),
            (b"{\"\\\\\"}", Complete),
            ("{\"성공\":\"}{\"}".as_bytes(), Complete),
            (b"\n{\"a\":{\"b\":{}}} \r\n\t", Complete),
            (b"{}x", Other),
            (b"{}{}", Other),
            (b"[]", Other),
            (b"null", Other),
            (b"<html>{}</html>", Other),
        ] {
            for size in 1..=text.len().max(1) {
                let mut object = JsonObject::new();
                text.chunks(size).for_each(|piece| object.read(piece));
                assert_eq!(object, state, "{} by {size}", text.escape_ascii());
            }
        }
    }

    fn state_of(text: &str) -> JsonObject {
        let mut object = JsonObject::new();
        object.read(text.as_bytes());
        object
    }

    proptest! {
        /// What the parser of answers takes for an object is complete with its last brace, and with no byte less.
        #[test]
        fn an_object_is_complete_exactly_where_the_parser_says_so(
            text in "\u{feff}?[ \n]?\\{(\"(a|[{}]|\\\\\"|성){0,3}\":(1|\"[{}]?\"|\\[\\{\\}\\]|\\{\"b\":\\{\\}\\}))?\\}[ \n]{0,2}"
        ) {
            prop_assert!(protocol::answer_res_code(text.as_bytes()).is_ok(), "{text}");
            prop_assert_eq!(state_of(&text), JsonObject::Complete);
            let end = text.trim_end().len();
            for cut in (0..end).filter(|cut| text.is_char_boundary(*cut)) {
                prop_assert_ne!(state_of(&text[..cut]), JsonObject::Complete);
                prop_assert!(protocol::answer_res_code(&text.as_bytes()[..cut]).is_err());
            }
        }

        #[test]
        fn what_is_not_complete_is_no_object_to_the_parser(text in "\u{feff}?[ {}\\[\\]\"\\\\:,a1]{0,24}") {
            if state_of(&text) != JsonObject::Complete {
                prop_assert!(protocol::answer_res_code(text.as_bytes()).is_err(), "{text}");
            }
        }
    }
}
