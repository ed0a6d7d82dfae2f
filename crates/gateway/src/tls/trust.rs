//! The trust in an open connection's client, which a reload or the expiry of its certificate ends.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls_pki_types::CertificateDer;
use tokio::time::Instant;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::{LoadedServerTls, ServerTls};

/// When a certificate whose expiry cannot be read is verified again.
const UNREADABLE_EXPIRY: Duration = Duration::from_mins(1);

/// Whether the client of an open connection would still pass the TLS handshake. The removal of an authority, a
/// certificate that is now required, and the expiry of the client's certificate apply to open connections at once.
#[derive(Debug)]
pub struct ClientTrust {
    tls: Arc<ServerTls>,
    /// The TLS settings of the last check.
    checked_against: RefCell<Arc<LoadedServerTls>>,
    /// The next expiry in the chain after the last check.
    expiry: Cell<Option<Expiry>>,
    is_valid: Cell<bool>,
    chain: Box<[CertificateDer<'static>]>,
}

/// The moment when a certificate expires. The wall clock decides; the timer wakes an idle connection.
#[derive(Clone, Copy, Debug)]
struct Expiry {
    time: SystemTime,
    timer: Instant,
}

impl ClientTrust {
    /// A client that passed the handshake of `checked_against` with this chain, which is empty without a certificate.
    pub fn new(
        tls: Arc<ServerTls>,
        checked_against: Arc<LoadedServerTls>,
        chain: Box<[CertificateDer<'static>]>,
    ) -> Self {
        Self {
            tls,
            checked_against: RefCell::new(checked_against),
            expiry: Cell::new(next_expiry(&chain)),
            is_valid: Cell::new(true),
            chain,
        }
    }

    /// Whether the client would pass the handshake now.
    pub fn is_valid(&self) -> bool {
        let current = self.tls.current();
        let mut checked_against = self.checked_against.borrow_mut();
        let has_expired = || {
            (self.expiry.get()).is_some_and(|expiry| {
                SystemTime::now() >= expiry.time || Instant::now() >= expiry.timer
            })
        };
        if !Arc::ptr_eq(&checked_against, &current) || has_expired() {
            self.is_valid.set(current.accepts(&self.chain));
            self.expiry.set(next_expiry(&self.chain));
            *checked_against = current;
        }
        self.is_valid.get()
    }

    /// Whether the client's certificate counts: the listener verified it at the last check. `false` after a reload
    /// with `client_auth = "off"`, for nobody could present it now.
    pub fn has_verified_certificate(&self) -> bool {
        self.checked_against.borrow().verifies_clients()
    }

    /// When a certificate of the chain expires; [`is_valid`](Self::is_valid) then tells whether it was needed.
    pub fn expires_at(&self) -> Option<Instant> {
        self.expiry.get().map(|expiry| expiry.timer)
    }
}

/// Returns the next expiry of these certificates, which lies ahead.
fn next_expiry(chain: &[CertificateDer<'static>]) -> Option<Expiry> {
    if chain.is_empty() {
        return None;
    }
    let now = SystemTime::now();
    let ends = chain
        .iter()
        .map(|certificate| expiry(certificate).unwrap_or_else(|| now + UNREADABLE_EXPIRY));
    let time = ends.filter(|end| *end > now).min()?;
    let timer = Instant::now() + time.duration_since(now).unwrap_or_default();
    Some(Expiry { time, timer })
}

/// Returns the first moment in which the certificate is not valid any more: it is during the second that it names.
fn expiry(certificate: &CertificateDer<'_>) -> Option<SystemTime> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let not_after = certificate.validity().not_after.timestamp();
    let seconds = u64::try_from(not_after).ok()?.saturating_add(1);
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
