//! The trust in an open connection's client, which a reload can end.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::{LoadedServerTls, ServerTls};

/// Whether the client of an open connection is still trusted. The removal of an authority by a reload applies at
/// once, to open connections as well as to new ones.
#[derive(Debug)]
pub struct ClientTrust {
    tls: Arc<ServerTls>,
    /// The TLS settings of the last check.
    checked_against: RefCell<Arc<LoadedServerTls>>,
    is_valid: Cell<bool>,
    chain: Box<[CertificateDer<'static>]>,
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
            is_valid: Cell::new(true),
            chain,
        }
    }

    /// Whether the client would pass the handshake now.
    pub fn is_valid(&self) -> bool {
        let current = self.tls.current();
        let mut checked_against = self.checked_against.borrow_mut();
        if !Arc::ptr_eq(&checked_against, &current) {
            self.is_valid.set(current.accepts(&self.chain));
            *checked_against = current;
        }
        self.is_valid.get()
    }
}
