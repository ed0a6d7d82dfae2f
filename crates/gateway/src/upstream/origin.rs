//! Where parties are.

use std::fmt;
use std::sync::Arc;

use actix_http::header::{HeaderValue, InvalidHeaderValue};
use rustls::ClientConfig;
use rustls::client::Resumption;

use crate::config::{BaseUrl, Scheme};

/// Sessions of TLS that are kept of an origin: the library keeps eight of each server.
const SESSIONS: usize = 8;

/// A server that one or more parties are at: scheme, host and port, and what secures a connection to it.
///
/// Parties that have the same `Arc<Origin>` share the connections over which they are asked what changes
/// nothing (`notice`, `prepay`); what bounds a party's calls and watches over them stays the party's own. A
/// worker's pool lives as long as the `Arc<Origin>` it was made for.
pub struct Origin {
    pub(super) host_header: String,
    pub(super) target: Arc<Target>,
}

/// Where and how a connection is opened; all that dialling needs of an origin. It does not keep one alive.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

/// How a connection is secured.
pub(super) enum Security {
    /// `http`.
    Clear,
    /// `https`.
    Tls(Arc<ClientConfig>),
    /// `https`, and nothing to do it with: such an origin is never reached.
    Unconfigured,
}

impl Origin {
    /// The origin that a base URL is at. `tls` is used for `https` only and should offer ALPN `http/1.1`
    /// and nothing else; several origins may have the same, for each has its TLS sessions to itself.
    ///
    /// # Errors
    ///
    /// When the URL's host cannot stand in a `Host` header.
    pub fn new(
        base_url: &BaseUrl,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, InvalidHeaderValue> {
        let host_header = base_url.authority();
        // What goes into a head is looked at once, here and in `Party::endpoint`.
        HeaderValue::from_str(&host_header)?;
        let security = match (base_url.scheme(), tls) {
            (Scheme::Http, _) => Security::Clear,
            (Scheme::Https, Some(config)) => Security::Tls(with_own_sessions(&config)),
            (Scheme::Https, None) => Security::Unconfigured,
        };
        Ok(Self {
            host_header,
            target: Arc::new(Target {
                host: base_url.host().to_owned(),
                port: base_url.port(),
                security,
            }),
        })
    }
}

/// Sessions are kept for few servers, oldest out first: among many origins none would be resumed.
fn with_own_sessions(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.resumption = Resumption::in_memory_sessions(SESSIONS);
    Arc::new(config)
}

/// Without the TLS configuration.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.host_header).finish()
    }
}
