//! A connection's byte stream, plain or TLS, that can also be reset.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What the server needs of a stream.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// The TCP connection underneath.
    fn tcp(&self) -> &TcpStream;

    /// Makes the coming close a reset: the peer gets RST in place of FIN.
    fn reset_on_close(&self) -> io::Result<()> {
        self.tcp().set_zero_linger()
    }
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}
