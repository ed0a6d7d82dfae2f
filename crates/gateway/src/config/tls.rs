//! The TLS keys of a connection that the gateway opens: to Kakao Pay, to a biller, to Redis.

use std::path::PathBuf;

use super::named_file;
use super::section::Section;

/// Files for a TLS connection to an upstream. That they can be read is known; what is in them is
/// not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Roots to trust, PEM; `None`: the public web roots.
    pub ca: Option<PathBuf>,
    /// The gateway's own certificate chain, PEM; always together with `private_key`.
    pub certificate: Option<PathBuf>,
    /// The key of `certificate`, PEM.
    pub private_key: Option<PathBuf>,
}

impl UpstreamTls {
    /// The three keys of this table; the caller finishes it.
    pub(super) fn read_keys(section: &mut Section<'_>) -> Self {
        for (key, partner) in [
            ("certificate", "private_key"),
            ("private_key", "certificate"),
        ] {
            if section.has(key) && !section.has(partner) {
                section.fault(key, format!("needs `{partner}` beside it"));
            }
        }
        let tls = Self {
            ca: named_file::readable(section, "ca"),
            certificate: named_file::readable(section, "certificate"),
            private_key: named_file::readable(section, "private_key"),
        };
        if let Some(path) = &tls.private_key {
            named_file::warn_if_exposed(section, "private_key", path);
        }
        tls
    }
}
