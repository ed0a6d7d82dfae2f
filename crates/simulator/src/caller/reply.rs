//! A reply to a caller.

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
    /// The body, without framing.
    pub body: Vec<u8>,
    /// The time from the first byte of the request to the last byte of the reply.
    pub elapsed: Duration,
}

impl Reply {
    /// Returns the value of the first header field with this name, regardless of case.
    pub fn header(&self, name: &str) -> Option<&str> {
        wire::header(&self.headers, name)
    }

    /// Returns the body as text. Bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON, or `Null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the body's `res_code`, or `""` if there is none.
    pub fn res_code(&self) -> String {
        self.json()
            .get("res_code")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }
}

/// Returns the status in a reply's first line.
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
    fn the_status_is_in_the_first_line() {
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
