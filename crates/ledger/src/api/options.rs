//! The settings of a ledger.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::redis::{Settings, WallClock};
use crate::{Observer, Timestamp};

/// How many places have a payment before its biller hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// One: this node's disk.
    One,
    /// Two: this node's disk, and Redis.
    Two,
}

/// The settings of a ledger.
#[derive(Clone)]
pub struct Options {
    /// The folder of the journal.
    pub directory: PathBuf,
    /// How long bills that were never paid are kept after their last fact.
    pub retention: Duration,
    /// How long paid bills are kept after their last fact.
    pub retention_paid: Duration,
    /// How long the bytes of accepted pay-results and of their answers are kept.
    pub keep_bodies: Duration,
    /// The most bytes of state in memory; 0: none is kept there.
    pub cache_bytes: usize,
    /// Below this free space on the journal's file system the journal logs an error.
    pub low_disk_bytes: u64,
    /// The Redis that nodes share; `None`: this is the only node.
    pub redis: Option<Settings>,
    /// How many places have a payment before its biller hears of it. Without Redis it is one, whatever is set here.
    pub copies: Copies,
    /// How long Redis keeps the values of a bill without activity. After that the journals answer.
    pub keep_values: Duration,
    /// The most bytes of this node's stream of facts in Redis.
    pub stream_bytes: u64,
    /// How many replicas of the Redis server must have a payment, too, before Redis counts as the second copy.
    pub wait_replicas: u32,
    /// After this time without a node another one delivers again what it took.
    pub takes_over_after: Duration,
    /// Receives measurements and payment conflicts.
    pub observer: Option<Arc<dyn Observer>>,
    /// The clock that the callers read every `now` from.
    pub clock: WallClock,
}

impl Options {
    /// Returns the settings of a single node with its journal in `directory`.
    pub const fn embedded(directory: PathBuf) -> Self {
        Self {
            directory,
            retention: Duration::from_hours(400 * 24),
            retention_paid: Duration::from_hours(1_827 * 24),
            keep_bodies: Duration::from_hours(90 * 24),
            cache_bytes: 256 << 20,
            low_disk_bytes: 1 << 30,
            redis: None,
            copies: Copies::Two,
            keep_values: Duration::from_hours(45 * 24),
            stream_bytes: 256 << 20,
            wait_replicas: 0,
            takes_over_after: Duration::from_mins(1),
            observer: None,
            clock: WallClock(Timestamp::now),
        }
    }
}
