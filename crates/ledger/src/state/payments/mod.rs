//! The payments and cancels of a bill that Kakao Pay reported (contract section 4, "Payments").
//!
//! An event is kept once, however often it is reported. Payments and cancels are grouped by
//! `pay_id`: a cancel reduces the payment with its `pay_id`, at most to zero. A bill is paid while the
//! balance of one group is above zero.

mod balance;
mod codec;
mod conflict;
mod effect;
mod view;

pub use effect::PaymentEffect;
pub use view::{Cancellation, PaymentGroup, PaymentRecord};

use protocol::{Decimal, PaidAt, PayId, PayType, PaymentEvent};

use crate::state::refusals::Refusals;
use crate::{DeliveryState, Stamp, Timestamp};

/// The fold of the payment and delivery facts of a bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payments {
    /// Sorted by `pay_id`.
    groups: Vec<Group>,
    /// Boxed: hardly any bill has one.
    refusals: Option<Box<Refusals>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    pay_id: PayId,
    /// Sorted by `paid_at`.
    payments: Vec<Paid>,
    /// Sorted by `paid_at`, then amount.
    cancelled: Vec<Cancelled>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "`paid_at` is the guide's name")]
struct Paid {
    paid_at: PaidAt,
    amount: Decimal,
    first_report: FirstReport,
    delivery: Delivery,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cancelled {
    paid_at: PaidAt,
    amount: Decimal,
    delivery: Delivery,
}

/// The earliest report of a payment: its stamp, and when the mark of the payment ends. `None` while
/// only a delivery of it is folded.
type FirstReport = Option<(Stamp, Option<Timestamp>)>;

/// The deciding delivery of an event; see [`later`].
type Delivery = Option<(Stamp, DeliveryState)>;

impl Payments {
    /// Returns whether the balance of one `pay_id` is above zero at `now`.
    pub fn is_paid(&self, now: Timestamp) -> bool {
        self.groups.iter().any(|group| group.is_paid(now))
    }

    /// Returns whether the balance of one `pay_id` is above zero at `now`, of payments before `before` only.
    pub(crate) fn is_paid_before(&self, before: Timestamp, now: Timestamp) -> bool {
        let is_paid = |group: &Group| group.is_paid_by(now, |paid| paid.is_before(before));
        self.groups.iter().any(is_paid)
    }

    /// Returns the latest stamp of these facts; the default stamp where there is none.
    pub(crate) fn latest(&self) -> Stamp {
        let of_group = |group: &Group| {
            let reports = group.payments.iter().filter_map(|paid| paid.first_report);
            let paid = group.payments.iter().filter_map(|paid| paid.delivery);
            let cancelled = group.cancelled.iter().filter_map(|cancel| cancel.delivery);
            let deliveries = paid.chain(cancelled).map(|(stamp, _)| stamp);
            reports.map(|(stamp, _)| stamp).chain(deliveries).max()
        };
        let latest = self.groups.iter().filter_map(of_group).max();
        let refused = self.refusals.as_ref().map(|refusals| refusals.latest());
        latest.max(refused).unwrap_or_default()
    }

    /// Returns the refused pay-results of the bill; `None` where there is none.
    pub(crate) fn refusals(&self) -> Option<&Refusals> {
        self.refusals
            .as_deref()
            .filter(|refusals| !refusals.is_empty())
    }

    pub(crate) fn refusals_mut(&mut self) -> &mut Refusals {
        self.refusals.get_or_insert_default()
    }

    /// Returns the number of events with a delivery that was neither accepted nor closed.
    pub fn undelivered(&self) -> usize {
        let is_open = |delivery: Delivery| delivery.is_some_and(|(_, state)| !state.is_settled());
        let of_group = |group: &Group| {
            let payments = group.payments.iter().filter(|paid| is_open(paid.delivery));
            let cancelled = group
                .cancelled
                .iter()
                .filter(|cancel| is_open(cancel.delivery));
            payments.count() + cancelled.count()
        };
        self.groups.iter().map(of_group).sum()
    }

    /// Returns the delivery state of `event`; `None` until its first delivery attempt ends.
    pub fn delivery(&self, event: &PaymentEvent) -> Option<DeliveryState> {
        self.stamped_delivery(event).map(|(_, state)| state)
    }

    /// Returns the deciding delivery of `event` with its stamp.
    pub(crate) fn stamped_delivery(&self, event: &PaymentEvent) -> Delivery {
        let group = &self.groups[self.position(&event.pay_id).ok()?];
        let delivery = match event.pay_type {
            PayType::P => &group.payments[group.paid_position(&event.paid_at).ok()?].delivery,
            PayType::C => {
                &group.cancelled[group
                    .cancel_position(&event.paid_at, &event.pay_amount.abs())
                    .ok()?]
                .delivery
            }
        };
        *delivery
    }

    pub(crate) fn fold_payment(
        &mut self,
        event: &PaymentEvent,
        stamp: Stamp,
        mark_ends_at: Option<Timestamp>,
    ) {
        let group = self.group_mut(event.pay_id);
        let amount = event.pay_amount.abs();
        match event.pay_type {
            PayType::P => {
                let paid = group.paid_mut(&event.paid_at, amount);
                paid.first_report = earlier(paid.first_report, Some((stamp, mark_ends_at)));
            }
            PayType::C => {
                group.cancel_mut(&event.paid_at, amount);
            }
        }
    }

    pub(crate) fn fold_delivery(
        &mut self,
        event: &PaymentEvent,
        stamp: Stamp,
        state: DeliveryState,
    ) {
        let group = self.group_mut(event.pay_id);
        let amount = event.pay_amount.abs();
        let delivery = match event.pay_type {
            PayType::P => &mut group.paid_mut(&event.paid_at, amount).delivery,
            PayType::C => &mut group.cancel_mut(&event.paid_at, amount).delivery,
        };
        *delivery = later(*delivery, Some((stamp, state)));
    }

    /// Merges the payments of another node (CRDT merge).
    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some(refusals) = &other.refusals {
            self.refusals_mut().merge(refusals);
        }
        for theirs in &other.groups {
            let ours = self.group_mut(theirs.pay_id);
            for paid in &theirs.payments {
                let entry = ours.paid_mut(&paid.paid_at, paid.amount);
                entry.first_report = earlier(entry.first_report, paid.first_report);
                entry.delivery = later(entry.delivery, paid.delivery);
            }
            for cancel in &theirs.cancelled {
                let entry = ours.cancel_mut(&cancel.paid_at, cancel.amount);
                entry.delivery = later(entry.delivery, cancel.delivery);
            }
        }
    }

    fn position(&self, pay_id: &PayId) -> Result<usize, usize> {
        self.groups
            .binary_search_by(|group| group.pay_id.cmp(pay_id))
    }

    fn group_mut(&mut self, pay_id: PayId) -> &mut Group {
        let index = match self.position(&pay_id) {
            Ok(index) => index,
            Err(index) => {
                let group = Group {
                    pay_id,
                    payments: Vec::new(),
                    cancelled: Vec::new(),
                };
                reserve_first(&mut self.groups);
                self.groups.insert(index, group);
                index
            }
        };
        &mut self.groups[index]
    }
}

impl Group {
    fn paid_position(&self, paid_at: &PaidAt) -> Result<usize, usize> {
        self.payments
            .binary_search_by(|paid| paid.paid_at.cmp(paid_at))
    }

    fn cancel_position(&self, paid_at: &PaidAt, amount: &Decimal) -> Result<usize, usize> {
        self.cancelled
            .binary_search_by(|cancel| (&cancel.paid_at, &cancel.amount).cmp(&(paid_at, amount)))
    }

    /// Returns the payment at this time; inserts it where it is missing. The larger amount counts.
    fn paid_mut(&mut self, paid_at: &PaidAt, amount: Decimal) -> &mut Paid {
        let index = match self.paid_position(paid_at) {
            Ok(index) => index,
            Err(index) => {
                let paid = Paid {
                    paid_at: *paid_at,
                    amount,
                    first_report: None,
                    delivery: None,
                };
                reserve_first(&mut self.payments);
                self.payments.insert(index, paid);
                index
            }
        };
        let paid = &mut self.payments[index];
        paid.amount = paid.amount.max(amount);
        paid
    }

    /// Returns the cancel with this time and amount; inserts it where it is missing.
    fn cancel_mut(&mut self, paid_at: &PaidAt, amount: Decimal) -> &mut Cancelled {
        let index = match self.cancel_position(paid_at, &amount) {
            Ok(index) => index,
            Err(index) => {
                let cancelled = Cancelled {
                    paid_at: *paid_at,
                    amount,
                    delivery: None,
                };
                reserve_first(&mut self.cancelled);
                self.cancelled.insert(index, cancelled);
                index
            }
        };
        &mut self.cancelled[index]
    }
}

/// Reserves room for exactly the first entry: nearly every list has only one.
fn reserve_first<T>(entries: &mut Vec<T>) {
    if entries.is_empty() {
        entries.reserve_exact(1);
    }
}

fn earlier(ours: FirstReport, theirs: FirstReport) -> FirstReport {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    }
}

/// Returns the delivery that decides: an acceptance before all others, then an operator's closing, which also an
/// attempt that ends after it leaves alone; then the latest one that may have reached the biller, then the latest that
/// was not sent.
fn later(ours: Delivery, theirs: Delivery) -> Delivery {
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
