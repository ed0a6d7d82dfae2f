//! A blocking HTTP/1.1 client for the calls of billers and of Kakao Pay.

mod reply;
mod stream;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use reply::Reply;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use stream::Stream;

use crate::wire::{Chunks, Framing, Head, Malformed};

/// The default timeout of the connect and of each read and write.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client with one connection. The connection stays open between calls. It is not reopened: calls fail
/// after the server has closed it.
#[derive(Debug)]
pub struct Caller {
    stream: Box<dyn Stream>,
    host: String,
    /// Bytes that were read and are not part of a returned reply.
    buffer: Vec<u8>,
    /// The start of the request whose reply is next.
    started_at: Instant,
}

impl Caller {
    /// Connects without TLS.
    ///
    /// # Errors
    /// The error of the socket.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::over(Box::new(tcp(address)?), address.to_string()))
    }

    /// Connects with TLS. The configuration may have a client certificate.
    ///
    /// # Errors
    /// The error of the socket or the handshake.
    pub fn connect_tls(
        address: SocketAddr,
        server: ServerName<'static>,
        configuration: Arc<ClientConfig>,
    ) -> io::Result<Self> {
        let mut tls = rustls::ClientConnection::new(configuration, server)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut tcp = tcp(address)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        let stream = rustls::StreamOwned::new(tls, tcp);
        Ok(Self::over(Box::new(stream), address.to_string()))
    }

    fn over(stream: Box<dyn Stream>, host: String) -> Self {
        Self {
            stream,
            host,
            buffer: Vec::new(),
            started_at: Instant::now(),
        }
    }

    /// Sets the timeout of each read and each write; `None` removes it.
    ///
    /// # Errors
    /// If the duration is zero.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.tcp().set_read_timeout(timeout)?;
        self.stream.tcp().set_write_timeout(timeout)
    }

    /// Sends a POST and waits for its reply. `Host` and `Content-Length` are added, and the guide's
    /// `Content-Type` and `Accept` unless the headers name them.
    ///
    /// # Errors
    /// The error of the socket: `UnexpectedEof` if the connection was closed before the end of the reply,
    /// `WouldBlock` or `TimedOut` after a timeout. `InvalidData` if the reply is not HTTP/1.1.
    pub fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> io::Result<Reply> {
        let body = body.as_ref();
        let mut request = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        let field = |(name, value): &(&str, &str)| format!("{name}: {value}\r\n");
        for default in ["Content-Type", "Accept"] {
            if !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case(default))
            {
                request.push_str(&field(&(default, "application/json;charset=utf-8")));
            }
        }
        request.extend(headers.iter().map(field));
        request.push_str(&field(&("Content-Length", &body.len().to_string())));
        request.push_str("\r\n");
        self.send_raw(&[request.as_bytes(), body].concat())?;
        self.read_reply()
    }

    /// Sends these bytes. The time of the next reply starts here.
    ///
    /// # Errors
    /// The error of the socket.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.started_at = Instant::now();
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends these bytes in pieces, with a pause after each.
    ///
    /// # Errors
    /// The error of the socket.
    pub fn send_slowly(&mut self, bytes: &[u8], piece: usize, pause: Duration) -> io::Result<()> {
        let started_at = Instant::now();
        for piece in bytes.chunks(piece.max(1)) {
            self.send_raw(piece)?;
            std::thread::sleep(pause);
        }
        self.started_at = started_at;
        Ok(())
    }

    /// Reads a whole reply. Interim replies (1xx) are skipped.
    ///
    /// # Errors
    /// As [`Caller::post`].
    pub fn read_reply(&mut self) -> io::Result<Reply> {
        loop {
            let head = self.read_head()?;
            let status = reply::status(&head.line)?;
            if (100..200).contains(&status) {
                continue;
            }
            let body = match status {
                204 | 304 => Vec::new(),
                _ => self.read_body(&head)?,
            };
            let elapsed = self.started_at.elapsed();
            return Ok(Reply {
                status,
                headers: head.headers,
                body,
                elapsed,
            });
        }
    }

    /// Reads until the server closes the connection, and returns the bytes that are not part of a returned
    /// reply, such as an incomplete answer.
    ///
    /// # Errors
    /// The error of the socket, such as `ConnectionReset`.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        while self.fill()? {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Closes the sending direction of the connection. Replies can still be read.
    ///
    /// # Errors
    /// The error of the socket.
    pub fn finish_sending(&mut self) -> io::Result<()> {
        self.stream.finish_sending()
    }

    fn read_head(&mut self) -> io::Result<Head> {
        loop {
            if let Some(length) = Head::length(&self.buffer)? {
                let head: Vec<u8> = self.buffer.drain(..length).collect();
                return Ok(Head::parse(&head)?);
            }
            self.need_more()?;
        }
    }

    fn read_body(&mut self, head: &Head) -> io::Result<Vec<u8>> {
        match head.framing()? {
            Framing::Absent => self.read_to_end(),
            Framing::Length(length) => {
                while self.buffer.len() < length {
                    self.need_more()?;
                }
                Ok(self.buffer.drain(..length).collect())
            }
            Framing::Chunked => {
                let mut chunks = Chunks::default();
                while !chunks.read(&self.buffer)? {
                    self.need_more()?;
                }
                self.buffer.drain(..chunks.position);
                Ok(chunks.body)
            }
        }
    }

    fn need_more(&mut self) -> io::Result<()> {
        if self.fill()? {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Reads more bytes; returns false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        if self.buffer.len() > crate::wire::BODY_BYTES + crate::wire::HEAD_BYTES {
            return Err(Malformed("the reply is too long").into());
        }
        let mut piece = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut piece) {
                Ok(count) => {
                    self.buffer.extend_from_slice(&piece[..count]);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}
