//! The chunked transfer coding (RFC 9112 section 7.1), read for its framing only.

/// Most hexadecimal digits of a chunk's size.
const SIZE_MAX_DIGITS: u8 = 8;
/// Longest chunk extension, in bytes, with its semicolon.
const EXTENSION_MAX_BYTES: u16 = 256;

/// What a run of bytes was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkProgress {
    /// All of it belongs to the body, and more is to come.
    Open,
    /// The body ends after so many bytes.
    End(usize),
    /// So many bytes are well-formed, the next one is not.
    Fault(usize),
}

#[derive(Clone, Copy, Debug)]
enum Expect {
    /// A digit of the size; so many were read.
    Size(u8),
    /// More of an extension, of which so many bytes were read.
    Extension(u16),
    SizeLineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
    EndCarriageReturn,
    EndLineFeed,
}

/// Follows one chunked body. Trailers are refused: nobody here reads them, and not every server does.
#[derive(Debug)]
pub(super) struct ChunkReader {
    expect: Expect,
    /// Size of the present chunk, then what is left of it.
    left: u64,
}

impl ChunkReader {
    pub(super) const fn new() -> Self {
        Self {
            expect: Expect::Size(0),
            left: 0,
        }
    }

    /// Follows the body through the next bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) -> ChunkProgress {
        let mut at = 0;
        while at < bytes.len() {
            if let Expect::Data = self.expect {
                let here = bytes.len() - at;
                let taken = usize::try_from(self.left).map_or(here, |left| left.min(here));
                at += taken;
                self.left -= taken as u64;
                if self.left == 0 {
                    self.expect = Expect::DataCarriageReturn;
                }
                continue;
            }
            let is_last = matches!(self.expect, Expect::EndLineFeed);
            match self.step(bytes[at]) {
                None => return ChunkProgress::Fault(at),
                Some(_) if is_last => return ChunkProgress::End(at + 1),
                Some(next) => self.expect = next,
            }
            at += 1;
        }
        ChunkProgress::Open
    }

    fn step(&mut self, octet: u8) -> Option<Expect> {
        match (self.expect, octet) {
            (Expect::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < SIZE_MAX_DIGITS =>
            {
                let digit = char::from(octet).to_digit(16)?;
                self.left = (self.left << 4) | u64::from(digit);
                Some(Expect::Size(digits + 1))
            }
            (Expect::Size(1..), b';') => Some(Expect::Extension(1)),
            (Expect::Extension(read), 0x21..=0x7e) if read < EXTENSION_MAX_BYTES => {
                Some(Expect::Extension(read + 1))
            }
            (Expect::Size(1..) | Expect::Extension(_), b'\r') => Some(Expect::SizeLineFeed),
            (Expect::SizeLineFeed, b'\n') if self.left == 0 => Some(Expect::EndCarriageReturn),
            (Expect::SizeLineFeed, b'\n') => Some(Expect::Data),
            (Expect::DataCarriageReturn, b'\r') => Some(Expect::DataLineFeed),
            (Expect::DataLineFeed, b'\n') => {
                self.left = 0;
                Some(Expect::Size(0))
            }
            (Expect::EndCarriageReturn, b'\r') | (Expect::EndLineFeed, b'\n') => {
                Some(Expect::EndLineFeed)
            }
            _ => None,
        }
    }
}
