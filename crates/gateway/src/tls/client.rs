//! TLS of connections to one upstream.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::{ClientConfig, RootCertStore};

use super::pem::{Fingerprint, TlsFile, check_pair, key_fault};
use super::verifier::UpstreamVerifier;
use super::{ALPN_HTTP_1_1, TlsFault, provider};

/// `[kakao.tls]`, or a biller's `[tls]` (contract section 6). All files are PEM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientFiles<'a> {
    /// The trusted authorities; `None` for the public web roots.
    pub ca: Option<&'a Path>,
    /// The gateway's client certificate; present exactly if `private_key` is.
    pub certificate: Option<&'a Path>,
    /// The key of the client certificate.
    pub private_key: Option<&'a Path>,
}

/// The TLS of one upstream as loaded from its files.
#[derive(Clone, Debug)]
pub struct ClientTls {
    /// The configuration for handshakes.
    pub config: Arc<ClientConfig>,
    pub(super) verifier: Arc<UpstreamVerifier>,
    /// The fingerprint of the files, by which a reload detects a change.
    pub fingerprint: Fingerprint,
    /// The earliest expiry in the gateway's client certificate chain, in seconds since 1970.
    pub certificate_not_after: Option<i64>,
    /// The earliest expiry of the authorities, in seconds since 1970; `None` for the public web roots.
    pub ca_not_after: Option<i64>,
}

/// The contents of one upstream's TLS files.
pub struct ClientPems {
    ca: Option<TlsFile>,
    identity: Option<(TlsFile, TlsFile)>,
}

impl ClientFiles<'_> {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or only one of certificate and key is given.
    pub fn read(self) -> Result<ClientPems, TlsFault> {
        let read = |file: Option<&Path>| file.map(TlsFile::read).transpose();
        let identity = match (self.certificate, self.private_key) {
            (Some(file), None) => {
                return Err(TlsFault::new(file, "a certificate without a private_key"));
            }
            (None, Some(file)) => {
                return Err(TlsFault::new(file, "a private_key without a certificate"));
            }
            (certificate, private_key) => read(certificate)?.zip(read(private_key)?),
        };
        Ok(ClientPems {
            ca: read(self.ca)?,
            identity,
        })
    }
}

impl ClientPems {
    /// The fingerprint of the contents.
    pub fn fingerprint(&self) -> Fingerprint {
        let certificate = self.identity.as_ref().map(|(certificate, _)| certificate);
        let private_key = self.identity.as_ref().map(|(_, key)| key);
        Fingerprint::of([self.ca.as_ref(), certificate, private_key])
    }

    /// Builds the TLS of the upstream.
    ///
    /// # Errors
    ///
    /// The fault of the first file that cannot be used.
    pub fn tls(&self) -> Result<ClientTls, TlsFault> {
        let verifier = verifier(self.ca.as_ref())?;
        Ok(ClientTls {
            config: config(&verifier, self.identity.as_ref())?,
            verifier,
            fingerprint: self.fingerprint(),
            certificate_not_after: (self.identity.as_ref()).and_then(|(own, _)| own.not_after()),
            ca_not_after: self.ca.as_ref().and_then(TlsFile::not_after),
        })
    }
}

/// Loads the TLS configuration of one upstream.
///
/// # Errors
///
/// When a file cannot be used, or only one of certificate and key is given.
pub fn client_config(files: ClientFiles<'_>) -> Result<Arc<ClientConfig>, TlsFault> {
    Ok(files.read()?.tls()?.config)
}

fn verifier(ca: Option<&TlsFile>) -> Result<Arc<UpstreamVerifier>, TlsFault> {
    let (roots, trusted) = match ca {
        Some(pem) => (pem.authorities()?, pem.certificates()?),
        None => (public_roots(), Vec::new()),
    };
    let source = ca.map_or(Path::new("web roots"), TlsFile::file);
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| TlsFault::new(source, error))?;
    Ok(Arc::new(UpstreamVerifier::new(verifier, trusted)))
}

fn config(
    verifier: &Arc<UpstreamVerifier>,
    identity: Option<&(TlsFile, TlsFile)>,
) -> Result<Arc<ClientConfig>, TlsFault> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::new(Path::new("TLS"), error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<UpstreamVerifier>::clone(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            check_pair(certificate, key)?;
            builder
                .with_client_auth_cert(certificate.chain()?, key.private_key()?)
                .map_err(|error| key.fault(key_fault(&error)))?
        }
    };
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

fn public_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}
