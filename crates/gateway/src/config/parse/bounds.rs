//! All bounds of the configuration.

use std::ops::RangeInclusive;
use std::time::Duration;

const fn millis(from: u64, to: u64) -> RangeInclusive<Duration> {
    Duration::from_millis(from)..=Duration::from_millis(to)
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Bytes of a configuration file, or of a file with a secret.
pub(in crate::config) const FILE_BYTES: u64 = 256 * KIB;
/// Biller files in the directory.
pub(in crate::config) const BILLER_FILES: usize = 10_000;
/// Syntax faults that are reported of one file. Later ones are mostly consequences of earlier ones.
pub(in crate::config) const SYNTAX_FAULTS: usize = 8;
/// Characters of a value or of an unknown key that a message quotes.
pub(in crate::config) const QUOTED_CHARS: usize = 40;

/// `budget.total`
pub(in crate::config) const BUDGET: RangeInclusive<Duration> = millis(100, MINUTE);
/// `limits.request_body`
pub(in crate::config) const REQUEST_BODY_BYTES: RangeInclusive<u64> = KIB..=16 * MIB;
/// `limits.answer_body`
pub(in crate::config) const ANSWER_BODY_BYTES: RangeInclusive<u64> = KIB..=64 * MIB;
/// `limits.head_timeout`
pub(in crate::config) const HEAD_TIMEOUT: RangeInclusive<Duration> = millis(100, MINUTE);
/// `limits.idle_timeout`
pub(in crate::config) const IDLE_TIMEOUT: RangeInclusive<Duration> = millis(100, HOUR);
/// `limits.connections` and `limits.connections_per_address`
pub(in crate::config) const CONNECTIONS: RangeInclusive<u32> = 1..=1_000_000;
/// `limits.drain`
pub(in crate::config) const DRAIN: RangeInclusive<Duration> = millis(0, 10 * MINUTE);
/// `circuit.failures`
pub(in crate::config) const CIRCUIT_FAILURES: RangeInclusive<u32> = 1..=1_000_000;
/// `circuit.open_for`
pub(in crate::config) const CIRCUIT_OPEN_FOR: RangeInclusive<Duration> = millis(100, 10 * MINUTE);
/// `ledger.retention`
pub(in crate::config) const RETENTION: RangeInclusive<Duration> = millis(DAY, 3_650 * DAY);
/// `ledger.retention_paid`
pub(in crate::config) const RETENTION_PAID: RangeInclusive<Duration> = millis(DAY, 7_305 * DAY);
/// `ledger.keep_bodies`
pub(in crate::config) const KEEP_BODIES: RangeInclusive<Duration> = millis(DAY, 7_305 * DAY);
/// `ledger.cache`
pub(in crate::config) const CACHE_BYTES: RangeInclusive<u64> = 0..=1_024 * 1_024 * MIB;
/// `ledger.low_disk`
pub(in crate::config) const LOW_DISK_BYTES: RangeInclusive<u64> = 0..=1_024 * 1_024 * MIB;
/// `ledger.copies`
pub(in crate::config) const COPIES: RangeInclusive<u32> = 1..=2;
/// `ledger.redis.keep`
pub(in crate::config) const KEEP_VALUES: RangeInclusive<Duration> = millis(SECOND, 3_650 * DAY);
/// `ledger.redis.stream`
pub(in crate::config) const STREAM_BYTES: RangeInclusive<u64> = MIB..=64 * 1_024 * MIB;
/// `ledger.redis.wait_replicas`
pub(in crate::config) const WAIT_REPLICAS: RangeInclusive<u32> = 0..=16;
/// `max_in_flight` of a biller
pub(in crate::config) const IN_FLIGHT: RangeInclusive<u32> = 1..=10_000;
/// `requests_per_second` and `burst` of a biller
pub(in crate::config) const RATE: RangeInclusive<u32> = 1..=1_000_000;
/// `parameter_max_length` of a biller, in characters
pub(in crate::config) const PARAMETER_CHARS: RangeInclusive<u32> = 1..=1_000;

/// Entries of `allow_from` and `trusted_proxies`.
pub(in crate::config) const NETWORKS: usize = 1_000;
/// Bytes of a host's name.
pub(in crate::config) const HOST_NAME_BYTES: usize = 253;
/// Entries of `ops.hosts`.
pub(in crate::config) const HOSTS: usize = 100;
/// Entries of `authorization_sha256` and `client_certificates`.
pub(in crate::config) const DIGESTS: usize = 32;
/// Entries of `identity_parameters`.
pub(in crate::config) const IDENTITY_PARAMETERS: usize = 16;
/// Characters of a biller's `name` and of one identity parameter.
pub(in crate::config) const NAME_CHARS: usize = 100;
/// Characters of a URL.
pub(in crate::config) const URL_CHARS: usize = 2_000;
/// Nodes of a Redis URL.
pub(in crate::config) const REDIS_NODES: usize = 32;
/// Characters of `key_prefix` and of a Sentinel service's name.
pub(in crate::config) const REDIS_NAME_CHARS: usize = 64;
