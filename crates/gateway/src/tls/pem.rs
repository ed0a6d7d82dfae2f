//! The contents of one PEM file, which is read once.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, RootCertStore};
use rustls_pki_types::pem::{Error, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::certificate::{self, CertificateFacts};
use super::contents::{self, Wanted};
use super::{TlsFault, provider};

/// The most bytes that are read from a file; chains and root bundles are far smaller.
const FILE_MAX_BYTES: u64 = 4 << 20;

/// A fingerprint of the TLS files of one party, by which a reload detects a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of files in a fixed order. `None`, an absent file, counts too.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = Option<&'a TlsFile>>) -> Self {
        let mut hasher = Sha256::new();
        for file in files {
            match file {
                None => hasher.update([0]),
                Some(pem) => {
                    hasher.update([1]);
                    hasher.update(Sha256::digest(&*pem.bytes));
                }
            }
        }
        Self(hasher.finalize().into())
    }
}

/// A file of certificates, or of a private key. Its bytes are overwritten when dropped because they may be a key.
pub struct TlsFile {
    file: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

/// The time in which a certificate is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The begin, in seconds since 1970.
    pub not_before: i64,
    /// The end, in seconds since 1970.
    pub not_after: i64,
    /// Whom the certificate names.
    pub subject: String,
}

impl TlsFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read(file: &Path) -> Result<Self, TlsFault> {
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(file)
            .and_then(|open| open.take(FILE_MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|error| TlsFault::new(file, format!("cannot be read: {error}")))?;
        Ok(Self {
            file: file.to_owned(),
            bytes,
        })
    }

    /// The file's path.
    pub fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn fault(&self, what: impl std::fmt::Display) -> TlsFault {
        TlsFault::new(&self.file, what)
    }

    /// Returns the certificates in their order; at least one, and each can be parsed.
    ///
    /// # Errors
    ///
    /// When the file holds something else, with the remedy.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        let found = contents::certificates(&self.bytes, &self.name());
        let certificates = found.map_err(|what| self.fault(what))?;
        for (index, der) in certificates.iter().enumerate() {
            if CertificateFacts::read(der).is_none() {
                return Err(self.fault(contents::broken_certificate(index + 1)));
            }
        }
        Ok(certificates)
    }

    /// Returns the chain that the gateway itself shows, with its own certificate first.
    ///
    /// # Errors
    ///
    /// As [`certificates`](Self::certificates), and when its own is older than X.509 version 3.
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        let chain = self.certificates()?;
        let own = chain.first().and_then(|der| CertificateFacts::read(der));
        if own.is_some_and(|own| own.version < 3) {
            return Err(self.fault(
                "is a certificate of X.509 version 1, which TLS no longer takes: have it issued as version 3, \
                 with its names as subjectAltName (`openssl req -addext`, `openssl x509 -req -copy_extensions copy`)",
            ));
        }
        Ok(chain)
    }

    /// Returns the private key.
    ///
    /// # Errors
    ///
    /// When the file holds something else, with the remedy.
    pub fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        let diagnosis = || contents::diagnosis(&self.bytes, Wanted::PrivateKey, &self.name());
        if contents::is_encrypted_in_place(&self.bytes) {
            return Err(self.fault(diagnosis()));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            Error::Base64Decode(_) => {
                self.fault("is cut or damaged: its text is no base64; copy the file again, whole")
            }
            _ => self.fault(diagnosis()),
        })?;
        let usable = provider().key_provider.load_private_key(key.clone_key());
        usable.map_err(|_| {
            self.fault(
                "is cut or damaged, or a key of a kind that is not supported: RSA with 2048 to 8192 bits, \
                 ECDSA P-256 or P-384, Ed25519 (`openssl pkey -noout -text` shows its kind)",
            )
        })?;
        Ok(key)
    }

    /// Returns the trusted authorities.
    ///
    /// # Errors
    ///
    /// As [`certificates`](Self::certificates).
    pub fn authorities(&self) -> Result<RootCertStore, TlsFault> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in self.certificates()?.into_iter().enumerate() {
            let added = roots.add(certificate);
            added.map_err(|error| {
                self.fault(format!(
                    "cannot be trusted: certificate {} in it: {error}",
                    index + 1
                ))
            })?;
        }
        Ok(roots)
    }

    /// Returns the validity that ends first in the file; `None` if no certificate can be parsed.
    pub fn first_end(&self) -> Option<Validity> {
        let certificates = contents::certificates(&self.bytes, &self.name()).ok()?;
        let facts = certificates
            .iter()
            .filter_map(|der| CertificateFacts::read(der));
        let first = facts.min_by_key(|facts| facts.not_after)?;
        Some(Validity {
            not_before: first.not_before,
            not_after: first.not_after,
            subject: first.subject,
        })
    }

    /// As [`first_end`](Self::first_end), its end only.
    pub(super) fn not_after(&self) -> Option<i64> {
        let certificates = contents::certificates(&self.bytes, &self.name()).ok()?;
        let ends = certificates
            .iter()
            .filter_map(|der| certificate::not_after(der));
        ends.min()
    }

    /// The file's path as commands name it.
    fn name(&self) -> String {
        self.file.display().to_string()
    }
}

/// Checks that a key belongs to the first certificate of a chain.
///
/// # Errors
///
/// When one of the two cannot be used, or the key belongs to another certificate.
pub fn check_pair(certificate: &TlsFile, key: &TlsFile) -> Result<(), TlsFault> {
    let (chain, private_key) = (certificate.chain()?, key.private_key()?);
    let matches = |chain: &[CertificateDer<'static>]| {
        CertifiedKey::from_der(chain.to_vec(), private_key.clone_key(), &provider())
    };
    let Err(error) = matches(&chain) else {
        return Ok(());
    };
    if !matches!(
        error,
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)
    ) {
        return Err(certificate.fault(format!("cannot be used: {error}")));
    }
    let later = (1..chain.len()).find(|at| matches(&chain[*at..=*at]).is_ok());
    Err(match later {
        Some(at) => certificate.fault(format!(
            "has its certificates in the wrong order: the key in `{}` belongs to certificate {}, which must come \
             first",
            key.name(),
            at + 1
        )),
        None => key.fault(format!(
            "does not belong to the certificate in `{}`: `openssl x509 -noout -pubkey -in CERTIFICATE` and \
             `openssl pkey -pubout -in KEY` must print the same",
            certificate.name()
        )),
    })
}

/// Returns the text of an error that rustls reports for a certificate and its key.
pub(super) fn key_fault(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => "does not belong to the certificate".to_owned(),
        error => error.to_string(),
    }
}
