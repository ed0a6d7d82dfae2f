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
    let redis = ledger.redis.as_ref();
    // What has no meaning without Redis is as the ledger itself has it.
    let embedded = ledger::Options::embedded(ledger.path.clone());
    Ok(ledger::Options {
        directory: ledger.path.clone(),
        retention: ledger.retention,
        retention_paid: ledger.retention_paid,
        keep_bodies: ledger.keep_bodies,
        cache_bytes: ledger.cache_bytes,
        low_disk_bytes: ledger.low_disk_bytes as u64,
        copies: ledger.copies,
        keep_values: redis.map_or(embedded.keep_values, |redis| redis.keep),
        stream_bytes: redis.map_or(embedded.stream_bytes, |redis| redis.stream_bytes as u64),
        wait_replicas: redis.map_or(embedded.wait_replicas, |redis| redis.wait_replicas),
        takes_over_after: embedded.takes_over_after,
        redis: redis.map(redis_settings).transpose()?,
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

    fn payment_on_one_disk(&self) {
        self.metrics.payment_on_one_disk();
    }

    fn entry_refused(&self) {
        self.metrics.replication_entry_refused();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ledger::Copies;
    use metrics::GatewayStatus;

    use super::*;

    /// Returns the options of a configuration with these tables.
    fn options(tables: &str) -> (ledger::Options, Arc<Metrics>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        let kakao = "[kakao]\nbase_url = 'http://127.0.0.1:9001'";
        std::fs::create_dir(folder.path().join("billers")).unwrap();
        std::fs::write(&file, format!("{kakao}\n{tables}")).unwrap();
        let metrics = Metrics::new(Duration::from_secs(3));
        let config = Config::load(&file).unwrap().config;
        (ledger_options(&config, &metrics).unwrap(), metrics)
    }

    #[test]
    fn what_is_set_for_redis_reaches_the_ledger() {
        let (options, _) = options(
            "[ledger]\ncopies = 1\n[ledger.redis]\nurl = 'redis://h'\nkeep = '7s'\nstream = '3MiB'\nwait_replicas = 2",
        );
        assert_eq!(options.copies, Copies::One);
        assert_eq!(options.keep_values, Duration::from_secs(7));
        assert_eq!(options.stream_bytes, 3 << 20);
        assert_eq!(options.wait_replicas, 2);
        assert!(options.redis.is_some());
    }

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_ledger() {
        for tables in ["", "[ledger.redis]\nurl = 'redis://h'"] {
            let (options, _) = options(tables);
            let embedded = ledger::Options::embedded(options.directory.clone());
            assert_eq!(options.retention, embedded.retention, "{tables}");
            assert_eq!(options.retention_paid, embedded.retention_paid, "{tables}");
            assert_eq!(options.keep_bodies, embedded.keep_bodies, "{tables}");
            assert_eq!(options.cache_bytes, embedded.cache_bytes, "{tables}");
            assert_eq!(options.low_disk_bytes, embedded.low_disk_bytes, "{tables}");
            assert_eq!(options.copies, embedded.copies, "{tables}");
            assert_eq!(options.keep_values, embedded.keep_values, "{tables}");
            assert_eq!(options.stream_bytes, embedded.stream_bytes, "{tables}");
            assert_eq!(options.wait_replicas, embedded.wait_replicas, "{tables}");
        }
    }

    #[test]
    fn what_the_ledger_says_of_replication_is_counted() {
        let (options, metrics) = options("");
        let observer = options.observer.unwrap();
        observer.payment_on_one_disk();
        observer.payment_on_one_disk();
        observer.entry_refused();
        let page = metrics.encode(&GatewayStatus::default());
        assert!(
            page.contains("\nrelay_payments_on_one_disk_total 2\n"),
            "{page}"
        );
        assert!(
            page.contains("\nrelay_replication_entries_refused_total 1\n"),
            "{page}"
        );
    }
}
