//! The proxies that are believed about a client's address.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::IpNet;

/// `listen.trusted_proxies` and `listen.proxy_protocol`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// The proxies' networks.
    pub networks: Vec<IpNet>,
    /// Whether every connection from them begins with a PROXY header.
    pub proxy_protocol: bool,
}

impl TrustedProxies {
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|net| net.contains(&address))
    }
}

/// The present proxies, which a reload replaces for later connections.
#[derive(Debug)]
pub(super) struct PresentProxies(RwLock<Arc<TrustedProxies>>);

impl PresentProxies {
    pub(super) fn new(proxies: TrustedProxies) -> Self {
        Self(RwLock::new(Arc::new(proxies)))
    }

    pub(super) fn get(&self) -> Arc<TrustedProxies> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn replace(&self, proxies: TrustedProxies) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(proxies);
    }
}
