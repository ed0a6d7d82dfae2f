//! The storage of the ledger.

use std::path::PathBuf;
use std::time::Duration;

use ledger::Copies;
use toml::de::DeValue;

use super::parse::bounds;
use super::parse::duration;
use super::parse::named_file;
use super::parse::section::Section;
use super::parse::size;
use super::parse::value;
use super::redis::RedisSettings;

/// The table `[ledger]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The directory of this node's journal; it is created if it does not exist.
    pub path: PathBuf,
    /// How long bills that were never paid are kept after their last fact.
    pub retention: Duration,
    /// How long paid bills are kept after their last fact.
    pub retention_paid: Duration,
    /// How long the bytes of accepted pay-results and of their answers are kept.
    pub keep_bodies: Duration,
    /// The most bytes of the ledger's state in memory; 0: none is kept there.
    pub cache_bytes: usize,
    /// Free bytes of the journal's file system below which errors are logged.
    pub low_disk_bytes: usize,
    /// How many places have a payment before its biller hears of it; one without Redis.
    pub copies: Copies,
    /// The Redis that the nodes share; `None`: a single node without Redis.
    pub redis: Option<RedisSettings>,
}

const DAY: Duration = Duration::from_hours(24);

/// Five years, with the most leap days that they can have: the least that the law allows for payments above 10,000 won.
const RETENTION_PAID: Duration = DAY.saturating_mul(1_827);

impl LedgerSettings {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        const RETENTION: Duration = DAY.saturating_mul(400);
        const KEEP_BODIES: Duration = DAY.saturating_mul(90);
        const CACHE_BYTES: usize = 256 << 20;
        const LOW_DISK_BYTES: usize = 1 << 30;
        let path = Self::read_path(&mut section);
        let retention = section.or("retention", RETENTION, |value| {
            duration::read(value, &bounds::RETENTION)
        });
        let retention_paid = section.or("retention_paid", RETENTION_PAID, |value| {
            duration::read(value, &bounds::RETENTION_PAID)
        });
        warn_of_short_retention(&section, retention, retention_paid);
        let keep_bodies = section.or("keep_bodies", KEEP_BODIES, |value| {
            duration::read(value, &bounds::KEEP_BODIES)
        });
        let cache_bytes = section.or("cache", CACHE_BYTES, |value| {
            size::read(value, &bounds::CACHE_BYTES)
        });
        let low_disk_bytes = section.or("low_disk", LOW_DISK_BYTES, |value| {
            size::read(value, &bounds::LOW_DISK_BYTES)
        });
        let copies = section.or("copies", Copies::Two, read_copies);
        let has_redis = section.has("redis");
        if !has_redis && section.has("copies") {
            section.warn(
                "copies",
                "has no effect: without `[ledger.redis]` the journal is the only copy",
            );
        }
        let redis = section
            .optional_table("redis")
            .and_then(|section| RedisSettings::read(section, copies, retention));
        section.finish();
        (redis.is_some() || !has_redis).then_some(Self {
            path,
            retention,
            retention_paid,
            keep_bodies,
            cache_bytes,
            low_disk_bytes,
            copies,
            redis,
        })
    }

    /// Returns each key, and whether its value differs. Only a restart applies a changed one.
    pub(super) fn differences(&self, new: &Self) -> [(&'static str, bool); 8] {
        [
            ("ledger.path", self.path != new.path),
            ("ledger.retention", self.retention != new.retention),
            (
                "ledger.retention_paid",
                self.retention_paid != new.retention_paid,
            ),
            ("ledger.keep_bodies", self.keep_bodies != new.keep_bodies),
            ("ledger.cache", self.cache_bytes != new.cache_bytes),
            ("ledger.low_disk", self.low_disk_bytes != new.low_disk_bytes),
            ("ledger.copies", self.copies != new.copies),
            ("ledger.redis", self.redis != new.redis),
        ]
    }

    /// Reads the directory of this node's journal.
    pub(super) fn read_path(section: &mut Section<'_>) -> PathBuf {
        let document = section.document();
        section.or("path", document.resolve("data/ledger"), |value| {
            named_file::path(document, value)
        })
    }
}

fn read_copies(value: &DeValue<'_>) -> Result<Copies, String> {
    match value::count(value, &bounds::COPIES)? {
        1 => Ok(Copies::One),
        _ => Ok(Copies::Two),
    }
}

/// Warns of a retention of paid bills that the law does not allow, or that is below the one of bills never paid.
fn warn_of_short_retention(section: &Section<'_>, retention: Duration, retention_paid: Duration) {
    const KEY: &str = "retention_paid";
    if retention_paid < RETENTION_PAID {
        section.warn(
            KEY,
            "is below 1827d: records of payments above 10,000 won are to be kept for five years \
             (전자금융거래법 시행령 제12조), and a paid bill that is forgotten can be paid again",
        );
    }
    if retention_paid < retention {
        section.warn(
            KEY,
            "is below `retention`: paid bills would be forgotten before bills that were never paid",
        );
    }
}
