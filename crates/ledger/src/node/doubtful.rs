//! Values from outside that are not as they should be: counted, and told at a bounded rate.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use protocol::BillerCode;

use crate::Timestamp;

/// The pause between two log lines.
const TELL_EVERY: Duration = Duration::from_mins(1);

/// Counts such values of one kind.
#[derive(Debug)]
pub(crate) struct DoubtfulValues {
    untold: AtomicU64,
    told_at: AtomicI64,
}

impl Default for DoubtfulValues {
    fn default() -> Self {
        Self {
            untold: AtomicU64::new(0),
            told_at: AtomicI64::new(i64::MIN),
        }
    }
}

impl DoubtfulValues {
    /// Counts one value of this biller's; tells the log at most once a minute what they are.
    pub(crate) fn count(&self, biller: BillerCode, now: Timestamp, what: &'static str) {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let told_at = self.told_at.load(Ordering::Acquire);
        let is_due = told_at <= now.minus(TELL_EVERY).millis() || told_at > now.millis();
        let claim = || {
            let new = now.millis();
            let swapped =
                (self.told_at).compare_exchange(told_at, new, Ordering::AcqRel, Ordering::Relaxed);
            swapped.is_ok()
        };
        if is_due && claim() {
            let values = self.untold.swap(0, Ordering::AcqRel);
            tracing::error!(biller = biller.as_str(), values, "{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_once_a_minute_however_many_come() {
        let ahead = DoubtfulValues::default();
        let biller = BillerCode::parse("B0001").unwrap();
        // second | values not told of yet
        for (second, untold) in [(1_000, 0), (1_001, 1), (1_059, 2), (1_060, 0), (500, 0)] {
            ahead.count(biller, Timestamp::from_seconds(second), "what");
            assert_eq!(ahead.untold.load(Ordering::Relaxed), untold, "{second}");
        }
    }
}
