//! TLS of the public listener, which a reload replaces.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use metrics::HandshakeFailures;
use rustls::ServerConfig;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::inbound::InboundHandshakes;
use super::pem::{Fingerprint, TlsFile, check_pair, key_fault};
use super::{ALPN_HTTP_1_0, ALPN_HTTP_1_1, TlsFault, provider};

/// Whether clients are verified by certificate, with the file of the authorities that must have issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientVerification {
    /// The listener requests no certificate.
    Off,
    /// A client may present a certificate, which must then be valid.
    Optional(PathBuf),
    /// A client must present a valid certificate.
    Required(PathBuf),
}

/// `[listen.tls]` of the configuration (contract section 6). All files are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFiles {
    /// The certificate chain, with the listener's own certificate first.
    pub certificate: PathBuf,
    /// The key of the listener's certificate.
    pub private_key: PathBuf,
    /// `client_auth` and `client_ca`.
    pub client_auth: ClientVerification,
}

/// The listener's TLS as loaded from its files.
pub struct LoadedServerTls {
    config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    fingerprint: Fingerprint,
    /// The earliest expiry in the listener's chain, in seconds since 1970.
    pub certificate_not_after: Option<i64>,
    /// The earliest expiry of the clients' authorities, in seconds since 1970.
    pub client_ca_not_after: Option<i64>,
}

impl LoadedServerTls {
    /// Loads the files.
    ///
    /// # Errors
    ///
    /// The fault of the first file that cannot be used.
    pub fn load(files: &ServerFiles) -> Result<Self, TlsFault> {
        let certificate = TlsFile::read(&files.certificate)?;
        let private_key = TlsFile::read(&files.private_key)?;
        let client_ca = match &files.client_auth {
            ClientVerification::Off => None,
            ClientVerification::Optional(file) | ClientVerification::Required(file) => {
                Some(TlsFile::read(file)?)
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
            client_ca_not_after: client_ca.as_ref().and_then(TlsFile::not_after),
        })
    }

    /// The configuration for handshakes.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Whether clients are asked for a certificate.
    pub(super) fn verifies_clients(&self) -> bool {
        self.verifier.is_some()
    }

    /// Whether a client with this chain, its own certificate first, would pass the handshake now.
    pub(super) fn accepts(&self, chain: &[CertificateDer<'static>]) -> bool {
        match (&self.verifier, chain.split_first()) {
            (None, _) => true,
            (Some(verifier), None) => !verifier.client_auth_mandatory(),
            (Some(verifier), Some((own, intermediates))) => verifier
                .verify_client_cert(own, intermediates, UnixTime::now())
                .is_ok(),
        }
    }
}

impl fmt::Debug for LoadedServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedServerTls")
            .field("verifies_clients", &self.verifier.is_some())
            .field("certificate_not_after", &self.certificate_not_after)
            .finish_non_exhaustive()
    }
}

/// The listener's present TLS, which can be replaced while the listener serves. Later handshakes use the new one,
/// and open connections are checked against it before their next call.
#[derive(Debug)]
pub struct ServerTls {
    current: RwLock<Arc<LoadedServerTls>>,
    handshakes: InboundHandshakes,
}

impl ServerTls {
    /// Loads the files.
    ///
    /// # Errors
    ///
    /// The fault of the first file that cannot be used.
    pub fn load(files: &ServerFiles) -> Result<Self, TlsFault> {
        LoadedServerTls::load(files).map(Self::new)
    }

    /// Starts with loaded files.
    pub fn new(loaded: LoadedServerTls) -> Self {
        Self {
            current: RwLock::new(Arc::new(loaded)),
            handshakes: InboundHandshakes::new(None),
        }
    }

    /// As [`new`](Self::new); failed handshakes are counted in `failures`.
    pub fn counting(loaded: LoadedServerTls, failures: HandshakeFailures) -> Self {
        Self {
            handshakes: InboundHandshakes::new(Some(failures)),
            ..Self::new(loaded)
        }
    }

    /// The failed handshakes of the listener.
    pub fn handshakes(&self) -> &InboundHandshakes {
        &self.handshakes
    }

    /// Replaces the present TLS; the same files change nothing.
    pub fn replace(&self, loaded: LoadedServerTls) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let requires = |loaded: &LoadedServerTls| {
            let verifier = loaded.verifier.as_ref();
            verifier.map(|verifier| verifier.client_auth_mandatory())
        };
        if (current.fingerprint, requires(&current)) != (loaded.fingerprint, requires(&loaded)) {
            *current = Arc::new(loaded);
        }
    }

    /// The present TLS, for a handshake that begins now.
    pub fn current(&self) -> Arc<LoadedServerTls> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn server_config(
    certificate: &TlsFile,
    private_key: &TlsFile,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, TlsFault> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate.fault(error))?;
    let verifies_clients = verifier.is_some();
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    check_pair(certificate, private_key)?;
    let mut config = builder
        .with_single_cert(certificate.chain()?, private_key.private_key()?)
        .map_err(|error| private_key.fault(key_fault(&error)))?;
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec(), ALPN_HTTP_1_0.to_vec()];
    if verifies_clients {
        // A resumed session skips the verification, so it would accept a certificate that has expired since or
        // whose authority was removed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn client_verifier(
    ca: &TlsFile,
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
