//! A chunked body.

use bytes::BytesMut;

/// Most hexadecimal digits of a chunk's size.
const SIZE_MAX_DIGITS: u8 = 16;

/// Takes a chunked body apart (RFC 9112 section 7.1). Extensions and trailers are passed over.
#[derive(Debug, Default)]
pub(super) struct ChunkDecoder {
    at: At,
    /// Of the chunk that is being read.
    left: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the hexadecimal digits, of which so many were read.
    Size(u8),
    /// In white space behind them.
    SizeEnd,
    /// In an extension.
    Extension,
    /// Behind the CR of their line.
    SizeLineFeed,
    /// In a chunk's bytes.
    Data,
    /// Behind them.
    DataCarriageReturn,
    DataLineFeed,
    /// At the begin of a trailer line, or of the empty line that ends the body.
    TrailerBegin,
    /// In a trailer line.
    Trailer,
    /// Behind a trailer line's CR.
    TrailerLineFeed,
    /// Behind the empty line's CR.
    LastLineFeed,
    /// Behind the last byte.
    End,
    /// In bytes that are no chunks: there will be no end.
    Lost,
}

impl Default for At {
    fn default() -> Self {
        Self::Size(0)
    }
}

impl ChunkDecoder {
    /// Appends what the chunks in `bytes`, which follow those given before, hold; says how many bytes
    /// belong to the body. Ends early once `body` holds more than `max_bytes`.
    pub(super) fn take(&mut self, bytes: &[u8], body: &mut BytesMut, max_bytes: usize) -> usize {
        let mut used = 0;
        while used < bytes.len() && !self.is_over() && body.len() <= max_bytes {
            if self.at == At::Data {
                let rest = &bytes[used..];
                let length = usize::try_from(self.left).map_or(rest.len(), |n| n.min(rest.len()));
                body.extend_from_slice(&rest[..length]);
                used += length;
                self.left -= length as u64;
                if self.left == 0 {
                    self.at = At::DataCarriageReturn;
                }
            } else {
                self.at = self.step(bytes[used]);
                used += 1;
            }
        }
        used
    }

    /// Whether the last byte was seen.
    pub(super) fn is_whole(&self) -> bool {
        self.at == At::End
    }

    /// Whether these are no chunks.
    pub(super) fn is_lost(&self) -> bool {
        self.at == At::Lost
    }

    fn is_over(&self) -> bool {
        self.is_whole() || self.is_lost()
    }

    fn step(&mut self, byte: u8) -> At {
        match (self.at, byte) {
            (At::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < SIZE_MAX_DIGITS =>
            {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                self.left = (self.left << 4) | digit;
                At::Size(digits + 1)
            }
            (At::Size(1..) | At::SizeEnd, b' ' | b'\t') => At::SizeEnd,
            (At::Size(1..) | At::SizeEnd, b';') | (At::Extension, b'\t' | b' '..=b'~' | 0x80..) => {
                At::Extension
            }
            (At::Size(1..) | At::SizeEnd | At::Extension, b'\r') => At::SizeLineFeed,
            (At::SizeLineFeed, b'\n') if self.left == 0 => At::TrailerBegin,
            (At::SizeLineFeed, b'\n') => At::Data,
            (At::DataCarriageReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::Size(0),
            (At::TrailerBegin, b'\r') => At::LastLineFeed,
            (At::LastLineFeed, b'\n') => At::End,
            (At::Trailer, b'\r') => At::TrailerLineFeed,
            (At::TrailerLineFeed, b'\n') => At::TrailerBegin,
            (At::TrailerBegin | At::Trailer, b'\t' | b' '..=b'~' | 0x80..) => At::Trailer,
            _ => At::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMPLE: usize = 1024;

    #[test]
    fn a_body_ends_at_its_last_byte_however_it_comes() {
        for (body, held, behind) in [
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
            for piece in 1..=bytes.len() {
                let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
                let mut used = 0;
                for part in bytes.chunks(piece) {
                    used += chunks.take(part, &mut data, AMPLE);
                }
                assert!(chunks.is_whole(), "{body:?} in pieces of {piece}");
                assert_eq!(used, body.len(), "{body:?} in pieces of {piece}");
                assert_eq!(data, held, "{body:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_body_without_its_end_is_not_whole() {
        let body = b"2\r\n{}\r\n0\r\nA: b\r\n\r\n";
        for end in 0..body.len() {
            let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
            assert_eq!(chunks.take(&body[..end], &mut data, AMPLE), end);
            assert!(!chunks.is_whole() && !chunks.is_lost(), "after {end} bytes");
        }
    }

    #[test]
    fn what_is_no_chunk_is_lost_at_once() {
        for body in [
            "x",
            "\r",
            ";",
            " ",
            "-",
            "1\n",
            "1\r\r",
            "1;\n",
            "1\r\nxx",
            "1\r\nx\n",
            "1\r\nx\r0",
            "00000000000000001",
            "0\r\n\n",
            "0\r\n\rx",
            "0\r\nA: b\n",
            "0\r\nA: b\r\r",
        ] {
            let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
            let used = chunks.take(body.as_bytes(), &mut data, AMPLE);
            assert!(chunks.is_lost(), "{body:?}");
            assert_eq!(used, body.len(), "{body:?}");
        }
    }

    #[test]
    fn a_body_over_the_limit_is_not_taken_to_its_end() {
        let (mut chunks, mut data) = (ChunkDecoder::default(), BytesMut::new());
        chunks.take(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", &mut data, 2);
        assert_eq!(data.as_ref(), b"abc");
        assert!(!chunks.is_whole());
    }
}
