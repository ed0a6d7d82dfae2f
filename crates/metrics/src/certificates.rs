//! The expiry of certificates.

use std::collections::BTreeMap;

use crate::exposition::{Exposition, signed};
use crate::label::{CertificateUse, Label};
use crate::series::CERTIFICATE_EXPIRY;

/// When a certificate of a party expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateExpiry<'a> {
    /// `public` for the public listener, `redis`, `kakao`, or a registered biller's code.
    pub party: &'a str,
    /// What the certificate is for.
    pub usage: CertificateUse,
    /// The end of its validity, in Unix seconds.
    pub not_after: i64,
}

/// Exposes one series for each party and use. A biller's code may be one of the other parties' labels. A series must
/// not be exposed twice, so the earlier expiry is exposed.
pub(crate) fn expose(certificates: &[CertificateExpiry<'_>], exposition: &mut Exposition) {
    let mut first_ends: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for certificate in certificates {
        let labels = (certificate.party, certificate.usage.text());
        let first = first_ends.entry(labels).or_insert(certificate.not_after);
        *first = (*first).min(certificate.not_after);
    }
    for ((party, usage), not_after) in first_ends {
        let labels = [("party", party), ("use", usage)];
        exposition.gauge(&CERTIFICATE_EXPIRY, &labels, signed(not_after));
    }
}

impl CertificateUse {
    /// The value of the label `use`.
    pub fn as_str(self) -> &'static str {
        self.text()
    }
}
