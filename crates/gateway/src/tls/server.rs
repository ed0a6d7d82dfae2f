//! TLS of the public listener, which can be replaced while it serves.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::pem::{Fingerprint, Pem, key_fault};
use super::{ALPN_HTTP_1_1, TlsFault, provider};

/// Whether callers are asked for a certificate, and the authorities that theirs must come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientVerification {
    /// Not asked.
    Off,
    /// Asked; one that is shown must be good.
    Optional(PathBuf),
    /// Asked; no call without a good one.
    Required(PathBuf),
}

/// `[listen.tls]` of the configuration (contract section 6). All files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFiles {
    /// The chain, the listener's own certificate first.
    pub certificate: PathBuf,
    /// Its key.
    pub private_key: PathBuf,
    /// `client_auth` and `client_ca`.
    pub client_auth: ClientVerification,
}

/// What the listener's files come to.
pub struct ServerSide {
    config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    fingerprint: Fingerprint,
    /// When the first certificate of the listener's chain ends, in seconds since 1970.
    pub certificate_not_after: Option<i64>,
    /// When the first of the callers' authorities ends.
    pub client_ca_not_after: Option<i64>,
}

impl ServerSide {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// The first file that cannot be used.
    pub fn load(files: &ServerFiles) -> Result<Self, TlsFault> {
        let certificate = Pem::read(&files.certificate)?;
        let private_key = Pem::read(&files.private_key)?;
        let client_ca = match &files.client_auth {
            ClientVerification::Off => None,
            ClientVerification::Optional(file) | ClientVerification::Required(file) => {
                Some(Pem::read(file)?)
            }
        };
        let verifier = client_ca
            .as_ref()
            .map(|ca| client_verifier(ca, &files.client_auth))
            .transpose()?;
        Ok(Self {
            config: server_config(&certificate, &private_key, verifier.clone())?,
            verifier,
            fingerprint: Fingerprint::of([
                Some(&certificate),
                Some(&private_key),
                client_ca.as_ref(),
            ]),
            certificate_not_after: certificate.not_after(),
            client_ca_not_after: client_ca.as_ref().and_then(Pem::not_after),
        })
    }

    /// For handshakes.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Whether a caller who shows this chain, the own certificate first, would be let in now.
    pub(super) fn trusts(&self, chain: &[CertificateDer<'static>]) -> bool {
        match (&self.verifier, chain.split_first()) {
            (None, _) => true,
            (Some(verifier), None) => !verifier.client_auth_mandatory(),
            (Some(verifier), Some((own, intermediates))) => verifier
                .verify_client_cert(own, intermediates, UnixTime::now())
                .is_ok(),
        }
    }
}

impl fmt::Debug for ServerSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSide")
            .field("asks_for_certificates", &self.verifier.is_some())
            .field("certificate_not_after", &self.certificate_not_after)
            .finish_non_exhaustive()
    }
}

/// The listener's TLS, which can be replaced while it serves: handshakes that begin later use the new one,
/// and who is already connected is judged by it before the next call.
#[derive(Debug)]
pub struct ServerTls {
    current: RwLock<Arc<ServerSide>>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// The first file that cannot be used.
    pub fn load(files: &ServerFiles) -> Result<Self, TlsFault> {
        ServerSide::load(files).map(Self::new)
    }

    /// Of files that are read.
    pub fn new(side: ServerSide) -> Self {
        Self {
            current: RwLock::new(Arc::new(side)),
        }
    }

    /// Replaces what is in use; the same files again change nothing.
    pub fn replace(&self, side: ServerSide) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let asks = |side: &ServerSide| {
            let verifier = side.verifier.as_ref();
            verifier.map(|verifier| verifier.client_auth_mandatory())
        };
        if (current.fingerprint, asks(&current)) != (side.fingerprint, asks(&side)) {
            *current = Arc::new(side);
        }
    }

    /// What a handshake that begins now uses.
    pub fn current(&self) -> Arc<ServerSide> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn server_config(
    certificate: &Pem,
    private_key: &Pem,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, TlsFault> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate.fault(error))?;
    let asks = verifier.is_some();
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut config = builder
        .with_single_cert(certificate.certificates()?, private_key.private_key()?)
        .map_err(|error| private_key.fault(key_fault(&error)))?;
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    if asks {
        // A resumed session is not checked again: a certificate that has expired since, or whose authority
        // was taken out, would still be believed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn client_verifier(
    ca: &Pem,
    auth: &ClientVerification,
) -> Result<Arc<dyn ClientCertVerifier>, TlsFault> {
    let roots = Arc::new(ca.authorities()?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let builder = match auth {
        ClientVerification::Optional(_) => builder.allow_unauthenticated(),
        ClientVerification::Required(_) | ClientVerification::Off => builder,
    };
    builder.build().map_err(|error| ca.fault(error))
}
