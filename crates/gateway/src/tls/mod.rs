//! rustls on both sides of the relay.
//!
//! A file is read once: the bytes that are compared at a reload are the bytes that are used.

mod client;
mod pem;
mod server;
#[cfg(test)]
mod tests;
mod trust;
mod wire;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use self::client::{ClientFiles, ClientTls, client_config};
pub use self::pem::Fingerprint;
pub use self::server::{ClientAuth, ServerFiles, ServerSide, ServerTls};
pub use self::trust::Trust;
pub use self::wire::{Stream, Wire};

/// The only protocol that is spoken, on both sides.
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// Makes ring the process's cryptography. To be called first thing in `main`: with no provider, or with two
/// to choose from, rustls panics at its first use.
pub fn install_provider() {
    // An error says that a provider is installed already, which is all that is asked for.
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A TLS file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
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
