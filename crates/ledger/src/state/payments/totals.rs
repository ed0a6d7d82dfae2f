//! What is known of several events or `pay_id`s together.
//!
//! The balance of a `pay_id` at a moment is the sum of the payments whose mark has not ended, less what the cancels
//! leave after they have reduced the ended payments. It is above zero exactly while all payments exceed all cancels and
//! the mark of one payment above zero has not ended. So the latest end of a mark tells how long a bill is paid.

use super::sum::Sum;
use crate::state::sorted;
use crate::{Stamp, Timestamp};

/// The totals of payments, of cancels, or of groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    /// The sum of the payments, or of the cancels.
    pub(super) amount: Sum,
    /// Of payments, when the last mark of one above zero ends; of groups, when the last balance ends.
    pub(super) paid_until: PaidUntil,
    /// The latest stamp.
    pub(super) latest: Stamp,
    /// The number of events with a delivery that was neither accepted nor closed.
    pub(super) undelivered: usize,
}

/// How long something is paid. The order is that of the ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PaidUntil {
    /// It was never paid, or all of it was cancelled.
    #[default]
    Never,
    /// It is paid before this moment.
    End(Timestamp),
    /// The mark of a payment has no end.
    Always,
}

impl PaidUntil {
    pub(super) fn is_after(self, now: Timestamp) -> bool {
        self > Self::End(now)
    }
}

impl sorted::Summary for Totals {
    #[inline]
    fn add(&mut self, other: &Self) {
        self.amount.add(&other.amount);
        self.paid_until = self.paid_until.max(other.paid_until);
        self.latest = self.latest.max(other.latest);
        self.undelivered += other.undelivered;
    }
}

impl Totals {
    /// Returns whether an event with a delivery that was neither accepted nor closed is among them.
    pub(super) const fn has_undelivered(&self) -> bool {
        self.undelivered > 0
    }
}

/// Returns how long a `pay_id` with these payments and cancels is paid.
pub(super) fn paid_until(payments: &Totals, cancelled: &Totals) -> PaidUntil {
    if payments.amount > cancelled.amount {
        payments.paid_until
    } else {
        PaidUntil::Never
    }
}
