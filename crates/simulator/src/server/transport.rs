//! The byte stream of a connection: plain or TLS.

use std::io;

use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

pub(super) type Transport = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Makes the close that follows a reset: the peer receives RST in place of FIN.
pub(super) fn reset_on_close(transport: &Transport) -> io::Result<()> {
    let tcp = match transport {
        Either::Left(tcp) => tcp,
        Either::Right(tls) => tls.get_ref().0,
    };
    tcp.set_zero_linger()
}
