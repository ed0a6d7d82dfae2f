//! A blocking HTTP/1.1 client that sends exactly what it is told: the billers and Kakao Pay where
//! they call.

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

/// How long a caller waits for a connection, and for each read and write, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One connection. It stays open from call to call as long as the server lets it, and is not opened
/// again by itself: a caller that was cut off tells so.
#[derive(Debug)]
pub struct Caller {
    stream: Box<dyn Stream>,
    host: String,
    /// What was read and belongs to no reply yet.
    buffer: Vec<u8>,
    /// When the request whose reply comes next was begun.
    started_at: Instant,
}

impl Caller {
    /// Connects without TLS.
    ///
    /// # Errors
    /// What the socket says.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::over(Box::new(tcp(address)?), address.to_string()))
    }

    /// Connects and shakes hands. The configuration may carry a client certificate.
    ///
    /// # Errors
    /// What the socket or the handshake says.
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

    /// How long each read and each write may take; `None`: for ever.
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
    /// What the socket says: `UnexpectedEof` if the connection was closed before the reply was whole,
    /// `WouldBlock` or `TimedOut` if it took too long; `InvalidData` if it is no HTTP/1.1.
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

    /// Sends bytes as they are. The next reply's time counts from here.
    ///
    /// # Errors
    /// What the socket says.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.started_at = Instant::now();
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends bytes in pieces with a pause between them, as a slow caller does.
    ///
    /// # Errors
    /// What the socket says.
    pub fn send_slowly(&mut self, bytes: &[u8], piece: usize, pause: Duration) -> io::Result<()> {
        let started_at = Instant::now();
        for piece in bytes.chunks(piece.max(1)) {
            self.send_raw(piece)?;
            std::thread::sleep(pause);
        }
        self.started_at = started_at;
        Ok(())
    }

    /// Waits for a whole reply. Interim replies (1xx) are passed over.
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

    /// Reads until the server closes the connection, and gives back everything that came and belongs
    /// to no reply: what is left to see where an answer is no whole one.
    ///
    /// # Errors
    /// What the socket says, other than the close itself: `ConnectionReset` for a reset.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        while self.fill()? {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Tells the server that nothing more comes, and goes on listening.
    ///
    /// # Errors
    /// What the socket says.
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

    /// Reads on; `false` at the end of the stream.
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
