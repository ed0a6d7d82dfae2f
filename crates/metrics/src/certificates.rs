//! When certificates end.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use protocol::BillerCode;

use crate::exposition::Exposition;
use crate::series::{CERTIFICATE_EXPIRY, signed};

/// Whose certificates a file holds.
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
    /// What the `tls` table of a registered biller names.
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

/// The earliest end per file; as many as there are files in use.
#[derive(Default)]
pub(crate) struct Certificates(Mutex<BTreeMap<Certificate, i64>>);

impl Certificates {
    pub(crate) fn set(&self, certificate: Certificate, not_after: i64) {
        self.with(|ends| ends.insert(certificate, not_after));
    }

    pub(crate) fn forget(&self, certificate: Certificate) {
        self.with(|ends| ends.remove(&certificate));
    }

    fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<Certificate, i64>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        let ends = self.with(|ends| ends.clone());
        // A biller may have one of our words for its code. A series may come once only: the
        // certificate that ends first is the one to hear of.
        let mut by_label: BTreeMap<&str, i64> = BTreeMap::new();
        for (certificate, not_after) in &ends {
            let first = by_label.entry(certificate.label()).or_insert(*not_after);
            *first = (*first).min(*not_after);
        }
        for (label, not_after) in by_label {
            CERTIFICATE_EXPIRY.show(&[("certificate", label)], signed(not_after), exposition);
        }
    }
}
