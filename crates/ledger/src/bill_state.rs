//! The state of one bill: the fold of its facts, and the only place where a fact changes anything.

use crate::codec::{Decoder, Encode, Unreadable};
use crate::{
    Classification, DeliveryState, Fact, FactKind, Link, LinkState, Payments, Stamp, Timestamp,
};

/// Everything the gateway knows of one bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillState {
    link: Link,
    /// Most bills have no payment yet; an empty box costs a word.
    payments: Option<Box<Payments>>,
    classification: Option<Box<Classification>>,
}

impl BillState {
    /// Folds one fact in. Total, pure, idempotent, and free of order.
    pub fn fold(&mut self, fact: &Fact) {
        let stamp = fact.stamp;
        match &fact.kind {
            FactKind::Reserved { .. }
            | FactKind::Released { .. }
            | FactKind::Uncertain { .. }
            | FactKind::Linked { .. }
            | FactKind::Relinked { .. } => self.link.fold(fact),
            FactKind::Payment {
                event,
                mark_ends_at,
                ..
            } => self
                .payments_mut()
                .fold_payment(event, stamp, *mark_ends_at),
            FactKind::Delivery { event, state, .. } => {
                self.payments_mut().fold_delivery(event, stamp, *state);
            }
            FactKind::Classified { reason, operator } => self.say(stamp, true, reason, operator),
            FactKind::Cleared { reason, operator } => self.say(stamp, false, reason, operator),
        }
    }

    /// What two nodes know of the bill, together: the fold of all facts of both.
    pub fn merge(&mut self, other: &Self) {
        self.link.merge(&other.link);
        if let Some(payments) = &other.payments {
            self.payments_mut().merge(payments);
        }
        if let Some(word) = &other.classification {
            Classification::clone(word).fold_into(&mut self.classification);
        }
    }

    /// The latest stamp of anything that is known of the bill.
    pub fn latest(&self) -> Stamp {
        let payments = self.payments.as_ref().map(|payments| payments.latest());
        let word = self.classification.as_ref().map(|word| word.stamp);
        let latest = payments.max(word).unwrap_or_default();
        latest.max(self.link.latest())
    }

    /// How the link stands at `now`.
    pub fn link_state(&self, now: Timestamp) -> LinkState {
        self.link.state(now)
    }

    /// The link facts, folded.
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// Whether the bill is paid at `now`.
    pub fn is_paid(&self, now: Timestamp) -> bool {
        self.payments
            .as_ref()
            .is_some_and(|payments| payments.is_paid(now))
    }

    /// The payment facts, folded; `None` where there are none.
    pub fn payments(&self) -> Option<&Payments> {
        self.payments.as_deref()
    }

    /// Whether the bill is classified as an error bill.
    pub fn is_error_bill(&self) -> bool {
        self.classification
            .as_ref()
            .is_some_and(|word| word.error_bill)
    }

    /// The latest word of classification.
    pub fn classification(&self) -> Option<&Classification> {
        self.classification.as_deref()
    }

    /// How many of the bill's events were told to the biller and not accepted.
    pub fn undelivered(&self) -> usize {
        self.payments
            .as_ref()
            .map_or(0, |payments| payments.undelivered())
    }

    /// How the biller took one event.
    pub fn delivery(&self, event: &protocol::PaymentEvent) -> Option<DeliveryState> {
        self.payments.as_ref()?.delivery(event)
    }

    fn payments_mut(&mut self) -> &mut Payments {
        self.payments.get_or_insert_with(Box::default)
    }

    fn say(&mut self, stamp: Stamp, error_bill: bool, reason: &str, operator: &str) {
        let word = Classification {
            stamp,
            error_bill,
            reason: reason.to_owned(),
            operator: operator.to_owned(),
        };
        word.fold_into(&mut self.classification);
    }
}

impl Encode for BillState {
    fn encode(&self, out: &mut Vec<u8>) {
        self.link.encode(out);
        self.payments.as_deref().encode(out);
        self.classification.as_deref().encode(out);
    }
}

impl BillState {
    pub(crate) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            link: Link::decode(decoder)?,
            payments: decoder.option(Payments::decode)?.map(Box::new),
            classification: decoder.option(Classification::decode)?.map(Box::new),
        })
    }
}
