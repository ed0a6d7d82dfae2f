//! Facts: the only things that change a bill's state.

use protocol::{Bill, KoreanTime, PaymentEvent};

use crate::{DeliveryState, MessageDigest, Stamp, Timestamp};

/// One immutable thing that happened to one bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// When, and told by which node; unique.
    pub stamp: Stamp,
    /// Whose.
    pub bill: Bill,
    /// What.
    pub kind: FactKind,
}

/// What can happen to a bill (contract section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A `link_create` is about to be relayed. Where nothing settles it, its outcome is unknown
    /// once `until` has passed. The fact's own stamp names the attempt.
    Reserved {
        /// End of the call's budget.
        until: Timestamp,
        /// An earlier attempt had ended without a known outcome.
        after_unknown: bool,
    },
    /// The attempt came to nothing: Kakao Pay refused it, or was never reached.
    Released {
        /// Stamp of the reservation.
        attempt: Stamp,
        /// An earlier attempt had ended without a known outcome: the bill goes back to unknown.
        after_unknown: bool,
    },
    /// The attempt may or may not have made a link.
    Uncertain {
        /// Stamp of the reservation.
        attempt: Stamp,
    },
    /// Kakao Pay made the link.
    Linked {
        /// Stamp of the reservation.
        attempt: Stamp,
        /// When the link ends.
        expire_at: KoreanTime,
    },
    /// Kakao Pay made the link anew.
    Relinked {
        /// When the link ends.
        expire_at: KoreanTime,
    },
    /// Kakao Pay reported a payment or a cancel.
    Payment {
        /// What was paid or cancelled.
        event: PaymentEvent,
        /// For a bill that cannot be told from next month's: when this payment stops counting.
        mark_ends_at: Option<Timestamp>,
        /// The pay-result that said so; its bytes are kept beside the fact.
        message: MessageDigest,
    },
    /// How a biller took a pay-result.
    Delivery {
        /// The event that was told.
        event: PaymentEvent,
        /// The pay-result that told it.
        message: MessageDigest,
        /// What came of it.
        state: DeliveryState,
    },
    /// The bill is an error bill (`E817`) from now on.
    Classified {
        /// Why.
        reason: String,
        /// Who said so: an operator's name, or `gateway`.
        operator: String,
    },
    /// The bill is no error bill any more.
    Cleared {
        /// Why.
        reason: String,
        /// Who said so.
        operator: String,
    },
}

impl FactKind {
    /// Whether it says something about the bill's link.
    pub const fn concerns_link(&self) -> bool {
        matches!(
            self,
            Self::Reserved { .. }
                | Self::Released { .. }
                | Self::Uncertain { .. }
                | Self::Linked { .. }
                | Self::Relinked { .. }
        )
    }

    /// The name the journal and operators use.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reserved { .. } => "reserved",
            Self::Released { .. } => "released",
            Self::Uncertain { .. } => "uncertain",
            Self::Linked { .. } => "linked",
            Self::Relinked { .. } => "relinked",
            Self::Payment { .. } => "payment",
            Self::Delivery { .. } => "delivery",
            Self::Classified { .. } => "classified",
            Self::Cleared { .. } => "cleared",
        }
    }
}
