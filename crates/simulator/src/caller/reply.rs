//! What a caller got.

use std::time::Duration;

use serde_json::Value;

use crate::wire::{self, Malformed};

/// A whole reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header fields in order, names in the server's spelling.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// From the first byte of the request sent to the last of the reply read.
    pub elapsed: Duration,
}

impl Reply {
    /// The value of the first header field with this name, in any spelling.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::header(&self.headers, name)
    }

    /// The body as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `Null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body's `res_code`; empty if there is none.
    pub fn res_code(&self) -> String {
        self.json()
            .get("res_code")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }
}

/// The status of a reply's first line.
pub(super) fn status(line: &str) -> Result<u16, Malformed> {
    let mut words = line.splitn(3, ' ');
    let version = words
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."));
    let status = words.next().filter(|status| status.len() == 3);
    match status.and_then(|status| status.parse().ok()) {
        Some(status) if version => Ok(status),
        _ => Err(Malformed("the first line is not VERSION STATUS REASON")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_stands_in_the_first_line() {
        assert_eq!(status("HTTP/1.1 200 OK"), Ok(200));
        assert_eq!(status("HTTP/1.0 599"), Ok(599));
        for line in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 20 OK",
            "HTTP/2 200 OK",
            "ICY 200 OK",
        ] {
            assert!(status(line).is_err(), "{line}");
        }
    }
}
