//! May a pay-result be delivered again? All that nodes know together decides.

use bytes::Bytes;
use protocol::PayType;

use super::undelivered::{cancellation, note};
use super::{DeliveryLease, DeliveryOutcome, EventDelivery, Ledger, Scope, WithoutRedis};
use crate::sync::Held;
use crate::{BillState, Cancellation, DeliveryState, Digests, JournalError, Timestamp};

/// Which cancelled payments a redelivery skips. It does not apply to events of type C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipCancelled {
    /// Payments that are cancelled in part or fully.
    AnyPart,
    /// Payments that are cancelled fully.
    Fully,
    /// No payment: an operator named it.
    Never,
}

/// Whether a pay-result may be delivered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redelivery {
    /// The biller accepted it already, through this node or another.
    Accepted,
    /// Kakao Pay cancelled the payment.
    Cancelled,
    /// An operator closed it, through this node or another.
    Closed,
    /// Redis cannot be reached, so what other nodes delivered, and which cancels they took, is not known.
    OutOfReach,
    /// It may be delivered again.
    Allowed {
        /// The bytes of the pay-result.
        body: Bytes,
        /// How much of the payment was cancelled.
        cancelled: Cancellation,
    },
    /// This node's journal does not have the bytes.
    NotKept,
}

impl SkipCancelled {
    const fn leaves(self, cancelled: Cancellation) -> bool {
        match self {
            Self::AnyPart => !matches!(cancelled, Cancellation::No),
            Self::Fully => matches!(cancelled, Cancellation::Fully),
            Self::Never => false,
        }
    }
}

impl Ledger {
    /// Decides whether a claimed pay-result may be delivered again under this lease, and reads its bytes.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn redelivery(
        &self,
        one: &EventDelivery,
        message: impl Into<Digests>,
        skip: SkipCancelled,
        lease: &DeliveryLease,
        now: Timestamp,
    ) -> Result<Redelivery, JournalError> {
        let message: Digests = message.into();
        let (held, scope) = self.ask_others(one, &message).await;
        let accepted = match &self.share {
            Some(share) => share.accepted(&one.bill, Some(&held), &message).await,
            None => None,
        };
        if let Some((_, answer)) = accepted {
            let delivered = DeliveryOutcome::Accepted(answer);
            note(
                self.record_delivery(&one.bill, &one.event, message.into(), delivered, now)
                    .await,
            );
            return Ok(Redelivery::Accepted);
        }
        let resident = self.node.resident(&one.bill).await?;
        let joined = held.join(&one.bill, &resident.local());
        let state: Option<&BillState> = joined.state.as_ref();
        match state.and_then(|state| state.delivery(&one.event)) {
            Some(DeliveryState::Accepted) => {
                self.learn_accepted(one, now).await;
                return Ok(Redelivery::Accepted);
            }
            Some(DeliveryState::Closed) => return Ok(Redelivery::Closed),
            _ => {}
        }
        let cancelled = cancellation(state, one);
        if one.event.pay_type == PayType::P && skip.leaves(cancelled) {
            return Ok(Redelivery::Cancelled);
        }
        if scope == Scope::ThisNodeOnly && lease.without_redis() == WithoutRedis::Waits {
            return Ok(Redelivery::OutOfReach);
        }
        let biller = one.bill.biller_code();
        let event = one.event.clone();
        let kept = self
            .read_journal(move |reader| reader.message(biller, &event, &message.bytes))
            .await?;
        Ok(
            kept.map_or(Redelivery::NotKept, |kept| Redelivery::Allowed {
                body: kept.body,
                cancelled,
            }),
        )
    }

    async fn ask_others(&self, one: &EventDelivery, message: &Digests) -> (Held, Scope) {
        let Some(share) = &self.share else {
            return (Held::default(), Scope::SingleNode);
        };
        match share.read(&one.bill, Some(message)).await {
            // Another node may have taken a cancel that it cannot share.
            Ok(held) if share.refuses_writes(&one.bill) => (held, Scope::ThisNodeOnly),
            Ok(held) => (held, Scope::AllNodes),
            Err(_) => (Held::default(), Scope::ThisNodeOnly),
        }
    }
}
