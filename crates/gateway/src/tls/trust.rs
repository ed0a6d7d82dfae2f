//! What a connection was let in by, and whether that still holds.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

use super::{ServerSide, ServerTls};

/// A caller's standing on the connection that it opened. Authorities that a reload took out stop at once,
/// on connections that are open as on new ones.
#[derive(Debug)]
pub struct Trust {
    tls: Arc<ServerTls>,
    /// The side that judged last.
    judge: RefCell<Arc<ServerSide>>,
    holds: Cell<bool>,
    chain: Box<[CertificateDer<'static>]>,
}

impl Trust {
    /// Of a connection that `judge`'s handshake let in with this chain; empty where it showed none.
    pub fn new(
        tls: Arc<ServerTls>,
        judge: Arc<ServerSide>,
        chain: Box<[CertificateDer<'static>]>,
    ) -> Self {
        Self {
            tls,
            judge: RefCell::new(judge),
            holds: Cell::new(true),
            chain,
        }
    }

    /// Whether the connection would be let in now.
    pub fn holds(&self) -> bool {
        let current = self.tls.current();
        let mut judge = self.judge.borrow_mut();
        if !Arc::ptr_eq(&judge, &current) {
            self.holds.set(current.trusts(&self.chain));
            *judge = current;
        }
        self.holds.get()
    }
}
