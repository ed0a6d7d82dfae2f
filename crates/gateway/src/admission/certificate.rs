//! Check 1: the client certificate, where the caller's configuration pins one.

use crate::config::Sha256;
use crate::reply::Problem;
use crate::server::ClientConnection;

/// Checks that the connection's client certificate is among the pinned ones; an empty list pins none.
///
/// # Errors
/// [`Problem::CertificateNotPinned`] where the certificate is missing or another.
pub fn check(connection: &ClientConnection, pinned: &[Sha256]) -> Result<(), Problem> {
    let presented = connection.certificate();
    let is_pinned = |digest: &[u8; 32]| pinned.iter().any(|known| known.as_bytes() == digest);
    if pinned.is_empty() || presented.is_some_and(is_pinned) {
        Ok(())
    } else {
        Err(Problem::CertificateNotPinned)
    }
}
