//! The storage of the ledger.

use std::path::PathBuf;
use std::time::Duration;

use super::parse::bounds;
use super::parse::duration;
use super::parse::named_file;
use super::parse::section::Section;
use super::parse::size;
use super::redis::RedisSettings;

/// The table `[ledger]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The directory of this node's journal; it is created if it does not exist.
    pub path: PathBuf,
    /// How long facts are kept.
    pub retention: Duration,
    /// Free bytes of the journal's file system below which errors are logged.
    pub low_disk_bytes: usize,
    /// The Redis that the nodes share; `None`: a single node without Redis.
    pub redis: Option<RedisSettings>,
}

impl LedgerSettings {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        const RETENTION: Duration = Duration::from_hours(400 * 24);
        const LOW_DISK_BYTES: usize = 1 << 30;
        let path = Self::read_path(&mut section);
        let retention = section.or("retention", RETENTION, |value| {
            duration::read(value, &bounds::RETENTION)
        });
        let low_disk_bytes = section.or("low_disk", LOW_DISK_BYTES, |value| {
            size::read(value, &bounds::LOW_DISK_BYTES)
        });
        let has_redis = section.has("redis");
        let redis = section
            .optional_table("redis")
            .and_then(RedisSettings::read);
        section.finish();
        (redis.is_some() || !has_redis).then_some(Self {
            path,
            retention,
            low_disk_bytes,
            redis,
        })
    }

    /// Reads the directory of this node's journal.
    pub(super) fn read_path(section: &mut Section<'_>) -> PathBuf {
        let document = section.document();
        section.or("path", document.resolve("data/ledger"), |value| {
            named_file::path(document, value)
        })
    }
}
