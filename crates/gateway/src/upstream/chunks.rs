//! Decodes a chunked body (RFC 9112 section 7.1).

use bytes::BytesMut;

use super::malformed::Malformed;

/// Most hexadecimal digits of a chunk's size.
const SIZE_MAX_DIGITS: u8 = 16;

/// Most bytes of all extensions and trailers of one body.
const EXTENSIONS_MAX_BYTES: usize = 16 * 1024;

/// The state of decoding one chunked body. Extensions and trailers are skipped.
#[derive(Debug, Default)]
pub(super) struct ChunkDecoder {
    position: Position,
    /// The bytes of extensions and trailers so far.
    extensions_bytes: usize,
    /// The size of the present chunk, then the number of its bytes that were not read yet.
    remaining: u64,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// The hexadecimal size, of which this many digits were read.
    Size(u8),
    /// White space behind the size.
    SizeEnd,
    /// An extension.
    Extension,
    /// The LF of the size line.
    SizeLineFeed,
    /// The bytes of a chunk.
    Data,
    /// The CR behind the bytes of a chunk.
    DataCarriageReturn,
    /// The LF behind the bytes of a chunk.
    DataLineFeed,
    /// The first byte of a trailer line or of the empty line that ends the body.
    TrailerStart,
    /// A trailer line.
    Trailer,
    /// The LF of a trailer line.
    TrailerLineFeed,
    /// The LF of the empty line.
    LastLineFeed,
    /// Nothing: the body is complete.
    End,
    /// Nothing: the bytes are not chunked.
    Malformed(Malformed),
}

impl Position {
    /// The rule that a byte breaks which is not allowed here.
    const fn rule(self) -> Malformed {
        match self {
            Self::Size(_) => Malformed::ChunkSize,
            Self::SizeEnd | Self::Extension | Self::SizeLineFeed => Malformed::ChunkExtension,
            Self::Data | Self::DataCarriageReturn | Self::DataLineFeed => Malformed::ChunkEnd,
            Self::TrailerStart
            | Self::Trailer
            | Self::TrailerLineFeed
            | Self::LastLineFeed
            | Self::End => Malformed::Trailer,
            Self::Malformed(rule) => rule,
        }
    }
}

impl Default for Position {
    fn default() -> Self {
        Self::Size(0)
    }
}

impl ChunkDecoder {
    /// Decodes the next bytes, appends the data to `body` and returns how many bytes belong to the body. Stops early
    /// when `body` holds more than `max_bytes`.
    pub(super) fn decode(&mut self, bytes: &[u8], body: &mut BytesMut, max_bytes: usize) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.has_ended() && body.len() <= max_bytes {
            if self.position == Position::Data {
                let rest = &bytes[used..];
                let length =
                    usize::try_from(self.remaining).map_or(rest.len(), |n| n.min(rest.len()));
                body.extend_from_slice(&rest[..length]);
                used += length;
                self.remaining -= length as u64;
                if self.remaining == 0 {
                    self.position = Position::DataCarriageReturn;
                }
            } else {
                self.position = self.step(bytes[used]);
                self.count_extensions();
                used += 1;
            }
        }
        used
    }

    /// Whether the last byte was read.
    pub(super) fn is_complete(&self) -> bool {
        self.position == Position::End
    }

    /// The rule that the bytes break, if they are not chunked.
    pub(super) fn fault(&self) -> Option<Malformed> {
        match self.position {
            Position::Malformed(rule) => Some(rule),
            _ => None,
        }
    }

    fn has_ended(&self) -> bool {
        self.is_complete() || self.fault().is_some()
    }

    fn count_extensions(&mut self) {
        if matches!(
            self.position,
            Position::SizeEnd | Position::Extension | Position::Trailer
        ) {
            self.extensions_bytes += 1;
            if self.extensions_bytes > EXTENSIONS_MAX_BYTES {
                self.position = Position::Malformed(Malformed::ExtensionsTooLong);
            }
        }
    }

    fn step(&mut self, byte: u8) -> Position {
        match (self.position, byte) {
            (Position::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < SIZE_MAX_DIGITS =>
            {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                self.remaining = (self.remaining << 4) | digit;
                Position::Size(digits + 1)
            }
            (Position::Size(1..) | Position::SizeEnd, b' ' | b'\t') => Position::SizeEnd,
            (Position::Size(1..) | Position::SizeEnd, b';')
            | (Position::Extension, b'\t' | b' '..=b'~' | 0x80..) => Position::Extension,
            (Position::Size(1..) | Position::SizeEnd | Position::Extension, b'\r') => {
                Position::SizeLineFeed
            }
            (Position::SizeLineFeed, b'\n') if self.remaining == 0 => Position::TrailerStart,
            (Position::SizeLineFeed, b'\n') => Position::Data,
            (Position::DataCarriageReturn, b'\r') => Position::DataLineFeed,
            (Position::DataLineFeed, b'\n') => Position::Size(0),
            (Position::TrailerStart, b'\r') => Position::LastLineFeed,
            (Position::LastLineFeed, b'\n') => Position::End,
            (Position::Trailer, b'\r') => Position::TrailerLineFeed,
            (Position::TrailerLineFeed, b'\n') => Position::TrailerStart,
            (Position::TrailerStart | Position::Trailer, b'\t' | b' '..=b'~' | 0x80..) => {
                Position::Trailer
            }
            (position, _) => Position::Malformed(position.rule()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1024;

    #[test]
    fn a_body_ends_at_its_last_byte_in_pieces_of_any_size() {
        for (body, expected, behind) in [
            ("0\r\n\r\n", "", ""),
            ("2\r\n{}\r\n0\r\n\r\n", "{}", "HTTP/1.1 200 OK"),
            (
                "a;x=\"0\"\r\n0\r\n\r\n0\r\n\r\n\r\n00\r\n\r\n",
                "0\r\n\r\n0\r\n\r\n",
                "0\r\n\r\n",
            ),
            ("1 \r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", "x", "\r\n"),
        ] {
            let bytes = [body, behind].concat().into_bytes();
            for size in 1..=bytes.len() {
                let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
                let mut used = 0;
                for part in bytes.chunks(size) {
                    used += chunks.decode(part, &mut data, LIMIT);
                }
                assert!(chunks.is_complete(), "{body:?} in pieces of {size}");
                assert_eq!(used, body.len(), "{body:?} in pieces of {size}");
                assert_eq!(data, expected, "{body:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn a_body_without_its_end_is_not_complete() {
        let body = b"2\r\n{}\r\n0\r\nA: b\r\n\r\n";
        for end in 0..body.len() {
            let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
            assert_eq!(chunks.decode(&body[..end], &mut data, LIMIT), end);
            assert!(
                !chunks.is_complete() && chunks.fault().is_none(),
                "after {end} bytes"
            );
        }
    }

    #[test]
    fn malformed_chunks_are_found_at_the_first_wrong_byte() {
        use Malformed::{ChunkEnd, ChunkExtension, ChunkSize, Trailer};
        for (body, rule) in [
            ("x", ChunkSize),
            ("\r", ChunkSize),
            (";", ChunkSize),
            (" ", ChunkSize),
            ("-", ChunkSize),
            ("1\n", ChunkSize),
            ("00000000000000001", ChunkSize),
            ("1\r\r", ChunkExtension),
            ("1;\n", ChunkExtension),
            ("1 x", ChunkExtension),
            ("1\r\nxx", ChunkEnd),
            ("1\r\nx\n", ChunkEnd),
            ("1\r\nx\r0", ChunkEnd),
            ("0\r\n\n", Trailer),
            ("0\r\n\rx", Trailer),
            ("0\r\nA: b\n", Trailer),
            ("0\r\nA: b\r\r", Trailer),
        ] {
            let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
            let used = chunks.decode(body.as_bytes(), &mut data, LIMIT);
            assert_eq!(chunks.fault(), Some(rule), "{body:?}");
            assert_eq!(used, body.len(), "{body:?}");
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded_together() {
        let half = "x".repeat(EXTENSIONS_MAX_BYTES / 2 - 1);
        for (more, fault) in [("", None), ("x", Some(Malformed::ExtensionsTooLong))] {
            let body = format!("1;{half}\r\na\r\n0\r\n{half}{more}x\r\n\r\n");
            let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
            chunks.decode(body.as_bytes(), &mut data, LIMIT);
            assert_eq!(chunks.fault(), fault);
            assert_eq!(chunks.is_complete(), fault.is_none());
        }
        let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
        let spaces = format!("1{}", " ".repeat(EXTENSIONS_MAX_BYTES + 1));
        chunks.decode(spaces.as_bytes(), &mut data, LIMIT);
        assert_eq!(chunks.fault(), Some(Malformed::ExtensionsTooLong));
    }

    #[test]
    fn decoding_stops_when_the_body_is_over_the_limit() {
        let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
        chunks.decode(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", &mut data, 2);
        assert_eq!(data.as_ref(), b"abc");
        assert!(!chunks.is_complete());
    }
}
