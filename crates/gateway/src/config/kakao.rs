//! Kakao Pay as a caller and as an upstream.

use ipnet::IpNet;

use super::parse::base_url::BaseUrl;
use super::parse::bounds;
use super::parse::section::Section;
use super::parse::sha256::{Digested, Sha256};
use super::parse::value;
use super::tls::UpstreamTls;
use super::upstream::UpstreamSettings;

/// The table `[kakao]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kakao {
    /// The base URL of the two link APIs.
    pub base_url: BaseUrl,
    /// Source addresses of notice, prepay and pay-result; empty: none is allowed.
    pub allow_from: Vec<IpNet>,
    /// Digests of the client certificates (DER) that it may use; empty: not pinned.
    pub client_certificates: Vec<Sha256>,
    /// TLS files for connections to it.
    pub tls: UpstreamTls,
}

impl Kakao {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let upstream = UpstreamSettings::read(&mut section);
        let allow_from = section.list("allow_from", bounds::NETWORKS, value::network);
        let client_certificates = section.list("client_certificates", bounds::DIGESTS, |value| {
            Sha256::read(value, Digested::Certificate)
        });
        if allow_from.is_empty() {
            section.warn(
                "allow_from",
                "is empty: every call of Kakao Pay will be answered E003",
            );
        }
        // Kakao Pay sends no `Authorization`: only its address and its certificate identify it.
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
