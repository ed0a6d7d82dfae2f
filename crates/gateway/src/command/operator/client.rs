//! A small HTTP client: one request on one connection to the ops listener, which speaks JSON.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use super::Failure;
use super::token::Token;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an ordinary answer may take: delivering again takes a budget for each event.
const ANSWER: Duration = Duration::from_mins(2);

/// The largest answer.
const ANSWER_BYTES: u64 = 64 << 20;

/// How long to wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Patience {
    /// As long as ordinary work may take.
    Ordinary,
    /// For as long as the gateway works.
    Endless,
}

/// Talks to one gateway as an operator.
pub(in crate::command) struct Client {
    address: SocketAddr,
    token: Token,
}

/// What the gateway answered.
#[derive(Clone, Debug)]
pub(in crate::command) struct Answer {
    /// HTTP status.
    pub(in crate::command) status: u16,
    /// The body.
    pub(in crate::command) body: Value,
}

impl Answer {
    /// Why the gateway refused, in its words.
    pub(super) fn reason(&self) -> &str {
        let message = self.body["error"]["message"].as_str();
        message.unwrap_or("the gateway gave no reason")
    }

    /// The code of a refusal.
    pub(in crate::command) fn code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str()
    }
}

impl Client {
    pub(super) const fn new(address: SocketAddr, token: Token) -> Self {
        Self { address, token }
    }

    /// Whether anything listens at this address.
    pub(in crate::command) fn is_anybody_at(address: SocketAddr) -> bool {
        TcpStream::connect_timeout(&address, CONNECT).is_ok()
    }

    /// What a GET answers.
    pub(in crate::command) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask("GET", path, "", Patience::Ordinary)
    }

    /// What a POST with a JSON body answers.
    pub(in crate::command) fn post(
        &self,
        path: &str,
        body: &Value,
        patience: Patience,
    ) -> Result<Value, Failure> {
        self.ask("POST", path, &body.to_string(), patience)
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: &str,
        patience: Patience,
    ) -> Result<Value, Failure> {
        let bytes = self
            .exchange(method, path, body, patience)
            .map_err(|error| {
                Failure::Failed(format!(
                    "no gateway answers at {}: {error}; does it run with this configuration?",
                    self.address
                ))
            })?;
        let answer = read(&bytes).ok_or_else(|| {
            Failure::Failed(format!(
                "what answers at {} is no gateway's ops listener",
                self.address
            ))
        })?;
        if (200..300).contains(&answer.status) {
            Ok(answer.body)
        } else {
            Err(Failure::Refused(answer))
        }
    }

    fn exchange(
        &self,
        method: &str,
        path: &str,
        body: &str,
        patience: Patience,
    ) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(match patience {
            Patience::Ordinary => Some(ANSWER),
            Patience::Endless => None,
        })?;
        let request = Zeroizing::new(format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            self.token.expose(),
            body.len()
        ));
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES).read_to_end(&mut answer)?;
        if answer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(answer)
    }
}

/// Reads a whole answer of known length; `None` where it is none, or was cut short.
fn read(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 4..)?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let length: usize = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())?;
    if body.len() != length {
        return None;
    }
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).ok()?
    };
    Some(Answer {
        status: status.parse().ok()?,
        body,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_whole_json_answer_is_one() {
        let read = |text: &str| read(text.as_bytes()).map(|answer| (answer.status, answer.body));
        let ok = "HTTP/1.1 200 OK\r\nX: y\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        assert_eq!(read(ok).unwrap(), (200, serde_json::json!({ "a": 1 })));
        let empty = "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(empty).unwrap(), (405, Value::Null));
        for text in [
            "",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
