//! A party that the gateway calls.

use std::sync::Arc;

use actix_http::uri::{InvalidUri, PathAndQuery};

use super::answer_memory::AnswerMemory;
use super::{ApiEndpoint, Circuit, Origin};

/// Kakao Pay or a biller as an upstream, shared by all workers.
///
/// A reload keeps the `Arc` of an unchanged party, and with it its connections. A changed party may keep its circuit.
#[derive(Debug)]
pub struct Party {
    label: String,
    path_prefix: String,
    answer_limit_bytes: usize,
    answer_memory: Arc<AnswerMemory>,
    circuit: Circuit,
    origin: Arc<Origin>,
}

impl Party {
    /// Creates a party. `label` is `kakao` or the biller's code, `path_prefix` is the path of its base URL, and
    /// `answer_limit_bytes` bounds the body of an answer.
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
            answer_memory: Arc::new(AnswerMemory::new(answer_limit_bytes)),
            circuit,
            origin,
        }
    }

    /// The party's label in metrics and logs: `kakao` or the biller's code.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The party's server.
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The party's circuit.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The limit of an answer's body in bytes.
    pub fn answer_limit_bytes(&self) -> usize {
        self.answer_limit_bytes
    }

    /// The memory that the party's large answers share.
    pub(super) const fn answer_memory(&self) -> &Arc<AnswerMemory> {
        &self.answer_memory
    }

    /// The bytes of the party's large answers that are being read or relayed.
    pub fn answer_bytes_in_flight(&self) -> usize {
        self.answer_memory.taken_bytes()
    }

    /// Returns the endpoint of an API, whose `path` begins with a slash and follows the base URL.
    ///
    /// # Errors
    ///
    /// When `path` is not valid in a URL.
    pub fn endpoint(&self, path: &str) -> Result<ApiEndpoint, InvalidUri> {
        let path = PathAndQuery::try_from(format!("{}{path}", self.path_prefix))?;
        Ok(ApiEndpoint::new(path.path(), &self.origin.host_header))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::config::BaseUrl;

    #[test]
    fn the_base_url_decides_the_host_header_and_the_path() {
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
            assert_eq!(endpoint, ApiEndpoint::new(path, host));
            assert_eq!(endpoint.path(), path);
        }
    }
}
