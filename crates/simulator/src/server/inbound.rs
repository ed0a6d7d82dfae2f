//! Requests, read from a connection one after the other.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transport::Transport;
use crate::wire::{Chunks, Framing, Head, Malformed};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A request as it came.
pub(super) struct Message {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the caller closes the connection, or cannot keep it.
    pub(super) is_last: bool,
}

/// What was read of a connection and is not used up.
#[derive(Default)]
pub(super) struct Inbound {
    buffer: Vec<u8>,
}

impl Inbound {
    /// The next request; `None` if the caller closed the connection before one began.
    ///
    /// # Errors
    /// `InvalidData` if the bytes are no HTTP/1.1 request; else what the socket says.
    pub(super) async fn next(&mut self, stream: &mut Transport) -> io::Result<Option<Message>> {
        let length = loop {
            if let Some(length) = Head::length(&self.buffer)? {
                break length;
            }
            if !self.fill(stream).await? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(ended())
                };
            }
        };
        let head = Head::parse(&self.buffer[..length])?;
        self.buffer.drain(..length);
        if head.has_token("expect", "100-continue") && self.buffer.is_empty() {
            stream.write_all(CONTINUE).await?;
        }
        let body = self.body(stream, &head).await?;
        message(head, body).map(Some)
    }

    async fn body(&mut self, stream: &mut Transport, head: &Head) -> io::Result<Vec<u8>> {
        match head.framing()? {
            Framing::Absent => Ok(Vec::new()),
            Framing::Length(length) => {
                while self.buffer.len() < length {
                    if !self.fill(stream).await? {
                        return Err(ended());
                    }
                }
                // A copy of its own size: the call is kept, the buffer's room is used again.
                Ok(self.buffer.drain(..length).collect())
            }
            Framing::Chunked => {
                let mut chunks = Chunks::default();
                while !chunks.read(&self.buffer)? {
                    if !self.fill(stream).await? {
                        return Err(ended());
                    }
                }
                self.buffer.drain(..chunks.position);
                Ok(chunks.body)
            }
        }
    }

    /// Reads on; `false` at the end of the stream.
    async fn fill(&mut self, stream: &mut Transport) -> io::Result<bool> {
        // Room for a usual call in one read; the vector grows by itself for large ones.
        self.buffer.reserve(4096);
        Ok(stream.read_buf(&mut self.buffer).await? > 0)
    }
}

fn message(head: Head, body: Vec<u8>) -> io::Result<Message> {
    let mut words = head.line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Malformed("the first line is not METHOD TARGET VERSION").into());
    };
    if !version.starts_with("HTTP/1.") {
        return Err(Malformed("the version is not HTTP/1").into());
    }
    let is_last = head.has_token("connection", "close") || version == "HTTP/1.0";
    let (method, target) = (method.to_owned(), target.to_owned());
    Ok(Message {
        method,
        target,
        headers: head.headers,
        body,
        is_last,
    })
}

fn ended() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}
