//! TLS of the public listener and of the upstream connections, with rustls.
//!
//! A load reads every file once, so the bytes that a reload compares are the bytes that are used.

mod alert;
mod certificate;
mod client;
mod contents;
mod failure;
mod inbound;
mod inspection;
mod outbound;
mod pem;
mod server;
#[cfg(test)]
mod tests;
mod trust;
mod verifier;
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use self::alert::{Peer, server_alert};
pub use self::certificate::{EXPIRES_SOON, moment};
pub use self::client::{ClientFiles, ClientTls, client_config};
pub use self::failure::HandshakeFailure;
pub use self::inbound::InboundHandshakes;
pub use self::inspection::{Inspection, inspect};
pub use self::outbound::OutboundHandshakes;
pub use self::pem::{Fingerprint, TlsFile, Validity, check_pair};
pub use self::server::{ClientVerification, LoadedServerTls, ServerFiles, ServerTls};
pub use self::trust::ClientTrust;
pub use self::wire::{Stream, Wire};

/// The protocol of both sides.
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// Accepted from clients that offer nothing newer.
const ALPN_HTTP_1_0: &[u8] = b"http/1.0";

/// Installs ring as the process's cryptography provider. `main` calls it first: with no provider, or with two
/// candidates, rustls panics at its first use.
pub fn install_provider() {
    // The only error is that a provider is already installed.
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Fills `bytes` from the operating system's secure source.
///
/// # Errors
///
/// When the source fails.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), &'static str> {
    let filled = provider().secure_random.fill(bytes);
    filled.map_err(|_| "the system's random source failed")
}

/// A TLS file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// The file.
    pub file: PathBuf,
    /// The cause.
    pub what: String,
}

impl TlsFault {
    fn new(file: &Path, what: impl fmt::Display) -> Self {
        Self {
            file: file.to_owned(),
            what: what.to_string(),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.what)
    }
}

impl std::error::Error for TlsFault {}
