//! The settings that Kakao Pay and billers share as upstreams.

use super::parse::base_url::{BaseUrl, Scheme};
use super::parse::section::Section;
use super::tls::UpstreamTls;

/// An upstream's base URL and TLS files.
pub(super) struct UpstreamSettings {
    pub(super) base_url: BaseUrl,
    pub(super) tls: UpstreamTls,
}

impl UpstreamSettings {
    /// Reads `base_url` and the table `tls`.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let base_url = section.required("base_url", BaseUrl::read);
        let tls = section.optional_table("tls").map(|mut table| {
            let tls = UpstreamTls::read_keys(&mut table);
            table.finish();
            tls
        });
        let base_url = base_url?;
        if base_url.scheme() == Scheme::Http {
            if tls.is_some() {
                section.warn("tls", "is not used: `base_url` is http");
            }
            if !base_url.endpoint().is_loopback() {
                section.warn(
                    "base_url",
                    "is http: bills and payments are sent unencrypted",
                );
            }
        }
        Some(Self {
            base_url,
            tls: tls.unwrap_or_default(),
        })
    }
}
