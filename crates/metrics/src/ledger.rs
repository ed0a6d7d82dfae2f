//! The series of the ledger's operations, and of what it found in Redis.

use std::time::{Duration, Instant};

use prometheus::{Histogram, IntCounter};

use crate::exposition::Exposition;
use crate::label::{Label, LedgerOperation, PerLabel};
use crate::series::{
    LEDGER_OPERATION_DURATION, LEDGER_UNAVAILABLE, PAYMENTS_ON_ONE_DISK,
    REPLICATION_ENTRIES_REFUSED, STAMPS_AHEAD, VALUES_WITHOUT_CHECKSUM,
};

pub(crate) struct LedgerSeries {
    operation_duration: PerLabel<LedgerOperation, Histogram>,
    unavailable: PerLabel<LedgerOperation, IntCounter>,
    pub(crate) stamps_ahead: IntCounter,
    pub(crate) values_without_checksum: IntCounter,
    pub(crate) payments_on_one_disk: IntCounter,
    pub(crate) replication_entries_refused: IntCounter,
}

impl LedgerSeries {
    /// Returns the series with these edges of the durations. All counters are zero.
    pub(crate) fn new(bounds: &[f64]) -> Self {
        let labels = |operation: LedgerOperation| [("operation", operation.text())];
        Self {
            operation_duration: PerLabel::new(|operation| {
                LEDGER_OPERATION_DURATION.histogram(&labels(operation), bounds)
            }),
            unavailable: PerLabel::new(|operation| LEDGER_UNAVAILABLE.counter(&labels(operation))),
            stamps_ahead: STAMPS_AHEAD.counter(&[]),
            values_without_checksum: VALUES_WITHOUT_CHECKSUM.counter(&[]),
            payments_on_one_disk: PAYMENTS_ON_ONE_DISK.counter(&[]),
            replication_entries_refused: REPLICATION_ENTRIES_REFUSED.counter(&[]),
        }
    }

    pub(crate) fn time_from(
        &self,
        operation: LedgerOperation,
        started: Instant,
    ) -> LedgerTimer<'_> {
        LedgerTimer {
            histogram: self.operation_duration.get(operation),
            started,
        }
    }

    pub(crate) fn count(&self, operation: LedgerOperation, took: Duration) {
        self.operation_duration
            .get(operation)
            .observe(took.as_secs_f64());
    }

    pub(crate) fn count_unavailable(&self, operation: LedgerOperation) {
        self.unavailable.get(operation).inc();
    }

    pub(crate) fn expose(&self, exposition: &mut Exposition) {
        self.operation_duration
            .iter()
            .for_each(|series| exposition.collector(series));
        self.unavailable
            .iter()
            .for_each(|series| exposition.collector(series));
        for counter in [
            &self.stamps_ahead,
            &self.values_without_checksum,
            &self.payments_on_one_disk,
            &self.replication_entries_refused,
        ] {
            exposition.collector(counter);
        }
    }
}

/// Measures one operation of the ledger until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct LedgerTimer<'a> {
    histogram: &'a Histogram,
    started: Instant,
}

impl Drop for LedgerTimer<'_> {
    fn drop(&mut self) {
        self.histogram.observe(self.started.elapsed().as_secs_f64());
    }
}
