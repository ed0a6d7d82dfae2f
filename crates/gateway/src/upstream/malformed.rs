//! Why an answer cannot be read: the rule that its bytes break.

use std::fmt;

/// Defines [`Malformed`] by a table of variants and sentences.
macro_rules! rules {
    ($($variant:ident $text:literal)+) => {
        /// The rule that an answer's bytes break. Such an answer could be read in two ways, or in none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Malformed {
            $(#[doc = $text] $variant,)+
        }

        impl Malformed {
            /// Returns the sentence for the log. It holds nothing of the answer.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

rules! {
    NotHttp "its first bytes are no HTTP"
    Tls "its first bytes are TLS, but its URL says http"
    Version "its version is neither HTTP/1.1 nor HTTP/1.0"
    Status "its status is not three digits from 100 on"
    HeadTooLarge "its head is longer than 64 KiB"
    TooManyHeaders "it has more than 96 headers"
    TooManyInterim "more than 8 interim answers came before it"
    FoldedLine "a header line is folded"
    SpaceBeforeColon "a header has a space before its colon"
    NoColon "a header line has no colon"
    HeaderName "a header's name is no token"
    BareCarriageReturn "a header line has a CR without LF"
    HeaderValue "a header's value has a control character"
    LengthTwice "Content-Length comes twice"
    LengthNotANumber "Content-Length is not plain digits"
    LengthAndCoding "it has both Content-Length and Transfer-Encoding"
    CodingTwice "Transfer-Encoding comes twice"
    CodingUnknown "Transfer-Encoding is not chunked"
    CodingInHttp10 "Transfer-Encoding comes in HTTP/1.0"
    ChunkSize "a chunk's size is no hexadecimal number"
    ChunkExtension "a chunk's size line has a byte that is not allowed"
    ChunkEnd "a chunk does not end where its size says"
    Trailer "a trailer has a byte that is not allowed"
    ExtensionsTooLong "its chunk extensions and trailers are longer than 16 KiB"
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The begin of every status line that is read.
const HTTP_1: &[u8] = b"HTTP/1.";

impl Malformed {
    /// Returns the rule that the first bytes of an answer break, as soon as they cannot be the begin of a status line.
    pub(super) fn of_begin(bytes: &[u8]) -> Option<Self> {
        let length = bytes.len().min(HTTP_1.len());
        if bytes[..length] == HTTP_1[..length] {
            return None;
        }
        Some(match bytes {
            // An alert or a handshake record of any version of TLS.
            [0x15 | 0x16] | [0x15 | 0x16, 0x03, ..] => Self::Tls,
            _ if bytes.starts_with(b"HTTP/") => Self::Version,
            _ => Self::NotHttp,
        })
    }

    /// Returns the rule that a whole head breaks which `error` says cannot be parsed.
    pub(super) fn of_head(head: &[u8], error: httparse::Error) -> Self {
        use httparse::Error;
        if let Some(rule) = Self::of_begin(head) {
            return rule;
        }
        match error {
            Error::Version => Self::Version,
            Error::Status => Self::Status,
            Error::TooManyHeaders => Self::TooManyHeaders,
            Error::HeaderName | Error::HeaderValue | Error::NewLine | Error::Token => {
                let lines = head.split(|byte| *byte == b'\n').skip(1);
                lines
                    .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
                    .find_map(Self::of_line)
                    .unwrap_or(Self::HeaderName)
            }
        }
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        if matches!(line, [b' ' | b'\t', ..]) {
            return Some(Self::FoldedLine);
        }
        if line.contains(&b'\r') {
            return Some(Self::BareCarriageReturn);
        }
        let Some(colon) = memchr::memchr(b':', line) else {
            return (!line.is_empty()).then_some(Self::NoColon);
        };
        let (name, value) = line.split_at(colon);
        if matches!(name, [.., b' ' | b'\t']) {
            return Some(Self::SpaceBeforeColon);
        }
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Some(Self::HeaderName);
        }
        let is_control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
        value.iter().any(is_control).then_some(Self::HeaderValue)
    }
}

/// Whether a byte may be part of a header's name (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_is_no_http_is_enough() {
        for (bytes, rule) in [
            (&b""[..], None),
            (b"H", None),
            (b"HTTP/1.", None),
            (b"HTTP/1.1 200", None),
            (b"HTTP/2", Some(Malformed::Version)),
            (b"HTTP/1 ", Some(Malformed::Version)),
            (b"h", Some(Malformed::NotHttp)),
            (b"\r\n", Some(Malformed::NotHttp)),
            (b"SSH-2.0-x", Some(Malformed::NotHttp)),
            (b"\x15", Some(Malformed::Tls)),
            (b"\x15\x03\x01\x00\x02", Some(Malformed::Tls)),
            (b"\x16x", Some(Malformed::NotHttp)),
            (b"{\"res_code\":\"OK\"}", Some(Malformed::NotHttp)),
        ] {
            assert_eq!(Malformed::of_begin(bytes), rule, "{}", bytes.escape_ascii());
        }
    }
}
