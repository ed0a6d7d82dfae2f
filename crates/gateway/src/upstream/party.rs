//! An upstream party.

use std::fmt;
use std::sync::Arc;

use actix_http::Uri;
use actix_http::header::{HeaderValue, InvalidHeaderValue};
use actix_http::uri::InvalidUri;
use rustls::ClientConfig;

use super::Circuit;
use crate::config::BaseUrl;

/// Kakao Pay or a biller, as every worker sees it.
///
/// A worker's pool of connections lives as long as the `Arc<Party>` it was made for: on a reload,
/// keep the `Arc` of a party that did not change. A changed party may take its circuit along.
pub struct Party {
    label: String,
    uri_base: String,
    answer_limit_bytes: usize,
    circuit: Circuit,
    pub(super) target: Arc<Target>,
}

/// Where and how a connection is opened; all that the connector needs of a party.
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) host_header: HeaderValue,
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
        let authority = base_url.authority();
        let security = match (base_url.scheme().as_str(), tls) {
            ("http", _) => Security::Clear,
            (_, Some(config)) => Security::Tls(config),
            (_, None) => Security::Unconfigured,
        };
        Ok(Self {
            label: label.to_owned(),
            uri_base: format!("http://{authority}{}", base_url.path_prefix()),
            answer_limit_bytes,
            circuit,
            target: Arc::new(Target {
                host: base_url.host().to_owned(),
                port: base_url.port(),
                host_header: HeaderValue::from_str(&authority)?,
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

    /// The address of an API under the base URL, to be kept where `path` is fixed. It always says
    /// `http`: TLS is our connector's business, not the client's.
    ///
    /// # Errors
    ///
    /// When `path`, which begins with a slash, holds what a path cannot.
    pub fn uri(&self, path: &str) -> Result<Uri, InvalidUri> {
        Uri::try_from(format!("{}{path}", self.uri_base))
    }
}

/// Without the TLS configuration.
impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Party")
            .field("label", &self.label)
            .field("uri_base", &self.uri_base)
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
        for (base_url, host, uri) in [
            ("http://a.example", "a.example", "http://a.example/x"),
            (
                "http://a.example:443",
                "a.example:443",
                "http://a.example:443/x",
            ),
            (
                "https://a.example:443/v1",
                "a.example",
                "http://a.example/v1/x",
            ),
            (
                "https://a.example:80",
                "a.example:80",
                "http://a.example:80/x",
            ),
            ("https://[::1]:8443", "[::1]:8443", "http://[::1]:8443/x"),
        ] {
            let circuit = Circuit::new(1, Duration::ZERO);
            let base_url = BaseUrl::parse(base_url).unwrap();
            let party = Party::new("kakao", &base_url, None, 1, circuit).unwrap();
            assert_eq!(party.target.host_header, host);
            assert_eq!(party.uri("/x").unwrap().to_string(), uri);
        }
    }
}
