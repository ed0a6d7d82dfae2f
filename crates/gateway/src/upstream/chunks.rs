//! Where a chunked body ends.

/// Follows a chunked body to its last byte (RFC 9112 section 7.1). It only counts; what a chunk
/// holds, and whether its size line is well formed, is the HTTP client's to say.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    /// Of the chunk that is being read.
    left: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// In the hexadecimal digits.
    #[default]
    Size,
    /// In what may follow them on their line.
    SizeRest,
    /// In a chunk's bytes.
    Data,
    /// In the line end behind a chunk's bytes.
    DataEnd,
    /// At the begin of a trailer line, or of the empty line that ends the body.
    TrailerBegin,
    /// In a trailer line.
    Trailer,
    /// Behind a trailer line's CR.
    TrailerEnd,
    /// Behind the empty line's CR.
    LastLineEnd,
    /// Behind the last byte.
    End,
    /// In bytes that are no chunks: there will be no end.
    Lost,
}

impl Chunks {
    /// How many of `bytes`, which follow those given before, belong to the body.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        while used < bytes.len() && self.at != At::End {
            if self.at == At::Data {
                let rest = u64::try_from(bytes.len() - used).unwrap_or(u64::MAX);
                let taken = rest.min(self.left);
                self.left -= taken;
                used += usize::try_from(taken).unwrap_or(usize::MAX);
                if self.left == 0 {
                    self.at = At::DataEnd;
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

    fn step(&mut self, byte: u8) -> At {
        match (self.at, byte) {
            (At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte),
            (At::Size | At::SizeRest, b'\n') if self.left == 0 => At::TrailerBegin,
            (At::Size | At::SizeRest, b'\n') => At::Data,
            (At::Size, b'\r' | b';' | b' ' | b'\t') | (At::SizeRest, _) => At::SizeRest,
            (At::DataEnd, b'\r') => At::DataEnd,
            (At::DataEnd, b'\n') => At::Size,
            (At::TrailerBegin, b'\r') => At::LastLineEnd,
            (At::LastLineEnd, b'\n') => At::End,
            (At::Trailer, b'\r') => At::TrailerEnd,
            (At::TrailerEnd, b'\n') => At::TrailerBegin,
            (At::TrailerBegin | At::Trailer, _) => At::Trailer,
            _ => At::Lost,
        }
    }

    fn digit(&mut self, byte: u8) -> At {
        let value = char::from(byte).to_digit(16).map_or(0, u64::from);
        match self.left.checked_mul(16) {
            Some(left) => {
                self.left = left | value;
                At::Size
            }
            None => At::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_ends_at_its_last_byte_however_it_comes() {
        for (body, behind) in [
            ("0\r\n\r\n", ""),
            ("2\r\n{}\r\n0\r\n\r\n", "HTTP/1.1 200 OK"),
            ("a;x=\"0\"\r\n0\r\n\r\n0\r\n\r\n\r\n00\r\n\r\n", "0\r\n\r\n"),
            ("1 \r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", "\r\n"),
        ] {
            let bytes = [body, behind].concat().into_bytes();
            for piece in 1..=bytes.len() {
                let mut chunks = Chunks::default();
                let mut used = 0;
                for part in bytes.chunks(piece) {
                    used += chunks.advance(part);
                }
                assert!(chunks.is_whole(), "{body:?} in pieces of {piece}");
                assert_eq!(used, body.len(), "{body:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_body_without_its_end_is_not_whole() {
        let body = b"2\r\n{}\r\n0\r\nA: b\r\n\r\n";
        for end in 0..body.len() {
            let mut chunks = Chunks::default();
            assert_eq!(chunks.advance(&body[..end]), end);
            assert!(!chunks.is_whole(), "after {end} bytes");
        }
    }

    #[test]
    fn what_is_no_chunk_has_no_end() {
        for body in [
            "x\r\n\r\n",
            "-1\r\n\r\n",
            "1\r\nxx\n0\r\n\r\n",
            "11111111111111111\r\n",
            "0\r\n\n",
            "0\r\n\rx\n\r\n",
        ] {
            let mut chunks = Chunks::default();
            assert_eq!(chunks.advance(body.as_bytes()), body.len(), "{body:?}");
            assert!(!chunks.is_whole(), "{body:?}");
        }
    }
}
