//! The payments of a bill as the contract words them, without any totals: what [`Payments`](super::Payments) is compared
//! with.

use std::collections::BTreeMap;

use protocol::{Decimal, PaidAt, PayId, PayType, PaymentEvent};

use super::entry::{earlier, later};
use super::{Delivery, FirstReport, PaymentEffect};
use crate::state::codec::Encode;
use crate::{DeliveryState, Stamp, Timestamp};

#[derive(Clone, Default)]
pub(super) struct Plain(BTreeMap<PayId, Group>);

#[derive(Clone, Default)]
struct Group {
    payments: BTreeMap<PaidAt, Paid>,
    cancelled: BTreeMap<(PaidAt, Decimal), Delivery>,
}

#[derive(Clone)]
struct Paid {
    amount: Decimal,
    first_report: FirstReport,
    delivery: Delivery,
}

impl Paid {
    fn is_ended(&self, now: Timestamp) -> bool {
        let end = self.first_report.and_then(|(_, end)| end);
        end.is_some_and(|end| end <= now)
    }
}

impl Group {
    fn balance(&self, now: Timestamp, counts: impl Fn(&Paid) -> bool) -> i128 {
        let sum = |ended: bool| {
            let payments = self.payments.values().filter(|paid| counts(paid));
            let payments = payments.filter(|paid| paid.is_ended(now) == ended);
            payments.map(|paid| value(&paid.amount)).sum::<i128>()
        };
        let cancelled = self.cancelled.keys().map(|(_, amount)| value(amount));
        let cancelled = cancelled.sum::<i128>() - sum(true);
        (sum(false) - cancelled.max(0)).max(0)
    }
}

impl Plain {
    pub(super) fn fold(&mut self, event: &PaymentEvent, report: FirstReport, delivery: Delivery) {
        let group = self.0.entry(event.pay_id).or_default();
        let amount = event.pay_amount.abs();
        if event.pay_type == PayType::C {
            let kept = group.cancelled.entry((event.paid_at, amount)).or_default();
            *kept = later(*kept, delivery);
            return;
        }
        let paid = group.payments.entry(event.paid_at).or_insert(Paid {
            amount,
            first_report: None,
            delivery: None,
        });
        paid.amount = paid.amount.max(amount);
        paid.first_report = earlier(paid.first_report, report);
        paid.delivery = later(paid.delivery, delivery);
    }

    pub(super) fn is_paid(&self, now: Timestamp) -> bool {
        self.0
            .values()
            .any(|group| group.balance(now, |_| true) > 0)
    }

    fn deliveries(&self) -> impl Iterator<Item = (Stamp, DeliveryState)> {
        self.0.values().flat_map(|group| {
            let paid = group.payments.values().filter_map(|paid| paid.delivery);
            paid.chain(group.cancelled.values().filter_map(|one| *one))
        })
    }

    fn payments(&self) -> impl Iterator<Item = (&Group, &Paid)> {
        let groups = self.0.values();
        groups.flat_map(|group| group.payments.values().map(move |paid| (group, paid)))
    }

    fn reports(&self) -> impl Iterator<Item = (&Group, Stamp)> {
        let payments = self.payments();
        payments.filter_map(|(group, paid)| Some((group, paid.first_report?.0)))
    }

    pub(super) fn latest(&self) -> Stamp {
        let reports = self.reports().map(|(_, stamp)| stamp);
        let deliveries = self.deliveries().map(|(stamp, _)| stamp);
        reports.chain(deliveries).max().unwrap_or_default()
    }

    pub(super) fn undelivered(&self) -> usize {
        let open = self.deliveries().filter(|(_, state)| !state.is_settled());
        open.count()
    }

    pub(super) fn count(&self) -> usize {
        self.payments().count()
    }

    pub(super) fn delivery(&self, event: &PaymentEvent) -> Delivery {
        let group = self.0.get(&event.pay_id)?;
        match event.pay_type {
            PayType::P => group.payments.get(&event.paid_at)?.delivery,
            PayType::C => *group
                .cancelled
                .get(&(event.paid_at, event.pay_amount.abs()))?,
        }
    }

    pub(super) fn effect_of(&self, event: &PaymentEvent, now: Timestamp) -> PaymentEffect {
        let group = self.0.get(&event.pay_id);
        let amount = event.pay_amount.abs();
        let known = match event.pay_type {
            PayType::P => group.and_then(|group| Some(group.payments.get(&event.paid_at)?.amount)),
            PayType::C => group
                .and_then(|group| group.cancelled.get(&(event.paid_at, amount)))
                .map(|_| amount),
        };
        match known {
            Some(known) if known != amount => PaymentEffect::OtherAmount,
            Some(_) => PaymentEffect::Repeated,
            None if event.pay_type == PayType::P && self.is_paid(now) => PaymentEffect::Double,
            None => PaymentEffect::New,
        }
    }

    pub(super) fn effect_excluding(
        &self,
        event: &PaymentEvent,
        own: &[Stamp],
        now: Timestamp,
    ) -> PaymentEffect {
        let mut others = self.clone();
        let group = others.0.get_mut(&event.pay_id);
        let is_payment = event.pay_type == PayType::P;
        let folded = group
            .filter(|_| is_payment)
            .and_then(|group| group.payments.remove(&event.paid_at));
        match folded.and_then(|paid| paid.first_report) {
            Some((stamp, _)) if own.contains(&stamp) && others.is_paid(now) => {
                PaymentEffect::Double
            }
            Some((stamp, _)) if own.contains(&stamp) => PaymentEffect::New,
            _ => self.effect_of(event, now),
        }
    }

    pub(super) fn latest_double(&self) -> Option<Stamp> {
        let doubles = self.reports().filter(|(group, stamp)| {
            let now = stamp.timestamp();
            let reported = |paid: &Paid| paid.first_report.map(|(stamp, _)| stamp);
            let before = |paid: &Paid| reported(paid).is_some_and(|other| other < *stamp);
            let until_then = |paid: &Paid| reported(paid).is_some_and(|other| other <= *stamp);
            group.balance(now, until_then) > group.balance(now, before)
                && self.0.values().any(|group| group.balance(now, before) > 0)
        });
        doubles.map(|(_, stamp)| stamp).max()
    }

    pub(super) fn latest_other_amount(&self, other: &Self) -> Option<Stamp> {
        let groups = self.0.iter();
        let pairs = groups.flat_map(|(pay_id, group)| {
            let theirs = other.0.get(pay_id);
            let payments = group.payments.iter();
            payments.filter_map(move |(paid_at, paid)| Some((paid, theirs?.payments.get(paid_at)?)))
        });
        let differing = pairs.filter(|(ours, theirs)| ours.amount != theirs.amount);
        differing
            .filter_map(|(ours, theirs)| Some(ours.first_report?.0.max(theirs.first_report?.0)))
            .max()
    }

    /// The bytes that the releases before this one wrote.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        (self.0.len() as u64).encode(&mut out);
        for (pay_id, group) in &self.0 {
            pay_id.encode(&mut out);
            (group.payments.len() as u64).encode(&mut out);
            for (paid_at, paid) in &group.payments {
                paid_at.encode(&mut out);
                paid.amount.encode(&mut out);
                paid.first_report.encode(&mut out);
                paid.delivery.encode(&mut out);
            }
            (group.cancelled.len() as u64).encode(&mut out);
            for ((paid_at, amount), delivery) in &group.cancelled {
                paid_at.encode(&mut out);
                amount.encode(&mut out);
                delivery.encode(&mut out);
            }
        }
        out
    }
}

fn value(amount: &Decimal) -> i128 {
    i128::from(amount.units()) * 1_000_000_000_000_000_000 + i128::from(amount.fraction())
}
