//! Conflicts: payments of one bill that two nodes recorded, each without the other's.

use protocol::Bill;

use crate::{BillState, Fact, FactKind, PaymentEffect, Payments, Stamp};

/// The operator name of classifications by the gateway itself.
pub(crate) const GATEWAY: &str = "gateway";

impl PaymentEffect {
    /// Returns the classification that goes with the payment: a double payment or another amount
    /// makes an error bill (contract section 4, "Payments").
    pub(crate) fn classification(self) -> Option<FactKind> {
        let reason = match self {
            Self::Double => "a payment of a bill that another payment has already paid",
            Self::OtherAmount => "a payment that came again with another amount",
            Self::New | Self::Repeated => return None,
        };
        Some(FactKind::Classified {
            reason: reason.to_owned(),
            operator: GATEWAY.to_owned(),
        })
    }
}

impl BillState {
    /// Returns the classification that follows from merging the states that two nodes have of a bill; `None` where
    /// nothing does, or the bill is classified already. Every node that merges them makes the same fact.
    pub fn conflict(&self, other: &Self, bill: &Bill) -> Option<Fact> {
        let (ours, theirs) = (self.payments()?, other.payments()?);
        if ours.count() + theirs.count() < 2 {
            return None;
        }
        let double = merged(ours, theirs).latest_double();
        let double = double.map(|stamp| (stamp, PaymentEffect::Double));
        let other_amount = ours.latest_other_amount(theirs);
        let other_amount = other_amount.map(|stamp| (stamp, PaymentEffect::OtherAmount));
        let conflicts = double.into_iter().chain(other_amount);
        let latest = conflicts.max_by_key(|(stamp, _)| *stamp)?;
        self.classified(other, bill, latest)
    }

    /// The same for a payment that both have, with another amount.
    pub(crate) fn conflict_of_amounts(&self, other: &Self, bill: &Bill) -> Option<Fact> {
        let (ours, theirs) = (self.payments()?, other.payments()?);
        let payment = ours.latest_other_amount(theirs)?;
        self.classified(other, bill, (payment, PaymentEffect::OtherAmount))
    }

    /// Returns the classification that follows from a payment, unless there is a later one.
    fn classified(
        &self,
        other: &Self,
        bill: &Bill,
        (payment, effect): (Stamp, PaymentEffect),
    ) -> Option<Fact> {
        let classifications = [self.classification(), other.classification()];
        let classified = classifications.into_iter().flatten();
        let classified = classified.map(|latest| latest.stamp).max();
        let stamp = conflict_stamp(payment);
        if classified.is_some_and(|classified| classified >= stamp) {
            return None;
        }
        Some(Fact {
            stamp,
            bill: bill.clone(),
            kind: effect.classification()?,
        })
    }
}

fn merged(ours: &Payments, theirs: &Payments) -> Payments {
    let mut merged = ours.clone();
    merged.merge(theirs.clone());
    merged
}

/// Returns the stamp of a classification that follows from `payment`: the same on every node, in the
/// order of the payments, and of no other fact. Node numbers are random: one that differs from
/// another in the lowest bit only is as rare as two equal ones.
pub(crate) const fn conflict_stamp(payment: Stamp) -> Stamp {
    Stamp {
        time: payment.time,
        node: payment.node ^ 1,
    }
}

/// Returns the node that took the payment of such a stamp.
pub(crate) const fn payment_node(conflict: Stamp) -> u32 {
    conflict.node ^ 1
}
