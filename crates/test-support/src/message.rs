//! HTTP messages byte for byte, read and written without any HTTP library.

use std::fmt::Write as _;
use std::io::{self, Read};

/// A received request or answer, framed by `Content-Length` only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The request line or the status line.
    pub line: String,
    /// The names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// Reads one message; `unread` keeps what follows it.
    ///
    /// # Errors
    /// The error of the stream; `UnexpectedEof` if it was closed.
    pub fn read(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<Self> {
        let end_of_head = loop {
            if let Some(at) = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            read_more(stream, unread)?;
        };
        let head = String::from_utf8(unread.drain(..end_of_head).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        while unread.len() < length {
            read_more(stream, unread)?;
        }
        Ok(Self {
            line,
            headers,
            body: unread.drain(..length).collect(),
        })
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Returns the header's value, by its lower-case name; panics if it comes twice.
#[track_caller]
pub fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = headers.iter().filter(|(known, _)| known == name);
    let first = values.next()?;
    assert!(values.next().is_none(), "{name} twice");
    Some(&first.1)
}

/// Reads the available bytes; `UnexpectedEof` at the end of the stream.
pub fn read_more(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => {
            unread.extend_from_slice(&buffer[..read]);
            Ok(())
        }
    }
}

/// Returns a request as most clients write it.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: gateway.test\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let length = body.len();
    write!(
        head,
        "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    [head.as_bytes(), body].concat()
}

/// Returns an answer with its length.
pub fn answer(status: u16, content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Any\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
