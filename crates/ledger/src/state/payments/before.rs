//! Payments of before a moment.

use super::totals::{Totals, paid_until};
use super::{Group, Paid, Payments};
use crate::Timestamp;
use crate::state::sorted::{Keyed as _, Summary as _};

impl Payments {
    /// Returns whether the balance of one `pay_id` is above zero at `now`, of payments before `before` only.
    pub(crate) fn is_paid_before(&self, before: Timestamp, now: Timestamp) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.is_paid_before(before, now))
    }
}

impl Group {
    fn is_paid_before(&self, before: Timestamp, now: Timestamp) -> bool {
        let mut payments = Totals::default();
        for paid in self.payments.iter().filter(|paid| paid.is_before(before)) {
            payments.add(&paid.totals());
        }
        paid_until(&payments, &self.cancelled.totals()).is_after(now)
    }
}

impl Paid {
    /// Returns whether the payment was made, or was reported, before this time.
    fn is_before(&self, before: Timestamp) -> bool {
        let made = (self.paid_at.time()).map(|time| Timestamp::from_seconds(time.unix_seconds()));
        let reported = self.first_report.map(|(stamp, _)| stamp.timestamp());
        made.into_iter().chain(reported).any(|time| time < before)
    }
}
