//! One PEM file, read once and then used for everything.

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

/// The most that is read of a file: chains and root bundles are far smaller.
const FILE_BYTES: u64 = 4 << 20;

/// What the TLS files of one party held, to tell at a reload whether they hold something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of files in a fixed order; an absent one counts as such.
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

/// A file's bytes; overwritten when dropped, for they may be a key.
pub(super) struct Pem {
    file: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl Pem {
    pub(super) fn read(file: &Path) -> Result<Self, TlsFault> {
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(file)
            .and_then(|open| open.take(FILE_BYTES).read_to_end(&mut bytes))
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
            .map_err(|error| self.fault(format_fault(&error)))?;
        if certificates.is_empty() {
            return Err(self.fault("no certificate in PEM form"));
        }
        Ok(certificates)
    }

    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsFault> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            Error::NoItemsFound => self.fault("no private key in PEM form"),
            error => self.fault(format_fault(&error)),
        })
    }

    pub(super) fn authorities(&self) -> Result<RootCertStore, TlsFault> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| self.fault(error))?;
        }
        Ok(roots)
    }

    /// When the first of its certificates ends, in seconds since 1970; `None` where none says so in a
    /// way that can be read.
    pub(super) fn not_after(&self) -> Option<i64> {
        let certificates = self.certificates().ok()?;
        let ends = certificates.iter().filter_map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            Some(certificate.validity().not_after.timestamp())
        });
        ends.min()
    }
}

fn format_fault(error: &Error) -> String {
    format!("not in PEM form: {error}")
}

/// What rustls says of a certificate and a key that are used together.
pub(super) fn key_fault(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "the key does not belong to the certificate".to_owned()
        }
        error => error.to_string(),
    }
}
