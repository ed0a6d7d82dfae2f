//! A caller over a raw stream.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::calls::AUTHORIZATION;
use crate::message::{self, Message, read_more, request};
use crate::wait::PATIENCE;

/// A received answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub elapsed: Duration,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the header's value, by its lower-case name; panics if it comes twice.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        message::header(&self.headers, name)
    }

    pub fn res_code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["res_code"].as_str().unwrap().to_owned()
    }
}

/// One keep-alive connection to the gateway, over a plain socket or another stream.
#[derive(Debug)]
pub struct Caller<S = TcpStream> {
    stream: S,
    unread: Vec<u8>,
}

impl Caller {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream)
    }

    pub fn finish_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }
}

impl<S: Read + Write> Caller<S> {
    /// Returns a caller over a stream that has a read timeout.
    pub fn over(stream: S) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// Posts as the party that calls this path, with the headers that it sends.
    pub fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        let authorization = [("Authorization", AUTHORIZATION)];
        let is_biller = path.starts_with("/external/");
        self.post_with(path, if is_biller { &authorization } else { &[] }, body)
    }

    pub fn post_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Reply {
        self.send(&request("POST", path, headers, body.as_ref()));
        self.reply()
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Like `send`, for a connection that the gateway may have closed.
    ///
    /// # Errors
    /// The error of the stream.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    #[track_caller]
    pub fn reply(&mut self) -> Reply {
        self.try_reply().expect("an answer")
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// The error of the stream; `UnexpectedEof` if it was closed.
    pub fn try_reply(&mut self) -> io::Result<Reply> {
        let began = Instant::now();
        let message = Message::read(&mut self.stream, &mut self.unread)?;
        let status = message.line.split(' ').nth(1).unwrap();
        Ok(Reply {
            status: status.parse().unwrap(),
            headers: message.headers,
            body: message.body,
            elapsed: began.elapsed(),
        })
    }

    /// Returns whether the gateway closed the connection without another byte.
    pub fn is_closed(&mut self) -> bool {
        use io::ErrorKind::{ConnectionReset, UnexpectedEof};
        read_more(&mut self.stream, &mut self.unread)
            .is_err_and(|error| matches!(error.kind(), UnexpectedEof | ConnectionReset))
    }
}
