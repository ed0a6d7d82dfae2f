//! Requests to the ops listener, which speaks JSON: each on a connection of its own.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use actix_rt::System;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use awc::error::SendRequestError;
use serde_json::Value;

use super::Failure;
use super::token::Token;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an ordinary answer may take: delivering again takes a budget for each event.
const ANSWER: Duration = Duration::from_mins(2);

/// The largest answer.
const ANSWER_BYTES: usize = 64 << 20;

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
pub(in crate::command) struct OpsAnswer {
    /// HTTP status.
    pub(in crate::command) status: u16,
    /// The body.
    pub(in crate::command) body: Value,
}

impl OpsAnswer {
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
        self.send(Method::GET, path, String::new(), Patience::Ordinary)
    }

    /// What a POST with a JSON body answers.
    pub(in crate::command) fn post(
        &self,
        path: &str,
        body: &Value,
        patience: Patience,
    ) -> Result<Value, Failure> {
        self.send(Method::POST, path, body.to_string(), patience)
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
        patience: Patience,
    ) -> Result<Value, Failure> {
        let exchange = self.exchange(method, path, body, patience);
        let answer = System::new().block_on(exchange).map_err(|fault| {
            Failure::Failed(match fault {
                Fault::UpstreamFailure(reason) => format!(
                    "no gateway answers at {}: {reason}; does it run with this configuration?",
                    self.address
                ),
                Fault::Unreadable => format!(
                    "what answers at {} is no gateway's ops listener",
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
        patience: Patience,
    ) -> Result<OpsAnswer, Fault> {
        let connector = awc::Connector::new().timeout(CONNECT);
        let mut client = awc::Client::builder()
            .connector(connector)
            .disable_redirects();
        client = match patience {
            Patience::Ordinary => client.timeout(ANSWER),
            Patience::Endless => client.disable_timeout(),
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
                error => Fault::UpstreamFailure(error.to_string()),
            })?;
        let length = only_length(response.headers()).ok_or(Fault::Unreadable)?;
        let whole = response
            .body()
            .limit(ANSWER_BYTES)
            .await
            .map_err(|_| Fault::Unreadable)?;
        // The library takes an answer that was cut short for a whole one.
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

/// Why there is no answer.
enum Fault {
    /// Nobody is there, or nobody answered; the reason.
    UpstreamFailure(String),
    /// What came is no whole JSON answer of known length.
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

    /// What a client makes of an answer of these bytes, behind which the connection ends.
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
        let exchange = client.exchange(Method::GET, "/x?y=z", String::new(), Patience::Ordinary);
        let answer = System::new().block_on(exchange);
        let head = server.join().unwrap();
        assert!(head.starts_with("get /x?y=z http/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: bearer t0\r\n"), "{head}");
        answer
            .map(|answer| (answer.status, answer.body))
            .map_err(|fault| matches!(fault, Fault::Unreadable))
    }

    #[test]
    fn only_a_whole_json_answer_is_one() {
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
    fn nobody_there_is_told_as_such() {
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
