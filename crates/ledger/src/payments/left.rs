//! What is left of a payment once its cancels are taken off.

use super::sum::Sum;
use super::{Group, Paid};
use crate::Timestamp;

impl Group {
    /// Whether something of it still counts at `now`.
    pub(super) fn has_something_left(&self, now: Timestamp) -> bool {
        self.left(now, |_| true).exceeds(Sum::default())
    }

    /// What is left at `now` of the payments that `counts` picks: those whose mark has not ended,
    /// less the cancels; cancels eat the payments that ended first.
    pub(super) fn left(&self, now: Timestamp, counts: impl Fn(&Paid) -> bool) -> Sum {
        let mut counting = Sum::default();
        let mut ended = Sum::default();
        for paid in self.payments.iter().filter(|paid| counts(paid)) {
            match paid.first_report.and_then(|(_, mark_ends_at)| mark_ends_at) {
                Some(end) if end <= now => ended.add(&paid.amount),
                _ => counting.add(&paid.amount),
            }
        }
        let mut cancelled = Sum::default();
        for cancel in &self.cancelled {
            cancelled.add(&cancel.amount);
        }
        counting.beyond(cancelled.beyond(ended))
    }
}
