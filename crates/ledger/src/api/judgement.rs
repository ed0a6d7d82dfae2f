//! What is said of a bill when a payment is taken, so that this node knows it by itself afterwards.

use super::queued_payment::Queued;
use crate::state::conflict::{GATEWAY, conflict_stamp};
use crate::{BillState, Classification, Fact, FactKind, PaymentEffect, Payments};

impl Queued {
    /// The word of others that this node has not heard; and, where only what others know makes a payment
    /// no double one, that it is none. Without it, what this node knows would make it one again as soon as
    /// the others' part is forgotten.
    pub(super) fn words(&self, known: Option<&BillState>, taken: PaymentEffect) -> Vec<Fact> {
        let ours = self.before.as_ref().and_then(BillState::classification);
        let theirs = known.and_then(BillState::classification);
        let unheard = theirs.filter(|theirs| ours.is_none_or(|ours| ours.stamp < theirs.stamp));
        let mut words: Vec<Fact> = unheard
            .map(|word| Fact {
                stamp: word.stamp,
                bill: self.report.bill.clone(),
                kind: repeated(word),
            })
            .into_iter()
            .collect();
        if self.taken == PaymentEffect::Double && theirs.is_none() && is_single(known, taken) {
            words.push(Fact {
                stamp: conflict_stamp(self.stamp),
                bill: self.report.bill.clone(),
                kind: FactKind::Cleared {
                    reason: "no double payment: another node knows what was cancelled".to_owned(),
                    operator: GATEWAY.to_owned(),
                },
            });
        }
        words
    }
}

/// Whether a payment is no double one to all that know of it.
fn is_single(known: Option<&BillState>, taken: PaymentEffect) -> bool {
    match taken {
        PaymentEffect::New => true,
        PaymentEffect::Repeated => known
            .and_then(BillState::payments)
            .and_then(Payments::latest_double)
            .is_none(),
        PaymentEffect::Double | PaymentEffect::OtherAmount => false,
    }
}

fn repeated(word: &Classification) -> FactKind {
    let (reason, operator) = (word.reason.clone(), word.operator.clone());
    if word.error_bill {
        FactKind::Classified { reason, operator }
    } else {
        FactKind::Cleared { reason, operator }
    }
}
