//! The `[ledger]` table as options of the ledger, and the ledger's metrics.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ledger::redis::{self, OutOfReach, Password, ServerAddress, ValueKey, WallClock};
use ledger::{Timestamp, UpgradeProgress};
use metrics::{CertificateUse, LedgerOperation, Metrics};

use protocol::BillerCode;

use crate::config::{Config, HostPort, RedisSettings, Topology, UpstreamTls};
use crate::progress_bar::{ProgressBar, Unit};
use crate::tls::{self, ClientFiles};

/// Returns the options that open the ledger.
pub(super) fn ledger_options(
    settings: &Config,
    metrics: &Arc<Metrics>,
) -> Result<ledger::Options, Box<dyn Error>> {
    let ledger = &settings.ledger;
    Ok(ledger::Options {
        directory: ledger.path.clone(),
        retention: ledger.retention,
        retention_paid: ledger.retention_paid,
        keep_bodies: ledger.keep_bodies,
        cache_bytes: ledger.cache_bytes,
        low_disk_bytes: ledger.low_disk_bytes as u64,
        redis: ledger.redis.as_ref().map(redis_settings).transpose()?,
        observer: Some(Arc::new(LedgerObserver {
            metrics: Arc::clone(metrics),
            upgrade: ProgressBar::new(Unit::Count),
        })),
        clock: WallClock(Timestamp::now),
    })
}

/// Returns the settings of `[ledger.redis]`.
fn redis_settings(redis: &RedisSettings) -> Result<redis::Settings, Box<dyn Error>> {
    let node = |node: &HostPort| ServerAddress {
        host: node.host().to_owned(),
        port: node.port(),
    };
    let nodes: Vec<ServerAddress> = redis.nodes.iter().map(node).collect();
    let topology = match (&redis.topology, nodes.first()) {
        (Topology::Sentinel { service }, _) => redis::Topology::Sentinel {
            service: service.clone(),
            nodes,
        },
        (Topology::Standalone, Some(only)) => redis::Topology::Standalone(only.clone()),
        (Topology::Standalone, None) => return Err("ledger.redis.url: names no server".into()),
        (Topology::Cluster, _) => redis::Topology::Cluster { nodes },
    };
    let tls = redis
        .tls
        .as_ref()
        .map(|files| tls::client_config(client_files(files)));
    Ok(redis::Settings {
        topology,
        database: redis.database,
        username: redis.username.clone(),
        password: redis
            .password
            .as_ref()
            .map(|secret| Password::new(secret.expose())),
        key_prefix: redis.key_prefix.clone(),
        value_key: redis
            .key_file
            .as_ref()
            .map(|secret| ValueKey::new(secret.expose())),
        tls: tls.transpose()?,
        timeout: redis::Settings::TIMEOUT,
    })
}

/// Returns the ends of the certificates of `[ledger.redis]`, in seconds since 1970. A restart replaces them.
pub(super) fn redis_certificates(
    settings: &Config,
) -> Result<Vec<(CertificateUse, i64)>, Box<dyn Error>> {
    let Some(files) = settings
        .ledger
        .redis
        .as_ref()
        .and_then(|redis| redis.tls.as_ref())
    else {
        return Ok(Vec::new());
    };
    let tls = client_files(files).read().and_then(|pems| pems.tls());
    let tls = tls.map_err(|fault| format!("ledger.redis: {fault}"))?;
    let ends = [
        (CertificateUse::Client, tls.certificate_not_after),
        (CertificateUse::Ca, tls.ca_not_after),
    ];
    let known = ends
        .into_iter()
        .filter_map(|(usage, end)| Some((usage, end?)));
    Ok(known.collect())
}

fn client_files(files: &UpstreamTls) -> ClientFiles<'_> {
    ClientFiles {
        ca: files.ca.as_deref(),
        certificate: files.certificate.as_deref(),
        private_key: files.private_key.as_deref(),
    }
}

/// Counts the operations of the ledger on Redis and on the journal, and shows how far an upgrade of the journal is.
struct LedgerObserver {
    metrics: Arc<Metrics>,
    upgrade: ProgressBar,
}

impl ledger::Observer for LedgerObserver {
    fn redis_operation(&self, took: Duration, reached: Result<(), OutOfReach>) {
        self.metrics.ledger_operation(LedgerOperation::Redis, took);
        if reached.is_err() {
            self.metrics.ledger_unavailable(LedgerOperation::Redis);
        }
    }

    fn payment_conflict(&self, biller: BillerCode) {
        self.metrics.double_payment_of(biller);
    }

    fn stamps_ahead(&self, number: u64) {
        self.metrics.stamps_ahead(number);
    }

    fn value_without_checksum(&self) {
        self.metrics.value_without_checksum();
    }

    fn upgrade_progress(&self, progress: Option<UpgradeProgress>) {
        match progress {
            Some(UpgradeProgress { what, done, of }) => {
                let count = |number: i64| u64::try_from(number).unwrap_or_default();
                self.upgrade.show(what, count(done), count(of));
            }
            None => self.upgrade.clear(),
        }
    }

    fn sync_batch(&self, took: Duration) {
        self.metrics.ledger_operation(LedgerOperation::Share, took);
    }

    fn journal_committed(&self, took: Duration) {
        self.metrics
            .ledger_operation(LedgerOperation::JournalCommit, took);
    }
}
