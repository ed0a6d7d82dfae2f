//! The servers that parties use.

use std::fmt;
use std::sync::Arc;

use actix_http::header::{HeaderValue, InvalidHeaderValue};
use metrics::HandshakeFailures;
use rustls::ClientConfig;
use rustls::client::Resumption;

use super::idle_times::IdleTimes;
use crate::config::{BaseUrl, Scheme};
use crate::tls::OutboundHandshakes;

/// The size of an origin's TLS session cache: the library keeps eight sessions per server.
const SESSIONS_MAX: usize = 8;

/// A server that one or more parties use: scheme, host, port and TLS.
///
/// Parties with the same `Arc<Origin>` share the connections of calls that may be repeated (`notice`, `prepay`).
/// Every party has its own circuit and its own limit of calls in flight. A worker's pool lives as long as its
/// `Arc<Origin>`.
pub struct Origin {
    pub(super) host_header: String,
    pub(super) target: Arc<Target>,
}

/// The part of an origin that its pools need. It does not keep the origin alive.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) idle_times: IdleTimes,
    pub(super) handshakes: OutboundHandshakes,
}

/// The security of an origin's connections.
pub(super) enum Security {
    /// `http`.
    Plain,
    /// `https`.
    Tls(Arc<ClientConfig>),
    /// `https` without a TLS configuration: no connection is ever opened.
    Unconfigured,
}

impl Origin {
    /// Returns the origin of a base URL. `tls` is used for `https` only and should offer the ALPN protocol `http/1.1`
    /// alone. Several origins may have the same `tls`, because each has its own session cache.
    ///
    /// # Errors
    ///
    /// When the URL's host is not valid in a `Host` header.
    pub fn new(
        base_url: &BaseUrl,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, InvalidHeaderValue> {
        Self::counting(base_url, tls, None)
    }

    /// As [`new`](Self::new); failed handshakes are counted in `failures`.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn counting(
        base_url: &BaseUrl,
        tls: Option<Arc<ClientConfig>>,
        failures: Option<HandshakeFailures>,
    ) -> Result<Self, InvalidHeaderValue> {
        let host_header = base_url.authority();
        // Only this check and `Party::endpoint` validate the parts of a request head.
        HeaderValue::from_str(&host_header)?;
        let security = match (base_url.scheme(), tls) {
            (Scheme::Http, _) => Security::Plain,
            (Scheme::Https, Some(config)) => Security::Tls(with_own_session_cache(&config)),
            (Scheme::Https, None) => Security::Unconfigured,
        };
        Ok(Self {
            host_header,
            target: Arc::new(Target {
                host: base_url.host().to_owned(),
                port: base_url.port(),
                security,
                idle_times: IdleTimes::new(),
                handshakes: OutboundHandshakes::new(failures),
            }),
        })
    }

    /// When the certificate ends that the server showed last, in seconds since 1970; `None` before the first
    /// handshake.
    pub fn server_not_after(&self) -> Option<i64> {
        self.target.handshakes.server_not_after()
    }
}

/// Returns the configuration with its own session cache. A shared one holds few servers and drops the oldest first,
/// so with many origins no session would be resumed.
fn with_own_session_cache(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    Arc::new(config)
}

/// The text omits the TLS configuration.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Origin").field(&self.host_header).finish()
    }
}
