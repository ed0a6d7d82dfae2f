//! A reload: reads and builds everything first, then replaces the current state at once.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use actix_web::rt::task::spawn_blocking;
use ledger::Timestamp;
use metrics::ReloadResult;

use super::identity::Judged;
use super::left_behind;
use super::parties::parties;
use super::watch::WatchedFiles;
use super::{Gateway, server_tls, trusted_proxies};
use crate::config::{Config, Loaded};
use crate::refused;
use crate::state::{GatewayState, Parties};
use crate::tls::LoadedServerTls;

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
        let mut removed = Vec::new();
        for gone in old.registry.billers() {
            if new.registry.find(gone.code().as_str()).is_none() {
                removed.push(gone.code());
                metrics.remove_biller(gone.code());
            }
        }
        left_behind::warn_of(&self.shared, removed);
        if let (Some(tls), Some(loaded)) = (&self.tls, renewal.listener) {
            tls.replace(loaded);
        }
        self.settings = renewal.settings;
        self.public.trust_proxies(trusted_proxies(&self.settings));
    }
}

impl Renewal {
    fn read(file: &Path, settings: &Config, shared: &GatewayState) -> Result<Self, Box<dyn Error>> {
        let Loaded {
            config,
            mut billers,
            warnings,
            expiring,
            ..
        } = Config::load(file)?;
        let (settings, fixed) = settings.reloaded_with(config);
        let judged = Judged::of(&shared.ledger, &mut billers, Timestamp::now())?;
        if !judged.refused.is_empty() {
            let refused = judged.refused.iter().map(ToString::to_string);
            return Err(refused.collect::<Vec<_>>().join("\n").into());
        }
        let parties = parties(&settings, billers, &shared.metrics, Some(&shared.parties()))?;
        let listener = server_tls(&settings)?;
        for warning in warnings
            .iter()
            .chain(expiring.iter().map(|notice| &notice.diagnostic))
        {
            tracing::warn!(%warning, "configuration");
        }
        // Last, for what is kept as in force must come into force.
        judged.keep(&shared.ledger);
        // Before the new billers are served.
        refused::mark_bills_again(&shared.ledger, &parties.registry);
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
