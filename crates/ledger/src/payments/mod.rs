//! The money part of a bill's state: every payment and cancel that Kakao Pay reported.
//!
//! An event is kept once however often it comes. Payments and cancels are grouped by `pay_id`,
//! because a cancel belongs to the payment with its `pay_id`: it can take away what that payment
//! brought and no more. A bill is paid while at least one group has something left.

mod codec;
mod conflict;
mod effect;
mod left;
mod sum;
mod view;

pub use effect::PaymentEffect;
pub use view::{Cancellation, PaymentGroup, PaymentRecord};

use protocol::{Decimal, PaidAt, PayType, PaymentEvent};

use crate::{DeliveryState, Stamp, Timestamp};

/// All payment facts of a bill, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payments {
    /// Sorted by `pay_id`.
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    pay_id: Decimal,
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

/// When a payment was first taken, and when its mark ends: the earliest telling decides. `None`
/// while only a delivery of it is known.
type FirstReport = Option<(Stamp, Option<Timestamp>)>;

/// How the biller took an event: accepted once is accepted for ever, else the latest word holds.
type Delivery = Option<(Stamp, DeliveryState)>;

impl Payments {
    /// Whether the sum of the events that still count is above zero.
    pub fn is_paid(&self, now: Timestamp) -> bool {
        self.groups
            .iter()
            .any(|group| group.has_something_left(now))
    }

    /// The latest stamp of anything that is known of the payments.
    pub(crate) fn latest(&self) -> Stamp {
        let of_group = |group: &Group| {
            let taken = group.payments.iter().filter_map(|paid| paid.first_report);
            let paid = group.payments.iter().filter_map(|paid| paid.delivery);
            let cancelled = group.cancelled.iter().filter_map(|cancel| cancel.delivery);
            let told = paid.chain(cancelled).map(|(stamp, _)| stamp);
            taken.map(|(stamp, _)| stamp).chain(told).max()
        };
        let latest = self.groups.iter().filter_map(of_group).max();
        latest.unwrap_or_default()
    }

    /// Events that were told and not accepted, as far as is known.
    pub fn undelivered(&self) -> usize {
        let is_open = |delivery: &Delivery| matches!(delivery, Some((_, state)) if *state != DeliveryState::Accepted);
        self.groups
            .iter()
            .map(|group| {
                group
                    .payments
                    .iter()
                    .filter(|paid| is_open(&paid.delivery))
                    .count()
                    + group
                        .cancelled
                        .iter()
                        .filter(|cancel| is_open(&cancel.delivery))
                        .count()
            })
            .sum()
    }

    /// How the biller took `event`; `None` where it was never told, or is being told.
    pub fn delivery(&self, event: &PaymentEvent) -> Option<DeliveryState> {
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
        delivery.map(|(_, state)| state)
    }

    pub(crate) fn fold_payment(
        &mut self,
        event: &PaymentEvent,
        taken: Stamp,
        ends: Option<Timestamp>,
    ) {
        let group = self.group_mut(event.pay_id);
        let amount = event.pay_amount.abs();
        match event.pay_type {
            PayType::P => {
                let paid = group.paid_mut(&event.paid_at, amount);
                paid.first_report = earlier(paid.first_report, Some((taken, ends)));
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
        let delivery = match event.pay_type {
            PayType::P => {
                &mut group
                    .paid_mut(&event.paid_at, event.pay_amount.abs())
                    .delivery
            }
            PayType::C => {
                &mut group
                    .cancel_mut(&event.paid_at, event.pay_amount.abs())
                    .delivery
            }
        };
        *delivery = later(*delivery, Some((stamp, state)));
    }

    /// What two nodes know of the payments, together.
    pub(crate) fn merge(&mut self, other: &Self) {
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

    fn position(&self, pay_id: &Decimal) -> Result<usize, usize> {
        self.groups
            .binary_search_by(|group| group.pay_id.cmp(pay_id))
    }

    fn group_mut(&mut self, pay_id: Decimal) -> &mut Group {
        let index = match self.position(&pay_id) {
            Ok(index) => index,
            Err(index) => {
                let group = Group {
                    pay_id,
                    payments: Vec::new(),
                    cancelled: Vec::new(),
                };
                make_room(&mut self.groups);
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

    /// The payment of this time, made where it is missing; the larger amount counts.
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
                make_room(&mut self.payments);
                self.payments.insert(index, paid);
                index
            }
        };
        let paid = &mut self.payments[index];
        paid.amount = paid.amount.max(amount);
        paid
    }

    /// The cancel of this time and amount, made where it is missing.
    fn cancel_mut(&mut self, paid_at: &PaidAt, amount: Decimal) -> &mut Cancelled {
        let index = match self.cancel_position(paid_at, &amount) {
            Ok(index) => index,
            Err(index) => {
                let cancelled = Cancelled {
                    paid_at: *paid_at,
                    amount,
                    delivery: None,
                };
                make_room(&mut self.cancelled);
                self.cancelled.insert(index, cancelled);
                index
            }
        };
        &mut self.cancelled[index]
    }
}

/// Almost always there is only one: no room for others is kept.
fn make_room<T>(entries: &mut Vec<T>) {
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

/// The word that stands. An acceptance stands for ever, and a copy that was not sent takes nothing back
/// of what an earlier one may have told.
fn later(ours: Delivery, theirs: Delivery) -> Delivery {
    let rank = |(stamp, state): (Stamp, DeliveryState)| {
        let weight = match state {
            DeliveryState::Accepted => 2,
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
