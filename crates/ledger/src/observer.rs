//! What the ledger reports while it works.

use std::time::Duration;

use protocol::BillerCode;

use crate::redis::OutOfReach;

/// How far the upgrade of a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeProgress {
    /// What is done now: `facts` and their pay-results move, `bills` are marked, `indexes` are made, `old tables` leave.
    pub what: &'static str,
    /// How many of them are done.
    pub done: i64,
    /// How many there are.
    pub of: i64,
}

/// Receives measurements and payment conflicts from the ledger, on the thread where they occur.
pub trait Observer: Send + Sync {
    /// One operation on Redis ended after `took`; `reached` is an error when Redis did not answer.
    fn redis_operation(&self, took: Duration, reached: Result<(), OutOfReach>);

    /// A merge found two payments of one bill of this biller, or one payment with two amounts: the
    /// bill became an error bill.
    fn payment_conflict(&self, biller: BillerCode) {
        let _ = biller;
    }

    /// So many values or journalled facts had stamps more than a minute ahead of this node's clock.
    fn stamps_ahead(&self, number: u64) {
        let _ = number;
    }

    /// A value in Redis had no valid checksum.
    fn value_without_checksum(&self) {}

    /// A payment was relayed although no place but this node's disk has it: Redis did not take it in time.
    fn payment_on_one_disk(&self) {}

    /// An entry of another node's stream was refused: forged, cut, foreign or unreadable.
    fn entry_refused(&self) {}

    /// The journal is brought up to a new version and is so far; `None`: it is up to date.
    fn upgrade_progress(&self, progress: Option<UpgradeProgress>) {
        let _ = progress;
    }

    /// The resync sent one batch to Redis, with or without success.
    fn sync_batch(&self, took: Duration) {
        let _ = took;
    }

    /// The journal committed one batch to durable storage.
    fn journal_committed(&self, took: Duration) {
        let _ = took;
    }
}
