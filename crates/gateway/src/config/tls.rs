//! The TLS files of connections to Kakao Pay, to billers and to Redis.

use std::path::PathBuf;

use super::parse::diagnostics::TlsTable;
use super::parse::named_file;
use super::parse::section::Section;

/// The files of a TLS connection to an upstream. They are readable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Trusted root certificates, PEM; `None`: the public web roots.
    pub ca: Option<PathBuf>,
    /// The gateway's certificate chain, PEM; only together with `private_key`.
    pub certificate: Option<PathBuf>,
    /// The key of `certificate`, PEM.
    pub private_key: Option<PathBuf>,
}

impl UpstreamTls {
    /// Reads the three keys of this table; the caller calls [`Section::finish`].
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
            named_file::warn_if_readable_by_others(section, "private_key", path);
        }
        tls
    }

    /// Has the contents of the files checked; called for those that are used.
    pub(super) fn check_contents(&self, section: &Section<'_>) {
        section.document().name_tls_files(TlsTable {
            certificate: section.named_file("certificate", self.certificate.as_ref()),
            private_key: section.named_file("private_key", self.private_key.as_ref()),
            authorities: section.named_file("ca", self.ca.as_ref()),
        });
    }
}
