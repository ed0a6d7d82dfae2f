//! An upstream party.

use std::fmt;
use std::sync::Arc;

use actix_http::header::{HeaderValue, InvalidHeaderValue};
use actix_http::uri::{InvalidUri, PathAndQuery};
use rustls::ClientConfig;

use super::{Circuit, Endpoint};
use crate::config::BaseUrl;

/// Kakao Pay or a biller, as every worker sees it.
///
/// A worker's pool of connections lives as long as the `Arc<Party>` it was made for: on a reload,
/// keep the `Arc` of a party that did not change. A changed party may take its circuit along.
pub struct Party {
    label: String,
    path_prefix: String,
    host_header: String,
    answer_limit_bytes: usize,
    circuit: Circuit,
    pub(super) target: Arc<Target>,
}

/// Where and how a connection is opened; all that the connector needs of a party.
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
    /// `https`, and nothing to do it with: such a party is never reached.
    Unconfigured,
}

impl Party {
    /// `label` is `kakao` or the biller's code. `tls` is used for `https` only and should offer
    /// ALPN `http/1.1` and nothing else. `answer_limit_bytes` bounds an answer's body.
    ///
    /// # Errors
    ///
    /// When the URL's host cannot stand in a `Host` header.
    pub fn new(
        label: &str,
        base_url: &BaseUrl,
        tls: Option<Arc<ClientConfig>>,
        answer_limit_bytes: usize,
        circuit: Circuit,
    ) -> Result<Self, InvalidHeaderValue> {
        let host_header = base_url.authority();
        // What goes into a head is looked at once, here and in `endpoint`.
        HeaderValue::from_str(&host_header)?;
        let security = match (base_url.scheme().as_str(), tls) {
            ("http", _) => Security::Clear,
            (_, Some(config)) => Security::Tls(config),
            (_, None) => Security::Unconfigured,
        };
        Ok(Self {
            label: label.to_owned(),
            path_prefix: base_url.path_prefix().to_owned(),
            host_header,
            answer_limit_bytes,
            circuit,
            target: Arc::new(Target {
                host: base_url.host().to_owned(),
                port: base_url.port(),
                security,
            }),
        })
    }

    /// `kakao` or the biller's code: the label of its metrics.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The party's circuit.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The most that an answer's body may have.
    pub fn answer_limit_bytes(&self) -> usize {
        self.answer_limit_bytes
    }

    /// Where an API is, under the base URL.
    ///
    /// # Errors
    ///
    /// When `path`, which begins with a slash, holds what a path cannot.
    pub fn endpoint(&self, path: &str) -> Result<Endpoint, InvalidUri> {
        let path = PathAndQuery::try_from(format!("{}{path}", self.path_prefix))?;
        Ok(Endpoint::new(path.path(), &self.host_header))
    }
}

/// Without the TLS configuration.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party")
            .field("label", &self.label)
            .field("host_header", &self.host_header)
            .field("path_prefix", &self.path_prefix)
            .field("answer_limit_bytes", &self.answer_limit_bytes)
            .field("circuit", &self.circuit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_base_url_tells_host_header_and_address() {
        for (base_url, host, path) in [
            ("http://a.example", "a.example", "/x"),
            ("http://a.example:443", "a.example:443", "/x"),
            ("https://a.example:443/v1", "a.example", "/v1/x"),
            ("https://a.example:80", "a.example:80", "/x"),
            ("https://[::1]:8443", "[::1]:8443", "/x"),
        ] {
            let circuit = Circuit::new(1, Duration::ZERO);
            let base_url = BaseUrl::parse(base_url).unwrap();
            let party = Party::new("kakao", &base_url, None, 1, circuit).unwrap();
            let endpoint = party.endpoint("/x").unwrap();
            assert_eq!(endpoint, Endpoint::new(path, host));
            assert_eq!(endpoint.path(), path);
        }
    }
}
