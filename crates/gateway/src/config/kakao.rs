//! Kakao Pay as caller and as upstream.

use ipnet::IpNet;

use super::base_url::BaseUrl;
use super::bounds;
use super::section::Section;
use super::sha256::Sha256;
use super::tls::UpstreamTls;
use super::upstream::UpstreamSettings;
use super::value;

/// The table `[kakao]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kakao {
    /// Under which the two link APIs are found.
    pub base_url: BaseUrl,
    /// From where notice, prepay and pay-result may come; empty admits nobody.
    pub allow_from: Vec<IpNet>,
    /// Digests of the DER certificates that the caller may show; empty: not pinned.
    pub client_certificates: Vec<Sha256>,
    /// How to trust the upstream.
    pub tls: UpstreamTls,
}

impl Kakao {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let upstream = UpstreamSettings::read(&mut section);
        let allow_from = section.list("allow_from", bounds::NETWORKS, value::network);
        let client_certificates =
            section.list("client_certificates", bounds::DIGESTS, Sha256::read);
        if allow_from.is_empty() {
            section.warn(
                "allow_from",
                "is empty: every call of Kakao Pay will be answered E003",
            );
        }
        // Kakao Pay sends no Authorization: its address and its certificate are all there is.
        if client_certificates.is_empty() && allow_from.iter().any(|net| net.prefix_len() == 0) {
            section.warn(
                "allow_from",
                "admits every address and no certificate is pinned: anyone can report a payment",
            );
        }
        section.finish();
        let upstream = upstream?;
        Some(Self {
            base_url: upstream.base_url,
            allow_from,
            client_certificates,
            tls: upstream.tls,
        })
    }
}
