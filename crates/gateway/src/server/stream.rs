//! What the server needs of a caller's stream beside reading and writing.

use std::task::{Context, Poll};

use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use crate::tls::Stream;

/// Returns the socket below the stream.
pub(super) fn socket(stream: &mut Stream) -> &mut TcpStream {
    match stream {
        Stream::Left(socket) => socket,
        Stream::Right(tls) => &mut tls.get_mut().0.0,
    }
}

/// Is ready when something can be read or the stream has ended. The task is woken then.
pub(super) fn poll_readable(stream: &mut Stream, cx: &mut Context<'_>) -> Poll<()> {
    if let Stream::Right(tls) = stream
        && !tls.get_ref().1.wants_read()
    {
        // Decrypted bytes are waiting, or the caller has ended its side.
        return Poll::Ready(());
    }
    socket(stream).poll_read_ready(cx).map(drop)
}

/// Returns the caller's certificates, its end-entity certificate first. Empty without TLS or without a
/// certificate.
pub(super) fn client_chain(stream: &Stream) -> &[CertificateDer<'static>] {
    match stream {
        Stream::Left(_) => &[],
        Stream::Right(tls) => tls.get_ref().1.peer_certificates().unwrap_or_default(),
    }
}

/// Returns SHA-256 of the DER form of the caller's end-entity certificate.
pub(super) fn client_certificate(stream: &Stream) -> Option<[u8; 32]> {
    let leaf = client_chain(stream).first()?;
    Some(Sha256::digest(leaf.as_ref()).into())
}
