//! Certificates in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::hex;

/// An authority with its own root, which issues certificates.
pub struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::with(CertificateParams::new(Vec::new()).unwrap())
    }

    /// Makes one with a name of its own.
    pub fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        Self::with(params)
    }

    fn with(mut params: CertificateParams) -> Self {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    /// Returns the folder of all files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the file of the root.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Returns the file of the certificate that [`server`](Self::server) issues.
    pub fn server_certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// Returns the file of its key.
    pub fn server_key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    /// Issues one for a server on this machine.
    pub fn server(&self) -> Certificate {
        self.issue("server", ExtendedKeyUsagePurpose::ServerAuth, 2099)
    }

    /// Issues one for a party that calls.
    pub fn client(&self, name: &str) -> Certificate {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, 2099)
    }

    /// Issues an expired one for a party that calls.
    pub fn expired_client(&self, name: &str) -> Certificate {
        self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, 2020)
    }

    /// Issues one for a party that calls, which is valid for this many seconds beyond the present one; returns it and
    /// the first moment in which it has expired.
    pub fn client_for_seconds(&self, name: &str, seconds: u64) -> (Certificate, SystemTime) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let last = UNIX_EPOCH + Duration::from_secs(now.as_secs() + seconds);
        let mut params = params(name, ExtendedKeyUsagePurpose::ClientAuth, 2099);
        params.not_after = last.into();
        (self.sign(name, &params), last + Duration::from_secs(1))
    }

    /// Issues an expired one for a server.
    pub fn expired_server(&self, name: &str) -> Certificate {
        self.issue(name, ExtendedKeyUsagePurpose::ServerAuth, 2020)
    }

    /// Issues one for a server that ends at this time.
    pub fn server_until(&self, name: &str, end: SystemTime) -> Certificate {
        self.server_with(name, |params| params.not_after = end.into())
    }

    /// Issues one for a server, with other parameters.
    pub fn server_with(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Certificate {
        let mut params = params(name, ExtendedKeyUsagePurpose::ServerAuth, 2099);
        change(&mut params);
        self.sign(name, &params)
    }

    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose, until_year: i32) -> Certificate {
        self.sign(name, &params(name, usage, until_year))
    }

    fn sign(&self, name: &str, params: &CertificateParams) -> Certificate {
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let file = |extension: &str, pem: String| {
            let path = self.folder.path().join(format!("{name}.{extension}"));
            fs::write(&path, pem).unwrap();
            path
        };
        Certificate {
            chain: file("pem", signed.pem()),
            private_key: file("key", key.serialize_pem()),
            sha256: hex(&Sha256::digest(signed.der())),
        }
    }
}

fn params(name: &str, usage: ExtendedKeyUsagePurpose, until_year: i32) -> CertificateParams {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(until_year, 1, 1);
    params
}

/// A certificate and its key, as files.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub chain: PathBuf,
    pub private_key: PathBuf,
    /// The digest of the DER form, as configurations pin it.
    pub sha256: String,
}

impl Certificate {
    /// Returns the keys of a TLS table.
    pub fn toml(&self) -> String {
        let (certificate, key) = (self.chain.display(), self.private_key.display());
        format!("certificate = \"{certificate}\"\nprivate_key = \"{key}\"\n")
    }
}

/// Reads every certificate of a file.
pub fn read_certificates(file: &Path) -> Vec<CertificateDer<'static>> {
    let certificates = CertificateDer::pem_file_iter(file).unwrap();
    certificates.map(Result::unwrap).collect()
}
