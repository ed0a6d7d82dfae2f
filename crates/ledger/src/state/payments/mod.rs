//! The payments and cancels of a bill that Kakao Pay reported (contract section 4, "Payments").
//!
//! An event is kept once, however often it is reported. Payments and cancels are grouped by
//! `pay_id`: a cancel reduces the payment with its `pay_id`, at most to zero. A bill is paid while the
//! balance of one group is above zero.

mod before;
mod codec;
mod conflict;
mod effect;
mod entry;
mod replay;
mod sum;
mod totals;
mod view;

pub use effect::PaymentEffect;
pub use view::{Cancellation, PaymentGroup, PaymentRecord};

use protocol::{Decimal, PaidAt, PayId, PayType, PaymentEvent};

use totals::PaidUntil;

use crate::state::heap_bytes::HeapBytes;
use crate::state::refusals::Refusals;
use crate::state::sorted::Sorted;
use crate::{DeliveryState, Stamp, Timestamp};

/// The fold of the payment and delivery facts of a bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payments {
    /// By `pay_id`.
    groups: Sorted<Group>,
    /// Boxed: hardly any bill has one.
    refusals: Option<Box<Refusals>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    pay_id: PayId,
    /// By `paid_at`.
    payments: Sorted<Paid>,
    /// By `paid_at`, then amount.
    cancelled: Sorted<Cancelled>,
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

/// One event with its first report or a delivery of it.
enum Event {
    Paid(Paid),
    Cancelled(Cancelled),
}

/// The earliest report of a payment: its stamp, and when the mark of the payment ends. `None` while
/// only a delivery of it is folded.
type FirstReport = Option<(Stamp, Option<Timestamp>)>;

/// The deciding delivery of an event; see [`entry::later`].
type Delivery = Option<(Stamp, DeliveryState)>;

impl Payments {
    /// Returns whether the balance of one `pay_id` is above zero at `now`.
    pub fn is_paid(&self, now: Timestamp) -> bool {
        self.paid_until().is_after(now)
    }

    fn paid_until(&self) -> PaidUntil {
        self.groups.totals().paid_until
    }

    /// Returns the latest stamp of these facts; the default stamp where there is none.
    pub(crate) fn latest(&self) -> Stamp {
        let refused = self.refusals.as_ref().map(|refusals| refusals.latest());
        (self.groups.totals().latest).max(refused.unwrap_or_default())
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
        self.groups.totals().undelivered
    }

    /// Returns the delivery state of `event`; `None` until its first delivery attempt ends.
    pub fn delivery(&self, event: &PaymentEvent) -> Option<DeliveryState> {
        self.stamped_delivery(event).map(|(_, state)| state)
    }

    /// Returns the deciding delivery of `event` with its stamp.
    pub(crate) fn stamped_delivery(&self, event: &PaymentEvent) -> Delivery {
        let group = self.groups.get(&event.pay_id)?;
        match event.pay_type {
            PayType::P => group.payments.get(&event.paid_at)?.delivery,
            PayType::C => group.cancelled.get(&cancel_key(event))?.delivery,
        }
    }

    pub(crate) fn fold_payment(
        &mut self,
        event: &PaymentEvent,
        stamp: Stamp,
        mark_ends_at: Option<Timestamp>,
    ) {
        self.fold(event, Some((stamp, mark_ends_at)), None);
    }

    pub(crate) fn fold_delivery(
        &mut self,
        event: &PaymentEvent,
        stamp: Stamp,
        state: DeliveryState,
    ) {
        self.fold(event, None, Some((stamp, state)));
    }

    fn fold(&mut self, event: &PaymentEvent, first_report: FirstReport, delivery: Delivery) {
        let (paid_at, amount) = cancel_key(event);
        let folded = match event.pay_type {
            PayType::P => Event::Paid(Paid {
                paid_at,
                amount,
                first_report,
                delivery,
            }),
            PayType::C => Event::Cancelled(Cancelled {
                paid_at,
                amount,
                delivery,
            }),
        };
        let new = |folded| Group::of(event.pay_id, folded);
        self.groups.change(event.pay_id, folded, new, Group::fold);
    }

    /// Merges the payments of another node (CRDT merge). The cost is that of the side with fewer.
    pub(crate) fn merge(&mut self, other: Self) {
        if let Some(refusals) = other.refusals {
            self.refusals_mut().merge(*refusals);
        }
        self.groups.merge(other.groups);
    }
}

impl Group {
    fn of(pay_id: PayId, event: Event) -> Self {
        let (mut payments, mut cancelled) = (Sorted::default(), Sorted::default());
        match event {
            Event::Paid(paid) => payments = Sorted::of(paid),
            Event::Cancelled(cancel) => cancelled = Sorted::of(cancel),
        }
        Self {
            pay_id,
            payments,
            cancelled,
        }
    }

    fn fold(&mut self, event: Event) {
        match event {
            Event::Paid(paid) => self.payments.put(paid),
            Event::Cancelled(cancel) => self.cancelled.put(cancel),
        }
    }
}

impl HeapBytes for Payments {
    fn heap_bytes(&self) -> usize {
        self.groups.heap_bytes() + self.refusals.heap_bytes()
    }
}

/// Returns what tells a cancel from the others of its `pay_id`.
fn cancel_key(event: &PaymentEvent) -> (PaidAt, Decimal) {
    (event.paid_at, event.pay_amount.abs())
}

#[cfg(test)]
mod plain;
#[cfg(test)]
mod tests;
