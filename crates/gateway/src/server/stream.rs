//! A caller's byte stream, in the clear or within TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::tls::Wire;

/// One type for both, so that one chain of services serves both.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<Wire>>),
}

impl Stream {
    /// The socket below.
    pub(super) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.get_mut().0.0,
        }
    }

    /// Whether something can be read, or the stream has ended; else the task is woken then.
    pub(super) fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Tls(stream) = self
            && !stream.get_ref().1.wants_read()
        {
            // What was decrypted is not taken yet, or nothing more comes.
            return Poll::Ready(());
        }
        self.socket().poll_read_ready(cx).map(drop)
    }

    /// The certificates that the caller showed, its own first; none where it showed none.
    pub(super) fn client_chain(&self) -> Box<[CertificateDer<'static>]> {
        let Self::Tls(stream) = self else {
            return Box::default();
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        chain.iter().map(|der| der.clone().into_owned()).collect()
    }

    /// SHA-256 of the DER form of the caller's own certificate, where it showed one.
    pub(super) fn client_certificate(&self) -> Option<[u8; 32]> {
        let Self::Tls(stream) = self else {
            return None;
        };
        let leaf = stream.get_ref().1.peer_certificates()?.first()?;
        Some(Sha256::digest(leaf.as_ref()).into())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
