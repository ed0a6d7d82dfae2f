//! The contents of one PEM file, which is read once.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::pem::{Error, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

use super::TlsFault;

/// The most bytes that are read from a file; chains and root bundles are far smaller.
const FILE_MAX_BYTES: u64 = 4 << 20;

/// A fingerprint of the TLS files of one party, by which a reload detects a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of files in a fixed order. `None`, an absent file, counts too.
    pub(super) fn of<'a>(files: impl IntoIterator<Item = Option<&'a Pem>>) -> Self {
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

/// The bytes of a file, which are overwritten when dropped because they may be a key.
pub(super) struct Pem {
    file: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl Pem {
    pub(super) fn read(file: &Path) -> Result<Self, TlsFault> {
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(file)
            .and_then(|open| open.take(FILE_MAX_BYTES).read_to_end(&mut bytes))
            .map_err(|error| TlsFault::new(file, error))?;
        Ok(Self {
            file: file.to_owned(),
            bytes,
        })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn fault(&self, what: impl std::fmt::Display) -> TlsFault {
        TlsFault::new(&self.file, what)
    }

    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
        let certificates = CertificateDer::pem_slice_iter(&self.bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.fault(pem_fault(&error)))?;
        if certificates.is_empty() {
            return Err(self.fault("no certificate in PEM form"));
        }
        Ok(certificates)
    }

    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            Error::NoItemsFound => self.fault("no private key in PEM form"),
            error => self.fault(pem_fault(&error)),
        })
    }

    pub(super) fn authorities(&self) -> Result<RootCertStore, TlsFault> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| self.fault(error))?;
        }
        Ok(roots)
    }

    /// The earliest expiry of the file's certificates, in seconds since 1970; `None` if none can be parsed.
    pub(super) fn not_after(&self) -> Option<i64> {
        let certificates = self.certificates().ok()?;
        let ends = certificates.iter().filter_map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            Some(certificate.validity().not_after.timestamp())
        });
        ends.min()
    }
}

fn pem_fault(error: &Error) -> String {
    format!("not in PEM form: {error}")
}

/// Returns the text of an error that rustls reports for a certificate and its key.
pub(super) fn key_fault(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key does not belong to the certificate".to_owned()
        }
        error => error.to_string(),
    }
}
