//! The state of one bill: the fold of its facts.
//!
//! A [`BillState`] is a state-based CRDT: [`fold`](BillState::fold) adds one fact,
//! [`merge`](BillState::merge) joins the states of two nodes. Both are commutative and idempotent.

use crate::state::codec::{Decoder, Encode, FIRST_VERSION, Unreadable, WITH_REFUSALS};
use crate::state::heap_bytes::HeapBytes;
use crate::state::horizon::Horizon;
use crate::state::refusals::Refusals;
use crate::{
    Classification, DeliveryState, Fact, FactKind, Link, LinkState, MessageDigest, Payments, Stamp,
    Timestamp,
};

/// The links, payments and classification of one bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillState {
    link: Link,
    /// Boxed: most bills have no payment, and the node holds millions of bills.
    payments: Option<Box<Payments>>,
    classification: Option<Box<Classification>>,
}

impl BillState {
    /// Adds one fact. A fact that is folded twice, or in another order, gives the same state.
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
            FactKind::DeliveryClosed { event, .. } => {
                let payments = self.payments_mut();
                payments.fold_delivery(event, stamp, DeliveryState::Closed);
            }
            FactKind::PayResultRefused { message } => {
                self.payments_mut()
                    .refusals_mut()
                    .fold_opened(*message, stamp);
            }
            FactKind::RefusalClosed { message, .. } => {
                self.payments_mut()
                    .refusals_mut()
                    .fold_closed(*message, stamp);
            }
            FactKind::Classified { reason, operator } | FactKind::Cleared { reason, operator } => {
                self.fold_classification(fact, reason, operator);
            }
        }
    }

    /// Merges the state of another node (CRDT merge): the result is the fold of the facts of both.
    pub fn merge(&mut self, other: &Self) {
        self.merge_owned(other.clone());
    }

    /// The same with a state that is not needed any more: the cost is that of the state with fewer payments.
    pub fn merge_owned(&mut self, other: Self) {
        self.link.merge(&other.link);
        if let Some(payments) = other.payments {
            self.payments_mut().merge(*payments);
        }
        if let Some(theirs) = other.classification {
            theirs.fold_into(&mut self.classification);
        }
    }

    /// Forgets the payments.
    pub(crate) fn drop_payments(&mut self) {
        self.payments = None;
    }

    /// Returns whether no fact is in the state.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the latest stamp in the state; the default stamp where there is none.
    pub fn latest(&self) -> Stamp {
        let payments = self.payments.as_ref().map(|payments| payments.latest());
        let classified = self.classification.as_ref().map(|latest| latest.stamp);
        let latest = payments.max(classified).unwrap_or_default();
        latest.max(self.link.latest())
    }

    /// Returns whether nothing is known but attempts that made no link.
    pub fn is_settled_to_nothing(&self) -> bool {
        self.payments.is_none()
            && self.classification.is_none()
            && self.link.is_settled_to_nothing()
    }

    /// Returns the state of the link at `now`.
    pub fn link_state(&self, now: Timestamp) -> LinkState {
        self.link.state(now)
    }

    /// Returns the fold of the link facts.
    pub const fn link(&self) -> &Link {
        &self.link
    }

    /// Returns whether the bill is paid at `now`.
    pub fn is_paid(&self, now: Timestamp) -> bool {
        self.payments
            .as_ref()
            .is_some_and(|payments| payments.is_paid(now))
    }

    /// Returns the fold of the payment facts; `None` where there is none.
    pub fn payments(&self) -> Option<&Payments> {
        self.payments.as_deref()
    }

    /// Returns whether the bill is an error bill: by its latest classification fact, or because a refused pay-result
    /// of it is open.
    pub fn is_error_bill(&self) -> bool {
        self.is_classified() || self.open_refusals().next().is_some()
    }

    /// Returns whether the latest classification fact makes the bill an error bill.
    pub fn is_classified(&self) -> bool {
        self.classification
            .as_ref()
            .is_some_and(|latest| latest.error_bill)
    }

    /// Returns the digests of the refused pay-results of this bill that are open, each with its stamp.
    pub fn open_refusals(&self) -> impl Iterator<Item = (MessageDigest, Stamp)> {
        let refusals = self
            .payments
            .iter()
            .filter_map(|payments| payments.refusals());
        refusals.flat_map(Refusals::open)
    }

    /// Returns the latest classification fact.
    pub fn classification(&self) -> Option<&Classification> {
        self.classification.as_deref()
    }

    /// Returns the number of events with a delivery attempt that the biller did not accept.
    pub fn undelivered(&self) -> usize {
        self.payments
            .as_ref()
            .map_or(0, |payments| payments.undelivered())
    }

    /// Returns the delivery state of one event; `None` before its first delivery fact.
    pub fn delivery(&self, event: &protocol::PaymentEvent) -> Option<DeliveryState> {
        self.payments.as_ref()?.delivery(event)
    }

    fn payments_mut(&mut self) -> &mut Payments {
        self.payments.get_or_insert_with(Box::default)
    }

    // Cold: classifications are rare, and their code would slow down every other fold.
    #[cold]
    fn fold_classification(&mut self, fact: &Fact, reason: &str, operator: &str) {
        let classification = Classification {
            stamp: fact.stamp,
            error_bill: matches!(fact.kind, FactKind::Classified { .. }),
            reason: reason.to_owned(),
            operator: operator.to_owned(),
        };
        classification.fold_into(&mut self.classification);
    }
}

impl BillState {
    /// Returns the refused pay-results; `None` where there is none, so that the value has the first format.
    pub(crate) fn refusals(&self) -> Option<&Refusals> {
        self.payments.as_ref()?.refusals()
    }

    pub(crate) fn put_refusals(&mut self, refusals: Refusals) {
        self.payments_mut().refusals_mut().merge(refusals);
    }
}

impl HeapBytes for BillState {
    fn heap_bytes(&self) -> usize {
        self.payments.heap_bytes() + self.classification.heap_bytes()
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

/// The state of one bill as Redis holds it: behind the state, the refused pay-results where there are any.
pub(crate) struct BillValue<'a>(pub(crate) &'a BillState);

impl Encode for BillValue<'_> {
    fn version(&self) -> u64 {
        self.0.refusals().map_or(FIRST_VERSION, |_| WITH_REFUSALS)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        if let Some(refusals) = self.0.refusals() {
            refusals.encode(out);
        }
    }
}

impl BillValue<'_> {
    /// Reads the bytes that [`codec::to_bytes`](crate::state::codec::to_bytes) made.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        horizon: Option<&Horizon>,
    ) -> Result<BillState, Unreadable> {
        let mut decoder = Decoder::within(bytes, horizon)?;
        let mut state = BillState::decode(&mut decoder)?;
        if decoder.version() == WITH_REFUSALS {
            state.put_refusals(Refusals::decode(&mut decoder)?);
        }
        decoder.finish()?;
        Ok(state)
    }
}
