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
            if base_url
                .as_ref()
                .is_some_and(|url| url.scheme() == Scheme::Https)
            {
                tls.check_contents(&table);
            }
            table.finish();
            tls
        });
        let base_url = base_url?;
        warn_of_own_path(section, &base_url);
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

/// The paths of the guide that the gateway appends to base URLs.
const GUIDE_PATHS: [&str; 5] = [
    "/kakao/notice",
    "/kakao/prepay",
    "/kakao/pay-result",
    "/external/inquiry-payment/one-time/url",
    "/external/inquiry-payment/one-time/url/re",
];

/// Warns of a base URL that already ends in a path that the gateway appends.
fn warn_of_own_path(section: &Section<'_>, base_url: &BaseUrl) {
    let prefix = base_url.path_prefix();
    if let Some(path) = GUIDE_PATHS.into_iter().find(|path| prefix.ends_with(path)) {
        let url = base_url.to_string();
        let before = url.strip_suffix(path).unwrap_or(&url);
        let message = format!(
            "ends in `{path}`, which the gateway appends itself: `{url}{path}` would be called; \
             `{before}` is probably meant"
        );
        section.warn("base_url", message);
    }
}
