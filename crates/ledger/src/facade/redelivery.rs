//! May a pay-result be delivered again? All that nodes know together decides.

use bytes::Bytes;
use protocol::PayType;

use super::undelivered::{cancellation, note};
use super::{DeliveryOutcome, EventDelivery, Ledger, Scope};
use crate::share::Held;
use crate::{BillState, Cancellation, DeliveryState, JournalError, MessageDigest, Timestamp};

/// Which payments are left alone although their biller has not accepted them. Cancels are not
/// meant by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipCancelled {
    /// Those of which anything was cancelled, and all while nobody can say whether it was.
    AnyPart,
    /// Those that were cancelled fully.
    Fully,
    /// None: somebody asked for this very one.
    Never,
}

/// Whether a pay-result may be delivered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redelivery {
    /// The biller accepted it, by this node or another: it is not told again.
    Accepted,
    /// Kakao Pay cancelled its payment, as this or another node knows.
    Cancelled,
    /// The other nodes cannot be asked.
    OutOfReach,
    /// It may.
    Allowed {
        /// Its bytes.
        body: Bytes,
        /// How much of its payment was cancelled.
        cancelled: Cancellation,
    },
    /// Its bytes are not in this node's journal.
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
    /// Whether a pay-result that this node claimed may be delivered again, and its bytes.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn redelivery(
        &self,
        one: &EventDelivery,
        message: MessageDigest,
        skip: SkipCancelled,
        now: Timestamp,
    ) -> Result<Redelivery, JournalError> {
        let (held, scope) = self.ask_others(one, &message).await;
        if let Some(answer) = held.accepted.clone() {
            let delivered = DeliveryOutcome::Accepted(answer);
            note(
                self.record_delivery(&one.bill, &one.event, message, delivered, now)
                    .await,
            );
            return Ok(Redelivery::Accepted);
        }
        let joined = held.join(&self.node.book_of(&one.bill).lock().knowledge(&one.bill));
        let state: Option<&BillState> = joined.knowledge().get(&one.bill);
        if state.and_then(|state| state.delivery(&one.event)) == Some(DeliveryState::Accepted) {
            self.learn_accepted(one, now).await;
            return Ok(Redelivery::Accepted);
        }
        let cancelled = cancellation(state, one);
        if one.event.pay_type == PayType::P && skip.leaves(cancelled) {
            return Ok(Redelivery::Cancelled);
        }
        if scope == Scope::ThisNodeOnly && skip == SkipCancelled::AnyPart {
            return Ok(Redelivery::OutOfReach);
        }
        let biller = one.bill.biller_code();
        let kept = self
            .read_journal(move |reader| reader.message(biller, &message))
            .await?;
        Ok(
            kept.map_or(Redelivery::NotKept, |kept| Redelivery::Allowed {
                body: kept.body,
                cancelled,
            }),
        )
    }

    async fn ask_others(&self, one: &EventDelivery, message: &MessageDigest) -> (Held, Scope) {
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
