//! The byte stream of a caller: plain or TLS.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use rustls::{ClientConnection, StreamOwned};

pub(super) trait Stream: fmt::Debug + Read + Write + Send + Sync {
    /// The TCP connection below.
    fn tcp(&self) -> &TcpStream;

    /// Ends what is sent, and leaves the connection open for what is received.
    fn finish_sending(&mut self) -> io::Result<()> {
        self.tcp().shutdown(Shutdown::Write)
    }
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }

    fn finish_sending(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.sock.shutdown(Shutdown::Write)
    }
}
