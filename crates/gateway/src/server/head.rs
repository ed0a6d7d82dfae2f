//! Reads the head of a request line by line as it arrives.

use memchr::memchr;

use super::byte_class::{are_field_value, are_host, are_target, is_method, is_token, trim};
use super::early_fault::{EarlyFault, SYNTHETIC_METHOD};

/// Longest head in bytes, with its final empty line.
pub const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// Longest request target in bytes.
pub const TARGET_MAX_BYTES: usize = 8 * 1024;
/// Most digits of a `Content-Length`: every such number fits 64 bits, signed or unsigned.
const LENGTH_MAX_DIGITS: usize = 18;

/// The framing of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFraming {
    /// This many bytes; 0 without `Content-Length`.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
}

/// A complete and valid head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHead {
    /// Bytes from the request line to the end of the final empty line.
    pub(super) length: usize,
    pub(super) body: BodyFraming,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

/// Reads one head. Lines are checked in order, each when it is complete, so the result does not depend on how the
/// network splits the bytes.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    /// Where the first unchecked line begins.
    line_start: usize,
    version: Option<Version>,
    is_post: bool,
    headers: usize,
    has_host: bool,
    length: Option<u64>,
    is_chunked: bool,
}

impl HeadReader {
    /// Reads the head, whose first byte is the first of `bytes`; `None` while it is incomplete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<RequestHead>, EarlyFault> {
        // Also refuses at once an empty line before the request line and a TLS handshake on a plain port.
        if bytes.first().is_some_and(|&byte| !is_method(byte)) {
            return Err(EarlyFault::BadRequest);
        }
        loop {
            let rest = &bytes[self.line_start..];
            let Some(line_feed) = memchr(b'\n', rest) else {
                return if bytes.len() >= HEAD_MAX_BYTES {
                    Err(EarlyFault::HeadTooLarge)
                } else {
                    Ok(None)
                };
            };
            let end = self.line_start + line_feed + 1;
            if end > HEAD_MAX_BYTES {
                return Err(EarlyFault::HeadTooLarge);
            }
            let line = rest[..line_feed]
                .strip_suffix(b"\r")
                .ok_or(EarlyFault::BadRequest)?;
            match self.version {
                None => self.request_line(line)?,
                Some(version) if line.is_empty() => return self.finish(version, end).map(Some),
                Some(version) => self.header(version, line)?,
            }
            self.line_start = end;
        }
    }

    fn request_line(&mut self, line: &[u8]) -> Result<(), EarlyFault> {
        let (line, version) = if let Some(line) = line.strip_suffix(b" HTTP/1.1") {
            (line, Version::Http11)
        } else if let Some(line) = line.strip_suffix(b" HTTP/1.0") {
            (line, Version::Http10)
        } else {
            return Err(EarlyFault::BadRequest);
        };
        let method_end = line.iter().position(|&byte| !is_method(byte));
        let (method, rest) = line.split_at(method_end.ok_or(EarlyFault::BadRequest)?);
        let target = rest.strip_prefix(b" ").ok_or(EarlyFault::BadRequest)?;
        let is_valid = !method.is_empty()
            && method != b"CONNECT"
            && method != SYNTHETIC_METHOD
            && target.first() == Some(&b'/')
            && target.len() <= TARGET_MAX_BYTES
            && are_target(target);
        if !is_valid {
            return Err(EarlyFault::BadRequest);
        }
        self.version = Some(version);
        self.is_post = method == b"POST";
        Ok(())
    }

    fn header(&mut self, version: Version, line: &[u8]) -> Result<(), EarlyFault> {
        self.headers += 1;
        if self.headers > HEADERS_MAX {
            return Err(EarlyFault::HeadTooLarge);
        }
        // A folded line begins with white space, which is no token character: its name is empty here.
        let name_end = line.iter().position(|&byte| !is_token(byte));
        let (name, rest) = line.split_at(name_end.ok_or(EarlyFault::BadRequest)?);
        let value = rest.strip_prefix(b":").ok_or(EarlyFault::BadRequest)?;
        if name.is_empty() || !are_field_value(value) {
            return Err(EarlyFault::BadRequest);
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            7 if name.eq_ignore_ascii_case(b"upgrade") => Err(EarlyFault::BadRequest),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.transfer_encoding(version, value)
            }
            _ => Ok(()),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), EarlyFault> {
        if self.has_host || !are_host(trim(value)) {
            return Err(EarlyFault::BadRequest);
        }
        self.has_host = true;
        Ok(())
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), EarlyFault> {
        let digits = trim(value);
        let is_valid = self.length.is_none()
            && !self.is_chunked
            && !digits.is_empty()
            && digits.len() <= LENGTH_MAX_DIGITS
            && digits.iter().all(u8::is_ascii_digit);
        if !is_valid {
            return Err(EarlyFault::BadRequest);
        }
        let length = digits
            .iter()
            .fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0'));
        self.length = Some(length);
        Ok(())
    }

    fn transfer_encoding(&mut self, version: Version, value: &[u8]) -> Result<(), EarlyFault> {
        let is_valid = !self.is_chunked
            && self.length.is_none()
            && version == Version::Http11
            && trim(value).eq_ignore_ascii_case(b"chunked");
        if !is_valid {
            return Err(EarlyFault::BadRequest);
        }
        self.is_chunked = true;
        Ok(())
    }

    fn finish(&self, version: Version, length: usize) -> Result<RequestHead, EarlyFault> {
        let is_valid = match version {
            Version::Http11 => self.has_host,
            Version::Http10 => !self.is_post || self.length.is_some(),
        };
        if !is_valid {
            return Err(EarlyFault::BadRequest);
        }
        let body = if self.is_chunked {
            BodyFraming::Chunked
        } else {
            BodyFraming::Length(self.length.unwrap_or(0))
        };
        Ok(RequestHead { length, body })
    }
}
