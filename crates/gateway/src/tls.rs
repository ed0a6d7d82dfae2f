//! rustls on both sides of the relay.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The only protocol that is spoken, on both sides.
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// Makes ring the process's cryptography. To be called first thing in `main`: with no provider, or with two
/// to choose from, rustls panics at its first use.
pub fn install_provider() {
    // An error says that a provider is installed already, which is all that is asked for.
    drop(rustls::crypto::ring::default_provider().install_default());
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

/// Whether callers are asked for a certificate, and the authorities that theirs must come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAuth {
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
    pub client_auth: ClientAuth,
}

/// The listener's TLS, which can be replaced while it serves: handshakes that begin later use the new one.
#[derive(Debug)]
pub struct ServerTls {
    current: RwLock<Arc<ServerConfig>>,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// The first file that cannot be used.
    pub fn load(files: &ServerFiles) -> Result<Self, TlsFault> {
        Ok(Self {
            current: RwLock::new(server_config(files)?),
        })
    }

    /// Reads the files again, or others; what was in use stays in use when they have a fault.
    ///
    /// # Errors
    ///
    /// The first file that cannot be used.
    pub fn replace(&self, files: &ServerFiles) -> Result<(), TlsFault> {
        let config = server_config(files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// What a handshake that begins now uses.
    pub fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}

fn server_config(files: &ServerFiles) -> Result<Arc<ServerConfig>, TlsFault> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::new(&files.certificate, error))?;
    let builder = match client_verifier(&files.client_auth)? {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut config = builder
        .with_single_cert(
            certificates(&files.certificate)?,
            private_key(&files.private_key)?,
        )
        .map_err(|error| TlsFault::new(&files.private_key, key_fault(&error)))?;
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    if files.client_auth != ClientAuth::Off {
        // A resumed session is not checked again: a certificate that has expired since, or whose authority
        // was taken out, would still be believed.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(Arc::new(config))
}

fn client_verifier(auth: &ClientAuth) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsFault> {
    let (ClientAuth::Optional(file) | ClientAuth::Required(file)) = auth else {
        return Ok(None);
    };
    let builder = WebPkiClientVerifier::builder_with_provider(authorities(file)?, provider());
    let builder = match auth {
        ClientAuth::Optional(_) => builder.allow_unauthenticated(),
        ClientAuth::Required(_) | ClientAuth::Off => builder,
    };
    let verifier = builder
        .build()
        .map_err(|error| TlsFault::new(file, error))?;
    Ok(Some(verifier))
}

/// `[kakao.tls]`, or a biller's `[tls]` (contract section 6). All files are PEM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientFiles<'a> {
    /// Authorities to believe; the public web's where absent.
    pub ca: Option<&'a Path>,
    /// The gateway's own certificate towards this upstream; with a key or not at all.
    pub certificate: Option<&'a Path>,
    /// Its key.
    pub private_key: Option<&'a Path>,
}

/// TLS towards one upstream party.
///
/// # Errors
///
/// The first file that cannot be used; a certificate without a key, or a key without a certificate.
pub fn client_config(files: ClientFiles<'_>) -> Result<Arc<ClientConfig>, TlsFault> {
    let roots = if let Some(file) = files.ca {
        authorities(file)?
    } else {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        Arc::new(roots.collect::<RootCertStore>())
    };
    let named = files
        .ca
        .or(files.certificate)
        .unwrap_or(Path::new("web roots"));
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|error| TlsFault::new(named, error))?;
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsFault::new(named, error))?
        .with_webpki_verifier(verifier);
    let mut config = match (files.certificate, files.private_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| TlsFault::new(key, key_fault(&error)))?,
        (Some(file), None) => {
            return Err(TlsFault::new(file, "a certificate without a private_key"));
        }
        (None, Some(file)) => {
            return Err(TlsFault::new(file, "a private_key without a certificate"));
        }
    };
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| TlsFault::new(file, pem_fault(error)))?;
    if certificates.is_empty() {
        return Err(TlsFault::new(file, "no certificate in PEM form"));
    }
    Ok(certificates)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsFault> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| match error {
        rustls_pki_types::pem::Error::NoItemsFound => {
            TlsFault::new(file, "no private key in PEM form")
        }
        error => TlsFault::new(file, pem_fault(error)),
    })
}

fn authorities(file: &Path) -> Result<Arc<RootCertStore>, TlsFault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots
            .add(certificate)
            .map_err(|error| TlsFault::new(file, error))?;
    }
    Ok(Arc::new(roots))
}

fn pem_fault(error: rustls_pki_types::pem::Error) -> String {
    match error {
        rustls_pki_types::pem::Error::Io(error) => error.to_string(),
        error => format!("not in PEM form: {error}"),
    }
}

fn key_fault(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key does not belong to the certificate".to_owned()
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }

    #[test]
    fn a_fault_names_the_file_and_what_is_wrong_with_it() {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let good = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        let certificate = write(folder.path(), "good.pem", &good.cert.pem());
        let key = write(folder.path(), "good.key", &good.signing_key.serialize_pem());
        let strange_key = write(folder.path(), "strange.key", &other.serialize_pem());
        let empty = write(folder.path(), "empty.pem", "");
        let absent = folder.path().join("absent.pem");

        let off = || ClientAuth::Off;
        let required = |file: &PathBuf| ClientAuth::Required(file.clone());
        let cases = [
            (&certificate, &key, off(), None),
            (&certificate, &key, required(&certificate), None),
            (&absent, &key, off(), Some((&absent, "No such file"))),
            (&empty, &key, off(), Some((&empty, "no certificate"))),
            (&key, &key, off(), Some((&key, "no certificate"))),
            (
                &certificate,
                &absent,
                off(),
                Some((&absent, "No such file")),
            ),
            (
                &certificate,
                &certificate,
                off(),
                Some((&certificate, "no private key")),
            ),
            (
                &certificate,
                &strange_key,
                off(),
                Some((&strange_key, "does not belong")),
            ),
            (
                &certificate,
                &key,
                required(&empty),
                Some((&empty, "no certificate")),
            ),
        ];
        for (certificate, private_key, client_auth, fault) in cases {
            let files = ServerFiles {
                certificate: certificate.clone(),
                private_key: private_key.clone(),
                client_auth,
            };
            match (ServerTls::load(&files), fault) {
                (Ok(_), None) => {}
                (Err(found), Some((file, what))) => {
                    assert_eq!(&found.file, file);
                    assert!(found.what.contains(what), "{found}");
                }
                (loaded, fault) => panic!("{files:?}: {loaded:?}, not {fault:?}"),
            }
        }
    }

    #[test]
    fn towards_an_upstream_a_certificate_needs_its_key() {
        install_provider();
        let file = Path::new("agency.pem");
        assert!(client_config(ClientFiles::default()).is_ok());
        let halves = [(Some(file), None), (None, Some(file))];
        for (certificate, private_key) in halves {
            let files = ClientFiles {
                ca: None,
                certificate,
                private_key,
            };
            assert_eq!(client_config(files).unwrap_err().file, file);
        }
    }

    #[test]
    fn nothing_is_resumed_where_certificates_are_asked_for() {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        let good = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = write(folder.path(), "good.pem", &good.cert.pem());
        let private_key = write(folder.path(), "good.key", &good.signing_key.serialize_pem());
        for client_auth in [
            ClientAuth::Optional(certificate.clone()),
            ClientAuth::Required(certificate.clone()),
        ] {
            let files = ServerFiles {
                certificate: certificate.clone(),
                private_key: private_key.clone(),
                client_auth,
            };
            let config = ServerTls::load(&files).unwrap().current();
            assert_eq!(config.send_tls13_tickets, 0);
            assert!(!config.session_storage.can_cache());
            assert!(!config.ticketer.enabled());
        }
    }
}
