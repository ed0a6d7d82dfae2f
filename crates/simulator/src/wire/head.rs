//! The head of a message: its first line and its header fields.

use super::{BODY_BYTES, HEAD_BYTES, Malformed};

/// First line and header fields, in their order and spelling.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// The framing of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Neither a length nor chunks: a request has no body, an answer ends with its connection.
    Absent,
    /// The length in bytes.
    Length(usize),
    /// Chunks.
    Chunked,
}

impl Head {
    /// Returns the length of the head at the start of the buffer, including its empty line. Returns `None` if
    /// the buffer does not contain that line yet.
    pub(crate) fn length(buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        let end = buffer.windows(4).position(|window| window == b"\r\n\r\n");
        match end {
            Some(end) => Ok(Some(end + 4)),
            None if buffer.len() > HEAD_BYTES => Err(Malformed("the head is too long")),
            None => Ok(None),
        }
    }

    /// Parses a whole head.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.map(|line| {
            let (name, value) = line
                .split_once(':')
                .ok_or(Malformed("a header without a colon"))?;
            if name.is_empty() || name.contains([' ', '\t']) {
                return Err(Malformed("a header's name is empty or has a space"));
            }
            Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
        });
        Ok(Self {
            line,
            headers: headers.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Whether a list header such as `Connection` contains this token.
    pub(crate) fn has_token(&self, name: &str, token: &str) -> bool {
        let values = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values
            .flat_map(|(_, value)| value.split(','))
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    }

    /// Returns the framing of the body. Ambiguous framing is refused.
    pub(crate) fn framing(&self) -> Result<Framing, Malformed> {
        let count = |name: &str| {
            self.headers
                .iter()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name))
                .count()
        };
        match (count("content-length"), count("transfer-encoding")) {
            (0, 0) => Ok(Framing::Absent),
            (1, 0) => self.length_framing(),
            (0, 1) if self.has_token("transfer-encoding", "chunked") => Ok(Framing::Chunked),
            (0, 1) => Err(Malformed("a transfer coding other than chunked")),
            _ => Err(Malformed("more than one framing header")),
        }
    }

    fn length_framing(&self) -> Result<Framing, Malformed> {
        let value = self.header("content-length").unwrap_or_default();
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed("a length is not a number"));
        }
        match value.parse() {
            Ok(length) if length <= BODY_BYTES => Ok(Framing::Length(length)),
            _ => Err(Malformed("the body is too long")),
        }
    }
}

/// Returns the value of the first header field with this name, regardless of case.
pub(crate) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &str) -> Head {
        Head::parse(format!("POST / HTTP/1.1\r\n{fields}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn a_head_ends_with_its_empty_line() {
        assert_eq!(Head::length(b"GET / HTTP/1.1\r\nA: b\r\n"), Ok(None));
        assert_eq!(
            Head::length(b"GET / HTTP/1.1\r\nA: b\r\n\r\nbody"),
            Ok(Some(24))
        );
        assert!(Head::length(&vec![b'a'; HEAD_BYTES + 1]).is_err());
    }

    #[test]
    fn header_names_keep_their_spelling_and_are_found_in_any() {
        let head = head("X-Request-ID:  abc \r\nHost: here\r\n");
        assert_eq!(head.line, "POST / HTTP/1.1");
        assert_eq!(
            head.headers[0],
            ("X-Request-ID".to_owned(), "abc".to_owned())
        );
        assert_eq!(head.header("x-request-id"), Some("abc"));
        assert_eq!(head.header("absent"), None);
    }

    #[test]
    fn the_framing_of_a_body() {
        for (fields, framing) in [
            ("", Ok(Framing::Absent)),
            ("Content-Length: 12\r\n", Ok(Framing::Length(12))),
            ("Transfer-Encoding: Chunked\r\n", Ok(Framing::Chunked)),
            (
                "Transfer-Encoding: gzip\r\n",
                Err(Malformed("a transfer coding other than chunked")),
            ),
            (
                "Content-Length: +1\r\n",
                Err(Malformed("a length is not a number")),
            ),
            (
                "Content-Length:\r\n",
                Err(Malformed("a length is not a number")),
            ),
            (
                "Content-Length: 99999999999\r\n",
                Err(Malformed("the body is too long")),
            ),
            (
                "Content-Length: 1\r\nContent-Length: 1\r\n",
                Err(Malformed("more than one framing header")),
            ),
            (
                "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                Err(Malformed("more than one framing header")),
            ),
        ] {
            assert_eq!(head(fields).framing(), framing, "{fields}");
        }
    }

    #[test]
    fn a_malformed_header_line_is_refused() {
        for line in ["no colon", "Na me: value", ": value", " folded: value"] {
            let text = format!("POST / HTTP/1.1\r\n{line}\r\n\r\n");
            assert!(Head::parse(text.as_bytes()).is_err(), "{line}");
        }
    }
}
