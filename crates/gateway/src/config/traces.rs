//! The export of traces.

use super::parse::base_url::BaseUrl;
use super::parse::section::Section;

/// The table `[tracing]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// The base URL of an OTLP/HTTP collector, without `/v1/traces`; `None`: nothing is exported.
    pub otlp_endpoint: Option<BaseUrl>,
}

impl Traces {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let otlp_endpoint = section.optional("otlp_endpoint", BaseUrl::read);
        section.finish();
        Self { otlp_endpoint }
    }
}
