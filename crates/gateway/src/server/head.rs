//! Reads the head of a request line by line as it arrives.

use memchr::memchr;

use super::byte_class::{are_field_value, are_host, is_method, is_token, trim};
use super::early_fault::{EarlyFault, SYNTHETIC_METHOD};
use super::target::is_target;

/// Longest head in bytes, with its final empty line.
pub const HEAD_MAX_BYTES: usize = 16 * 1024;
/// Most headers of a request.
pub const HEADERS_MAX: usize = 64;
/// Longest request target in bytes.
pub const TARGET_MAX_BYTES: usize = 8 * 1024;
/// Most digits of a `Content-Length`: every such number fits 64 bits, signed or unsigned.
const LENGTH_MAX_DIGITS: usize = 18;

const UPGRADE: &[u8; 7] = b"upgrade";
/// Written over the name of the header `Upgrade`, so that the HTTP library reads the body by its length.
const INERT_NAME: &[u8; 7] = b"ignored";

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
    /// Bytes up to the end of the final empty line, with an empty line before the request line.
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
///
/// `Upgrade` is made inert in place: its header is renamed, and `Connection` loses the option. The gateway speaks
/// HTTP/1.1 only, and RFC 9110 (section 7.8) lets a server ignore the header.
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
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Result<Option<RequestHead>, EarlyFault> {
        if self.line_start == 0 {
            let Some(start) = begin(bytes)? else {
                return Ok(None);
            };
            self.line_start = start;
        }
        loop {
            let start = self.line_start;
            let Some(line_feed) = memchr(b'\n', &bytes[start..]) else {
                return if bytes.len() >= HEAD_MAX_BYTES {
                    Err(EarlyFault::HeadTooLong)
                } else {
                    Ok(None)
                };
            };
            let end = start + line_feed + 1;
            if end > HEAD_MAX_BYTES {
                return Err(EarlyFault::HeadTooLong);
            }
            let [line @ .., b'\r'] = &mut bytes[start..end - 1] else {
                return Err(EarlyFault::BareLf);
            };
            match self.version {
                None => self.request_line(line)?,
                Some(version) if line.is_empty() => return self.finish(version, end).map(Some),
                Some(version) => self.header(version, line)?,
            }
            self.line_start = end;
        }
    }

    fn request_line(&mut self, line: &[u8]) -> Result<(), EarlyFault> {
        let (rest, version) = if let Some(rest) = line.strip_suffix(b" HTTP/1.1") {
            (rest, Version::Http11)
        } else if let Some(rest) = line.strip_suffix(b" HTTP/1.0") {
            (rest, Version::Http10)
        } else {
            return Err(control_fault(line).unwrap_or(EarlyFault::Version));
        };
        let method_end = rest.iter().position(|&byte| !is_method(byte));
        let (method, target) = rest.split_at(method_end.unwrap_or(rest.len()));
        let Some(target) = target.strip_prefix(b" ") else {
            let fault = if target.is_empty() {
                EarlyFault::Target
            } else {
                EarlyFault::Method
            };
            return Err(control_fault(line).unwrap_or(fault));
        };
        if method.is_empty() || method == b"CONNECT" || method == SYNTHETIC_METHOD {
            return Err(EarlyFault::Method);
        }
        if target.len() > TARGET_MAX_BYTES {
            return Err(EarlyFault::TargetTooLong);
        }
        if !is_target(target) {
            return Err(control_fault(line).unwrap_or(EarlyFault::Target));
        }
        self.version = Some(version);
        self.is_post = method == b"POST";
        Ok(())
    }

    fn header(&mut self, version: Version, line: &mut [u8]) -> Result<(), EarlyFault> {
        self.headers += 1;
        if self.headers > HEADERS_MAX {
            return Err(EarlyFault::TooManyHeaders);
        }
        let name_end = line.iter().position(|&byte| !is_token(byte));
        let name_end = name_end.ok_or(EarlyFault::NoColon)?;
        let (name, rest) = line.split_at_mut(name_end);
        let [b':', value @ ..] = rest else {
            return Err(name_fault(line, name_end));
        };
        if name.is_empty() || !are_field_value(value) {
            return Err(control_fault(value).unwrap_or(EarlyFault::HeaderName));
        }
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(value),
            7 if name.eq_ignore_ascii_case(UPGRADE) => {
                name.copy_from_slice(INERT_NAME);
                Ok(())
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                blank_upgrade(value);
                Ok(())
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.transfer_encoding(version, value)
            }
            _ => Ok(()),
        }
    }

    fn host(&mut self, value: &[u8]) -> Result<(), EarlyFault> {
        if self.has_host {
            return Err(EarlyFault::TwoHosts);
        }
        if !are_host(trim(value)) {
            return Err(EarlyFault::Host);
        }
        self.has_host = true;
        Ok(())
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), EarlyFault> {
        if self.length.is_some() {
            return Err(EarlyFault::TwoContentLengths);
        }
        if self.is_chunked {
            return Err(EarlyFault::ContentLengthAndTransferEncoding);
        }
        let digits = trim(value);
        let is_valid = !digits.is_empty()
            && digits.len() <= LENGTH_MAX_DIGITS
            && digits.iter().all(u8::is_ascii_digit);
        if !is_valid {
            return Err(EarlyFault::ContentLength);
        }
        let length = digits
            .iter()
            .fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0'));
        self.length = Some(length);
        Ok(())
    }

    fn transfer_encoding(&mut self, version: Version, value: &[u8]) -> Result<(), EarlyFault> {
        if self.is_chunked {
            return Err(EarlyFault::TwoTransferEncodings);
        }
        if self.length.is_some() {
            return Err(EarlyFault::ContentLengthAndTransferEncoding);
        }
        if version == Version::Http10 {
            return Err(EarlyFault::TransferEncodingInHttp10);
        }
        if !trim(value).eq_ignore_ascii_case(b"chunked") {
            return Err(EarlyFault::TransferEncoding);
        }
        self.is_chunked = true;
        Ok(())
    }

    fn finish(&self, version: Version, length: usize) -> Result<RequestHead, EarlyFault> {
        match version {
            Version::Http11 if !self.has_host => return Err(EarlyFault::NoHost),
            Version::Http10 if self.is_post && self.length.is_none() => {
                return Err(EarlyFault::NoContentLength);
            }
            Version::Http10 | Version::Http11 => {}
        }
        let body = if self.is_chunked {
            BodyFraming::Chunked
        } else {
            BodyFraming::Length(self.length.unwrap_or(0))
        };
        Ok(RequestHead { length, body })
    }
}

/// Whether these are no bytes of a head yet: nothing, or the empty line that some clients send behind a body.
pub(super) fn is_before_head(bytes: &[u8]) -> bool {
    matches!(bytes, [] | [b'\r'] | [b'\r', b'\n'])
}

/// Returns where the request line begins: behind one empty line, which is skipped (RFC 9112 section 2.2). `None`
/// while its first byte has not arrived.
fn begin(bytes: &[u8]) -> Result<Option<usize>, EarlyFault> {
    let (start, first) = match bytes {
        [b'\r', b'\n', first, ..] => (2, first),
        _ if is_before_head(bytes) => return Ok(None),
        [b'\r', ..] => return Err(EarlyFault::BareCr),
        [first, ..] => (0, first),
        [] => return Ok(None),
    };
    match first {
        byte if is_method(*byte) => Ok(Some(start)),
        b'\r' => Err(EarlyFault::EmptyLines),
        b'\n' => Err(EarlyFault::BareLf),
        // Refused before a line end arrives, for a TLS handshake may have none.
        _ => Err(EarlyFault::NotHttp),
    }
}

/// Overwrites the option `upgrade` of a `Connection` value with spaces.
fn blank_upgrade(value: &mut [u8]) {
    for option in value.split_mut(|&byte| byte == b',') {
        if trim(option).eq_ignore_ascii_case(UPGRADE) {
            let letters = option.iter_mut().filter(|byte| byte.is_ascii_alphabetic());
            letters.for_each(|letter| *letter = b' ');
        }
    }
}

/// The fault of a header line whose name ends at `name_end` with another byte than a colon.
fn name_fault(line: &[u8], name_end: usize) -> EarlyFault {
    let (name, rest) = line.split_at(name_end);
    match rest {
        [b' ' | b'\t', ..] if name.is_empty() => EarlyFault::FoldedLine,
        [b' ' | b'\t', ..] if trim(rest).first() == Some(&b':') => EarlyFault::SpaceBeforeColon,
        _ => control_fault(rest).unwrap_or(EarlyFault::HeaderName),
    }
}

/// The fault of the first control character that is no tab; `None` where there is none.
fn control_fault(bytes: &[u8]) -> Option<EarlyFault> {
    let is_control = |byte: &&u8| byte.is_ascii_control() && **byte != b'\t';
    bytes.iter().find(is_control).map(|byte| match byte {
        b'\r' => EarlyFault::BareCr,
        0 => EarlyFault::Nul,
        _ => EarlyFault::ControlCharacter,
    })
}
