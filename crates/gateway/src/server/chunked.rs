//! The framing of the chunked transfer coding (RFC 9112 section 7.1).

use super::early_fault::EarlyFault;

/// Most hexadecimal digits of a chunk's size.
const SIZE_MAX_DIGITS: u8 = 8;
/// Longest chunk extension in bytes, with its semicolon.
const EXTENSION_MAX_BYTES: u16 = 256;

/// The result of reading a run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkProgress {
    /// All bytes belong to the body, which does not end here.
    Open,
    /// The body ends after this many bytes.
    End(usize),
    /// This many bytes are well-formed and the next one is not.
    Fault(usize, EarlyFault),
}

#[derive(Clone, Copy, Debug)]
enum Expect {
    /// A digit of the size, of which this many were read.
    Size(u8),
    /// A byte of an extension, of which this many were read.
    Extension(u16),
    SizeLineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
    EndCarriageReturn,
    EndLineFeed,
}

/// Reads one chunked body. Trailers are refused: the gateway does not use them and servers treat them differently.
#[derive(Debug)]
pub(super) struct ChunkReader {
    expect: Expect,
    /// The size of the present chunk, then the number of its bytes that were not read yet.
    remaining: u64,
}

impl ChunkReader {
    pub(super) const fn new() -> Self {
        Self {
            expect: Expect::Size(0),
            remaining: 0,
        }
    }

    /// Reads the next bytes of the body.
    pub(super) fn read(&mut self, bytes: &[u8]) -> ChunkProgress {
        let mut at = 0;
        while at < bytes.len() {
            if let Expect::Data = self.expect {
                let available = bytes.len() - at;
                let used = usize::try_from(self.remaining)
                    .map_or(available, |remaining| remaining.min(available));
                at += used;
                self.remaining -= used as u64;
                if self.remaining == 0 {
                    self.expect = Expect::DataCarriageReturn;
                }
                continue;
            }
            let is_last = matches!(self.expect, Expect::EndLineFeed);
            match self.step(bytes[at]) {
                None => return ChunkProgress::Fault(at, self.fault(bytes[at])),
                Some(_) if is_last => return ChunkProgress::End(at + 1),
                Some(next) => self.expect = next,
            }
            at += 1;
        }
        ChunkProgress::Open
    }

    fn step(&mut self, byte: u8) -> Option<Expect> {
        match (self.expect, byte) {
            (Expect::Size(digits), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                if digits < SIZE_MAX_DIGITS =>
            {
                let digit = char::from(byte).to_digit(16)?;
                self.remaining = (self.remaining << 4) | u64::from(digit);
                Some(Expect::Size(digits + 1))
            }
            (Expect::Size(1..), b';') => Some(Expect::Extension(1)),
            (Expect::Extension(read), 0x21..=0x7e) if read < EXTENSION_MAX_BYTES => {
                Some(Expect::Extension(read + 1))
            }
            (Expect::Size(1..) | Expect::Extension(_), b'\r') => Some(Expect::SizeLineFeed),
            (Expect::SizeLineFeed, b'\n') if self.remaining == 0 => Some(Expect::EndCarriageReturn),
            (Expect::SizeLineFeed, b'\n') => Some(Expect::Data),
            (Expect::DataCarriageReturn, b'\r') => Some(Expect::DataLineFeed),
            (Expect::DataLineFeed, b'\n') => {
                self.remaining = 0;
                Some(Expect::Size(0))
            }
            (Expect::EndCarriageReturn, b'\r') | (Expect::EndLineFeed, b'\n') => {
                Some(Expect::EndLineFeed)
            }
            _ => None,
        }
    }

    /// The rule that this byte breaks in the present place.
    fn fault(&self, byte: u8) -> EarlyFault {
        match (self.expect, byte) {
            (Expect::SizeLineFeed | Expect::DataLineFeed | Expect::EndLineFeed, _) => {
                EarlyFault::BareCr
            }
            (_, b'\n') => EarlyFault::BareLf,
            (_, 0) => EarlyFault::Nul,
            (Expect::Size(_), _) => EarlyFault::ChunkSize,
            (Expect::Extension(_), _) => EarlyFault::ChunkExtension,
            (Expect::Data | Expect::DataCarriageReturn, _) => EarlyFault::ChunkData,
            (Expect::EndCarriageReturn, _) => EarlyFault::Trailer,
        }
    }
}
