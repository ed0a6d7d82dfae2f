//! Facts: the immutable records whose fold is the state of a bill.

use protocol::{Bill, KoreanTime, PaymentEvent};

use crate::{DeliveryState, MessageDigest, Stamp, Timestamp};

/// One immutable event in the life of one bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The hybrid logical time of the fact, and the node that made it.
    pub stamp: Stamp,
    /// The bill.
    pub bill: Bill,
    /// What happened.
    pub kind: FactKind,
}

/// The kinds of facts (contract section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// A `link_create` is about to be relayed: a lease on the bill. Without a settlement the outcome
    /// is unknown after `until`. The stamp of this fact identifies the attempt.
    Reserved {
        /// The end of the call's budget.
        until: Timestamp,
        /// Whether an earlier attempt ended with an unknown outcome.
        after_unknown: bool,
    },
    /// The attempt made no link: Kakao Pay refused it, or was not reached.
    Released {
        /// The stamp of the reservation.
        attempt: Stamp,
        /// Whether an earlier attempt ended with an unknown outcome: the link is unknown again.
        after_unknown: bool,
    },
    /// The attempt may or may not have made a link.
    Uncertain {
        /// The stamp of the reservation.
        attempt: Stamp,
    },
    /// Kakao Pay made the link.
    Linked {
        /// The stamp of the reservation.
        attempt: Stamp,
        /// The end of the link.
        expire_at: KoreanTime,
    },
    /// Kakao Pay re-created the link.
    Relinked {
        /// The end of the link.
        expire_at: KoreanTime,
    },
    /// Kakao Pay reported a payment or a cancel.
    Payment {
        /// The payment or cancel.
        event: PaymentEvent,
        /// When this payment stops counting; only for a bill that cannot be distinguished from next
        /// month's.
        mark_ends_at: Option<Timestamp>,
        /// The digest of the pay-result; the journal keeps its bytes.
        message: MessageDigest,
    },
    /// The outcome of one delivery attempt of a pay-result to its biller.
    Delivery {
        /// The event of the pay-result.
        event: PaymentEvent,
        /// The digest of the pay-result.
        message: MessageDigest,
        /// The outcome.
        state: DeliveryState,
    },
    /// An operator closed an event that its biller had not accepted.
    DeliveryClosed {
        /// The event of the pay-result.
        event: PaymentEvent,
        /// The digest of the pay-result.
        message: MessageDigest,
        /// The reason that was given.
        reason: String,
        /// The name of the operator.
        operator: String,
    },
    /// A pay-result of this bill was refused by a check: the bill is an error bill (`E817`) until that is closed.
    PayResultRefused {
        /// The digest of the pay-result; the journal keeps its bytes.
        message: MessageDigest,
    },
    /// A refused pay-result of this bill was delivered, passed the checks, or was closed by an operator.
    RefusalClosed {
        /// The digest of the pay-result.
        message: MessageDigest,
        /// How it ended, or the operator's reason.
        reason: String,
        /// The name of the operator, or `gateway`.
        operator: String,
    },
    /// The bill becomes an error bill (`E817`).
    Classified {
        /// The reason that was given.
        reason: String,
        /// The name of the operator, or `gateway`.
        operator: String,
    },
    /// The bill is no longer an error bill.
    Cleared {
        /// The reason that was given.
        reason: String,
        /// The name of the operator, or `gateway`.
        operator: String,
    },
}

impl FactKind {
    /// Returns whether the fact concerns the link of the bill.
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

    /// Returns the name in the journal and for operators.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Reserved { .. } => "reserved",
            Self::Released { .. } => "released",
            Self::Uncertain { .. } => "uncertain",
            Self::Linked { .. } => "linked",
            Self::Relinked { .. } => "relinked",
            Self::Payment { .. } => "payment",
            Self::Delivery { .. } | Self::DeliveryClosed { .. } => "delivery",
            Self::PayResultRefused { .. } => "pay_result_refused",
            Self::RefusalClosed { .. } => "refusal_closed",
            Self::Classified { .. } => "classified",
            Self::Cleared { .. } => "cleared",
        }
    }
}
