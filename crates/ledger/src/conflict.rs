//! Payments of one bill that two nodes took, each without knowing of the other's.

use protocol::Bill;

use crate::{BillGroup, BillState, Fact, FactKind, PaymentEffect, Payments, Stamp};

/// Who classifies where no operator did.
pub(crate) const GATEWAY: &str = "gateway";

impl PaymentEffect {
    /// The fact that goes with it: some payments make an error bill (contract section 4).
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

impl BillGroup {
    /// What must be said of the bills that two nodes know, because payments met in what they know
    /// together. Whoever finds it says the same, and nobody says it of what was said already.
    pub fn conflicts(&self, other: &Self) -> Vec<Fact> {
        let both = other
            .bills()
            .filter_map(|(bill, theirs)| Some((bill, self.get(bill)?, theirs)));
        both.filter_map(|(bill, ours, theirs)| ours.conflict(theirs, bill))
            .collect()
    }
}

impl BillState {
    fn conflict(&self, other: &Self, bill: &Bill) -> Option<Fact> {
        let (ours, theirs) = (self.payments()?, other.payments()?);
        if ours.count() + theirs.count() < 2 {
            return None;
        }
        let words = [self.classification(), other.classification()];
        let said = words.into_iter().flatten().map(|word| word.stamp).max();
        let doubled = together(ours, theirs).doubled();
        let doubled = doubled.map(|stamp| (stamp, PaymentEffect::Double));
        let differing = ours.differing(theirs);
        let differing = differing.map(|stamp| (stamp, PaymentEffect::OtherAmount));
        let later = doubled.into_iter().chain(differing);
        let (stamp, taken) = later.max_by_key(|(stamp, _)| *stamp)?;
        let stamp = conflict_stamp(stamp);
        if said.is_some_and(|said| said >= stamp) {
            return None;
        }
        Some(Fact {
            stamp,
            bill: bill.clone(),
            kind: taken.classification()?,
        })
    }
}

fn together(ours: &Payments, theirs: &Payments) -> Payments {
    let mut together = ours.clone();
    together.merge(theirs);
    together
}

/// The stamp of what is said of a payment: the same whoever says it, and not the payment's own. No
/// other fact has it, because no more nodes have this number than have any other. Those of two
/// payments are in the order of the payments, though their nodes' clocks say the same.
pub(crate) const fn conflict_stamp(payment: Stamp) -> Stamp {
    Stamp {
        time: payment.time,
        node: payment.node ^ 1,
    }
}
