//! An upstream party.

use std::sync::Arc;

use actix_http::uri::{InvalidUri, PathAndQuery};

use super::{Circuit, Endpoint, Origin};

/// Kakao Pay or a biller, as every worker sees it.
///
/// On a reload, keep the `Arc` of a party that did not change. A changed party may take its circuit along.
#[derive(Debug)]
pub struct Party {
    label: String,
    path_prefix: String,
    answer_limit_bytes: usize,
    circuit: Circuit,
    origin: Arc<Origin>,
}

impl Party {
    /// `label` is `kakao` or the biller's code. `path_prefix` is what of its base URL comes before the
    /// paths of the APIs. `answer_limit_bytes` bounds an answer's body.
    pub fn new(
        label: &str,
        origin: Arc<Origin>,
        path_prefix: &str,
        answer_limit_bytes: usize,
        circuit: Circuit,
    ) -> Self {
        Self {
            label: label.to_owned(),
            path_prefix: path_prefix.to_owned(),
            answer_limit_bytes,
            circuit,
            origin,
        }
    }

    /// `kakao` or the biller's code: the label of its metrics.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The server it is at.
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
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
        Ok(Endpoint::new(path.path(), &self.origin.host_header))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::config::BaseUrl;

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
            let origin = Arc::new(Origin::new(&base_url, None).unwrap());
            let party = Party::new("kakao", origin, base_url.path_prefix(), 1, circuit);
            let endpoint = party.endpoint("/x").unwrap();
            assert_eq!(endpoint, Endpoint::new(path, host));
            assert_eq!(endpoint.path(), path);
        }
    }
}
