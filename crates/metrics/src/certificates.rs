//! The expiry of certificates.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use protocol::BillerCode;

use crate::exposition::{Exposition, signed};
use crate::series::CERTIFICATE_EXPIRY;

/// A configured file of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certificate {
    /// `listen.tls.certificate`.
    Listener,
    /// `listen.tls.client_ca`.
    ClientCa,
    /// `kakao.tls.certificate`.
    KakaoClient,
    /// `kakao.tls.ca`.
    KakaoCa,
    /// The file in the `tls` table of a registered biller.
    Biller(BillerCode),
}

impl Certificate {
    fn label(&self) -> &str {
        match self {
            Self::Listener => "listener",
            Self::ClientCa => "client_ca",
            Self::KakaoClient => "kakao_client",
            Self::KakaoCa => "kakao_ca",
            Self::Biller(code) => code.as_str(),
        }
    }
}

/// The earliest expiry per file in use.
#[derive(Default)]
pub(crate) struct Certificates(Mutex<BTreeMap<Certificate, i64>>);

impl Certificates {
    pub(crate) fn set(&self, certificate: Certificate, not_after: i64) {
        self.with(|ends| ends.insert(certificate, not_after));
    }

    pub(crate) fn remove(&self, certificate: Certificate) {
        self.with(|ends| ends.remove(&certificate));
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<Certificate, i64>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        let ends = self.with(|ends| ends.clone());
        // A biller's code may be one of the other labels. A series must not be exposed twice, so the
        // earlier expiry is exposed.
        let mut by_label: BTreeMap<&str, i64> = BTreeMap::new();
        for (certificate, not_after) in &ends {
            let first = by_label.entry(certificate.label()).or_insert(*not_after);
            *first = (*first).min(*not_after);
        }
        for (label, not_after) in by_label {
            exposition.gauge(
                &CERTIFICATE_EXPIRY,
                &[("certificate", label)],
                signed(not_after),
            );
        }
    }
}
