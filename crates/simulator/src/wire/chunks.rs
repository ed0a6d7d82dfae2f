//! An incremental parser of chunked bodies.

use super::{BODY_BYTES, HEAD_BYTES, Malformed};

/// The most bytes of a chunk's size line, including extensions.
const SIZE_LINE_BYTES: usize = 1024;

/// The part of a chunked body that was read so far.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    /// The content of the chunks.
    pub(crate) body: Vec<u8>,
    /// The number of bytes of the buffer that were parsed.
    pub(crate) position: usize,
}

impl Chunks {
    /// Continues to parse the buffer, which starts with the body's first byte and grows between calls. Returns
    /// whether the body is complete; `position` is then its length in bytes including framing.
    pub(crate) fn read(&mut self, buffer: &[u8]) -> Result<bool, Malformed> {
        loop {
            let rest = buffer.get(self.position..).unwrap_or_default();
            let Some(line) = find(rest, b"\r\n") else {
                return unfinished(rest, SIZE_LINE_BYTES);
            };
            let size = size(&rest[..line])?;
            if size == 0 {
                // Trailer fields end with an empty line, like a head.
                let Some(end) = find(&rest[line..], b"\r\n\r\n") else {
                    return unfinished(rest, HEAD_BYTES);
                };
                self.position += line + end + 4;
                return Ok(true);
            }
            let start = line + 2;
            let Some(chunk) = rest.get(start..start + size + 2) else {
                return Ok(false);
            };
            let (chunk, end) = chunk.split_at(size);
            if end != b"\r\n" {
                return Err(Malformed("a chunk is longer than its size"));
            }
            if self.body.len() + size > BODY_BYTES {
                return Err(Malformed("the body is too long"));
            }
            self.body.extend_from_slice(chunk);
            self.position += start + size + 2;
        }
    }
}

fn unfinished(rest: &[u8], limit: usize) -> Result<bool, Malformed> {
    if rest.len() > limit {
        return Err(Malformed("a chunk's size line or the trailer is too long"));
    }
    Ok(false)
}

fn size(line: &[u8]) -> Result<usize, Malformed> {
    let digits = line
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    let text = std::str::from_utf8(digits).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Malformed("a chunk size is not a hexadecimal number"));
    }
    match usize::from_str_radix(text, 16) {
        Ok(size) if size <= BODY_BYTES => Ok(size),
        _ => Err(Malformed("the body is too long")),
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes
        .windows(pattern.len())
        .position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &[u8] = b"5\r\nhello\r\n6;name=value\r\n world\r\n0\r\nTrailer: 1\r\n\r\n";

    #[test]
    fn a_body_is_read_byte_by_byte() {
        let mut chunks = Chunks::default();
        for end in 0..WIRE.len() {
            assert_eq!(chunks.read(&WIRE[..end]), Ok(false), "{end}");
        }
        let more = [WIRE, b"POST"].concat();
        assert_eq!(chunks.read(&more), Ok(true));
        assert_eq!(chunks.body, b"hello world");
        assert_eq!(chunks.position, WIRE.len());
    }

    #[test]
    fn a_body_that_is_not_chunked_is_refused() {
        for wire in [
            "x\r\n",
            "\r\n",
            "-1\r\n",
            "2\r\nabcd\r\n",
            "fffffffffffffffff\r\n",
        ] {
            assert!(Chunks::default().read(wire.as_bytes()).is_err(), "{wire:?}");
        }
    }
}
