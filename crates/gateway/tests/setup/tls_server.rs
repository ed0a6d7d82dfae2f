//! Billers with TLS.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use simulator::{Biller, BillerOptions};
use test_support::certificates::read_certificates;
use test_support::{Authority, Certificate};

/// Starts a biller with this certificate that asks for none.
pub fn biller(certificate: &Certificate) -> Biller {
    start(certificate, None, rustls::ALL_VERSIONS)
}

/// Starts a biller that requires client certificates of this authority.
pub fn biller_that_requires(
    clients: &Authority,
    certificate: &Certificate,
    versions: &[&'static SupportedProtocolVersion],
) -> Biller {
    start(certificate, Some(clients), versions)
}

fn start(
    certificate: &Certificate,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> Biller {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(read_certificates(&clients.ca()));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_file(&certificate.private_key).unwrap();
    let config = builder
        .with_single_cert(read_certificates(&certificate.chain), key)
        .unwrap();
    Biller::start(BillerOptions {
        tls: Some(Arc::new(config)),
        ..BillerOptions::default()
    })
    .unwrap()
}

/// Returns a time so many days from now.
pub fn in_days(days: u64) -> SystemTime {
    SystemTime::now() + Duration::from_hours(24 * days)
}

/// Returns the seconds since 1970.
pub fn unix(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
