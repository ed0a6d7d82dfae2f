//! Events and groups as entries of sorted lists: their keys, their totals, and how two of one key are merged.

use protocol::{Decimal, PaidAt, PayId};

use super::sum::Sum;
use super::totals::{PaidUntil, Totals, paid_until};
use super::{Cancelled, Delivery, FirstReport, Group, Paid};
use crate::state::heap_bytes::HeapBytes;
use crate::state::sorted::Keyed;
use crate::{DeliveryState, Stamp};

impl Keyed for Paid {
    type Key = PaidAt;
    type Totals = Totals;

    fn key(&self) -> Self::Key {
        self.paid_at
    }

    #[inline]
    fn totals(&self) -> Totals {
        let amount = Sum::of(&self.amount);
        let ends = self.first_report.and_then(|(_, ends)| ends);
        let reported = self.first_report.map(|(stamp, _)| stamp);
        Totals {
            amount,
            paid_until: match ends {
                _ if amount.is_zero() => PaidUntil::Never,
                Some(end) => PaidUntil::End(end),
                None => PaidUntil::Always,
            },
            latest: latest(self.delivery).max(reported.unwrap_or_default()),
            undelivered: usize::from(is_undelivered(self.delivery)),
        }
    }

    /// The larger amount counts.
    fn merge(&mut self, other: Self) {
        self.amount = self.amount.max(other.amount);
        self.first_report = earlier(self.first_report, other.first_report);
        self.delivery = later(self.delivery, other.delivery);
    }
}

impl Keyed for Cancelled {
    type Key = (PaidAt, Decimal);
    type Totals = Totals;

    fn key(&self) -> Self::Key {
        (self.paid_at, self.amount)
    }

    #[inline]
    fn totals(&self) -> Totals {
        Totals {
            amount: Sum::of(&self.amount),
            paid_until: PaidUntil::Never,
            latest: latest(self.delivery),
            undelivered: usize::from(is_undelivered(self.delivery)),
        }
    }

    fn merge(&mut self, other: Self) {
        self.delivery = later(self.delivery, other.delivery);
    }
}

impl Keyed for Group {
    type Key = PayId;
    type Totals = Totals;

    fn key(&self) -> Self::Key {
        self.pay_id
    }

    #[inline]
    fn totals(&self) -> Totals {
        let (payments, cancelled) = (self.payments.totals(), self.cancelled.totals());
        Totals {
            amount: payments.amount,
            paid_until: paid_until(&payments, &cancelled),
            latest: payments.latest.max(cancelled.latest),
            undelivered: payments.undelivered + cancelled.undelivered,
        }
    }

    fn merge(&mut self, other: Self) {
        self.payments.merge(other.payments);
        self.cancelled.merge(other.cancelled);
    }
}

impl HeapBytes for Paid {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl HeapBytes for Cancelled {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl HeapBytes for Group {
    fn heap_bytes(&self) -> usize {
        self.payments.heap_bytes() + self.cancelled.heap_bytes()
    }
}

fn is_undelivered(delivery: Delivery) -> bool {
    delivery.is_some_and(|(_, state)| !state.is_settled())
}

fn latest(delivery: Delivery) -> Stamp {
    delivery.map(|(stamp, _)| stamp).unwrap_or_default()
}

pub(super) fn earlier(ours: FirstReport, theirs: FirstReport) -> FirstReport {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    }
}

/// Returns the delivery that decides: an acceptance before all others, then an operator's closing, which also an
/// attempt that ends after it leaves alone; then the latest one that may have reached the biller, then the latest that
/// was not sent.
pub(super) fn later(ours: Delivery, theirs: Delivery) -> Delivery {
    let rank = |(stamp, state): (Stamp, DeliveryState)| {
        let weight = match state {
            DeliveryState::Accepted => 3,
            DeliveryState::Closed => 2,
            DeliveryState::Refused | DeliveryState::Unknown => 1,
            DeliveryState::Pending => 0,
        };
        (weight, stamp)
    };
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if rank(theirs) > rank(ours) => Some(theirs),
        (ours, theirs) => ours.or(theirs),
    }
}
