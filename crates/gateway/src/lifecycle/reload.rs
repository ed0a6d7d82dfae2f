//! A reload: reads and builds everything first, then replaces the current state at once.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use actix_web::rt::task::spawn_blocking;
use metrics::{Certificate, Metrics, ReloadResult};

use super::parties::parties;
use super::watch::WatchedFiles;
use super::{Gateway, server_tls, trusted_proxies};
use crate::config::{Config, Loaded};
use crate::state::{GatewayState, Parties};
use crate::tls::{ClientTls, LoadedServerTls};

/// The complete new state.
struct Renewal {
    settings: Config,
    parties: Parties,
    listener: Option<LoadedServerTls>,
}

impl Gateway {
    /// Reads the configuration, the billers and every certificate again. Calls in flight keep what they started
    /// with; later calls use the new state. Any fault is logged and changes nothing.
    pub async fn reload(&mut self, file: &Path) {
        let (file, settings) = (file.to_owned(), self.settings.clone());
        let shared = Arc::clone(&self.shared);
        let renewal = spawn_blocking(move || {
            Renewal::read(&file, &settings, &shared).map_err(|fault| fault.to_string())
        });
        match renewal.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(renewal) => {
                self.renew(renewal);
                self.shared.metrics.reloaded(ReloadResult::Done);
                let billers = self.shared.parties().registry.billers().count();
                tracing::info!(billers, "configuration reloaded");
            }
            Err(faults) => {
                self.shared.metrics.reloaded(ReloadResult::Refused);
                tracing::error!(%faults, "configuration NOT reloaded: nothing changed");
            }
        }
    }

    /// Returns the files that a reload would read; `file` is the main one.
    pub fn files(&self, file: &Path) -> WatchedFiles {
        let parties = self.shared.parties();
        let billers = parties.registry.billers().map(|biller| &biller.settings);
        WatchedFiles {
            named: self.settings.named_files(file, billers),
            billers: self.settings.billers.directory.clone(),
        }
    }

    fn renew(&mut self, renewal: Renewal) {
        let metrics = &self.shared.metrics;
        let old = self.shared.replace_parties(renewal.parties);
        let new = self.shared.parties();
        for gone in old.registry.billers() {
            if new.registry.find(gone.code().as_str()).is_none() {
                metrics.remove_biller(gone.code());
                metrics.remove_certificate(Certificate::Biller(gone.code()));
            }
        }
        if let (Some(tls), Some(loaded)) = (&self.tls, renewal.listener) {
            tls.replace(loaded);
        }
        self.settings = renewal.settings;
        self.public.trust_proxies(trusted_proxies(&self.settings));
        self.show_certificates();
    }

    /// Sets the metrics of certificate expiry.
    pub(super) fn show_certificates(&self) {
        let metrics = &self.shared.metrics;
        let listener = self.tls.as_ref().map(|tls| tls.current());
        let ends = |end: fn(&LoadedServerTls) -> Option<i64>| listener.as_deref().and_then(end);
        show(
            metrics,
            Certificate::Listener,
            ends(|tls| tls.certificate_not_after),
        );
        show(
            metrics,
            Certificate::ClientCa,
            ends(|tls| tls.client_ca_not_after),
        );
        let parties = self.shared.parties();
        let kakao = parties.kakao.upstream.tls.as_ref();
        let own = kakao.and_then(|tls| tls.certificate_not_after);
        show(metrics, Certificate::KakaoClient, own);
        show(
            metrics,
            Certificate::KakaoCa,
            kakao.and_then(|tls| tls.ca_not_after),
        );
        for biller in parties.registry.billers() {
            let tls = biller.upstream.tls.as_ref();
            show(
                metrics,
                Certificate::Biller(biller.code()),
                tls.and_then(first_end),
            );
        }
    }
}

fn first_end(tls: &ClientTls) -> Option<i64> {
    let ends = [tls.certificate_not_after, tls.ca_not_after];
    ends.into_iter().flatten().min()
}

fn show(metrics: &Metrics, certificate: Certificate, not_after: Option<i64>) {
    match not_after {
        Some(not_after) => metrics.set_certificate_expiry(certificate, not_after),
        None => metrics.remove_certificate(certificate),
    }
}

impl Renewal {
    fn read(file: &Path, settings: &Config, shared: &GatewayState) -> Result<Self, Box<dyn Error>> {
        let Loaded {
            config,
            billers,
            warnings,
        } = Config::load(file)?;
        let (settings, fixed) = settings.reloaded_with(config);
        let parties = parties(&settings, billers, &shared.metrics, Some(&shared.parties()))?;
        let listener = server_tls(&settings)?;
        for warning in &warnings {
            tracing::warn!(%warning, "configuration");
        }
        if !fixed.is_empty() {
            let keys = fixed.join(", ");
            tracing::warn!(keys, "these keys changed; a restart applies them");
        }
        Ok(Self {
            settings,
            parties,
            listener,
        })
    }
}
