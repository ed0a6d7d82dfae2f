//! The HTTP client of the operators' commands: JSON requests to the ops listener, each on its own connection.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use actix_rt::System;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use awc::error::SendRequestError;
use serde_json::Value;

use super::Failure;
use super::token::Token;

/// Longest time for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest time for an answer: a redelivery takes up to one budget per event.
const ANSWER: Duration = Duration::from_mins(2);

/// Largest answer body.
const ANSWER_BYTES: usize = 64 << 20;

/// How long to wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) enum Wait {
    /// Up to [`ANSWER`].
    Bounded,
    /// Without a bound.
    Unbounded,
}

/// A client of one gateway's admin API.
pub(in crate::command) struct Client {
    address: SocketAddr,
    token: Token,
}

/// An answer of the admin API.
#[derive(Clone, Debug)]
pub(in crate::command) struct OpsAnswer {
    /// HTTP status.
    pub(in crate::command) status: u16,
    /// The body.
    pub(in crate::command) body: Value,
}

impl OpsAnswer {
    /// Returns the message of a refusal.
    pub(super) fn reason(&self) -> &str {
        let message = self.body["error"]["message"].as_str();
        message.unwrap_or("the gateway gave no reason")
    }

    /// Returns the code of a refusal.
    pub(in crate::command) fn code(&self) -> Option<&str> {
        self.body["error"]["code"].as_str()
    }
}

impl Client {
    pub(super) const fn new(address: SocketAddr, token: Token) -> Self {
        Self { address, token }
    }

    /// Returns whether a TCP connection to this address succeeds.
    pub(in crate::command) fn is_listening(address: SocketAddr) -> bool {
        TcpStream::connect_timeout(&address, CONNECT).is_ok()
    }

    /// Sends a GET and returns the answer's body.
    pub(in crate::command) fn get(&self, path: &str) -> Result<Value, Failure> {
        self.get_within(path, Wait::Bounded)
    }

    /// Sends a GET whose answer may take this long, and returns the answer's body.
    pub(in crate::command) fn get_within(&self, path: &str, wait: Wait) -> Result<Value, Failure> {
        self.send(Method::GET, path, String::new(), wait)
    }

    /// Sends a POST with a JSON body and returns the answer's body.
    pub(in crate::command) fn post(
        &self,
        path: &str,
        body: &Value,
        wait: Wait,
    ) -> Result<Value, Failure> {
        self.send(Method::POST, path, body.to_string(), wait)
    }

    fn send(&self, method: Method, path: &str, body: String, wait: Wait) -> Result<Value, Failure> {
        let exchange = self.exchange(method, path, body, wait);
        let answer = System::new().block_on(exchange).map_err(|fault| {
            Failure::Failed(match fault {
                Fault::NoAnswer(reason) => format!(
                    "no gateway answers at {}: {reason}; does it run with this configuration?",
                    self.address
                ),
                Fault::Unreadable => format!(
                    "the server at {} is no gateway's ops listener",
                    self.address
                ),
            })
        })?;
        if (200..300).contains(&answer.status) {
            Ok(answer.body)
        } else {
            Err(Failure::Refused(answer))
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: String,
        wait: Wait,
    ) -> Result<OpsAnswer, Fault> {
        let connector = awc::Connector::new().timeout(CONNECT);
        let mut client = awc::Client::builder()
            .connector(connector)
            .disable_redirects();
        client = match wait {
            Wait::Bounded => client.timeout(ANSWER),
            Wait::Unbounded => client.disable_timeout(),
        };
        let mut response = client
            .finish()
            .request(method, format!("http://{}{path}", self.address))
            .bearer_auth(self.token.expose())
            .content_type("application/json")
            .force_close()
            .send_body(body)
            .await
            .map_err(|error| match error {
                SendRequestError::Response(_) => Fault::Unreadable,
                error => Fault::NoAnswer(error.to_string()),
            })?;
        let length = only_length(response.headers()).ok_or(Fault::Unreadable)?;
        let whole = response
            .body()
            .limit(ANSWER_BYTES)
            .await
            .map_err(|_| Fault::Unreadable)?;
        // The library does not report an answer that was cut short.
        if whole.len() != length {
            return Err(Fault::Unreadable);
        }
        let body = if whole.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&whole).map_err(|_| Fault::Unreadable)?
        };
        Ok(OpsAnswer {
            status: response.status().as_u16(),
            body,
        })
    }
}

/// Why there is no complete answer.
enum Fault {
    /// No connection, or no answer on it; the reason.
    NoAnswer(String),
    /// No complete JSON answer of known length.
    Unreadable,
}

fn only_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Returns what the client reads from these bytes and the end of the connection.
    fn read(answer: &'static str) -> Result<(u16, Value), bool> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.extend_from_slice(&byte);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(head).unwrap().to_lowercase()
        });
        let client = Client::new(address, Token::of("t0"));
        let exchange = client.exchange(Method::GET, "/x?y=z", String::new(), Wait::Bounded);
        let answer = System::new().block_on(exchange);
        let head = server.join().unwrap();
        assert!(head.starts_with("get /x?y=z http/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: bearer t0\r\n"), "{head}");
        answer
            .map(|answer| (answer.status, answer.body))
            .map_err(|fault| matches!(fault, Fault::Unreadable))
    }

    #[test]
    fn only_a_complete_json_answer_is_returned() {
        let ok = "HTTP/1.1 200 OK\r\nX: y\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        assert_eq!(read(ok), Ok((200, serde_json::json!({ "a": 1 }))));
        let empty = "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(empty), Ok((405, Value::Null)));
        let redirect = "HTTP/1.1 307 -\r\nLocation: /z\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(read(redirect), Ok((307, Value::Null)));
        for text in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        ] {
            assert_eq!(read(text), Err(true), "{text:?}");
        }
        assert_eq!(read(""), Err(false));
    }

    #[test]
    fn an_address_without_a_listener_is_reported() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let failure = Client::new(address, Token::of("t0")).get("/x").unwrap_err();
        let Failure::Failed(text) = failure else {
            panic!("{failure:?}");
        };
        assert!(text.contains("no gateway answers"), "{text}");
    }
}
