//! Reads the requests of a connection.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::transport::Transport;
use crate::wire::{Chunks, Framing, Head, Malformed};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// A received request.
pub(super) struct ReceivedRequest {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Whether the connection ends after this request.
    pub(super) is_last: bool,
}

/// The bytes of a connection that were read and not yet consumed.
#[derive(Default)]
pub(super) struct RequestReader {
    buffer: Vec<u8>,
}

impl RequestReader {
    /// Reads the next request. Returns `None` if the caller closed the connection before its first byte.
    ///
    /// # Errors
    /// `InvalidData` if the bytes are not an HTTP/1.1 request; else the error of the socket.
    pub(super) async fn next(
        &mut self,
        stream: &mut Transport,
    ) -> io::Result<Option<ReceivedRequest>> {
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
        received(head, body).map(Some)
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
                // The stored call gets a vector of exact size, and the buffer is reused.
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

    /// Reads more bytes; returns false at the end of the stream.
    async fn fill(&mut self, stream: &mut Transport) -> io::Result<bool> {
        // Space for a usual call in one read.
        self.buffer.reserve(4096);
        Ok(stream.read_buf(&mut self.buffer).await? > 0)
    }
}

fn received(head: Head, body: Vec<u8>) -> io::Result<ReceivedRequest> {
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
    Ok(ReceivedRequest {
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
