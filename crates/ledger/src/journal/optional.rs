//! The members that only some kinds of fact have.

use protocol::{KoreanTime, PaymentEvent};

use crate::{DeliveryState, FactKind, MessageDigest, Stamp, Timestamp};

/// They stay NULL where a kind does not have them.
#[derive(Default)]
pub(super) struct Optional<'a> {
    pub(super) attempt: Option<Stamp>,
    pub(super) after_unknown: Option<bool>,
    pub(super) until: Option<Timestamp>,
    pub(super) expire_at: Option<&'a KoreanTime>,
    pub(super) event: Option<&'a PaymentEvent>,
    pub(super) mark_ends_at: Option<Timestamp>,
    pub(super) message: Option<&'a MessageDigest>,
    pub(super) delivery: Option<DeliveryState>,
    pub(super) reason: Option<&'a str>,
    pub(super) operator: Option<&'a str>,
}

impl<'a> From<&'a FactKind> for Optional<'a> {
    fn from(kind: &'a FactKind) -> Self {
        let none = Self::default();
        match kind {
            FactKind::Reserved {
                until,
                after_unknown,
            } => Self {
                until: Some(*until),
                after_unknown: Some(*after_unknown),
                ..none
            },
            FactKind::Released {
                attempt,
                after_unknown,
            } => Self {
                attempt: Some(*attempt),
                after_unknown: Some(*after_unknown),
                ..none
            },
            FactKind::Uncertain { attempt } => Self {
                attempt: Some(*attempt),
                ..none
            },
            FactKind::Linked { attempt, expire_at } => Self {
                attempt: Some(*attempt),
                expire_at: Some(expire_at),
                ..none
            },
            FactKind::Relinked { expire_at } => Self {
                expire_at: Some(expire_at),
                ..none
            },
            FactKind::Payment {
                event,
                mark_ends_at,
                message,
            } => Self {
                event: Some(event),
                mark_ends_at: *mark_ends_at,
                message: Some(message),
                ..none
            },
            FactKind::Delivery {
                event,
                message,
                state,
            } => Self {
                event: Some(event),
                message: Some(message),
                delivery: Some(*state),
                ..none
            },
            FactKind::PayResultRefused { message } => Self {
                message: Some(message),
                ..none
            },
            FactKind::DeliveryClosed { .. }
            | FactKind::RefusalClosed { .. }
            | FactKind::Classified { .. }
            | FactKind::Cleared { .. } => Self::of_operator(kind),
        }
    }
}

impl<'a> Optional<'a> {
    /// The members of the facts that have a reason and an operator.
    fn of_operator(kind: &'a FactKind) -> Self {
        let said = |reason, operator| Self {
            reason: Some(reason),
            operator: Some(operator),
            ..Self::default()
        };
        match kind {
            FactKind::DeliveryClosed {
                event,
                message,
                reason,
                operator,
            } => Self {
                event: Some(event),
                message: Some(message),
                delivery: Some(DeliveryState::Closed),
                ..said(reason, operator)
            },
            FactKind::RefusalClosed {
                message,
                reason,
                operator,
            } => Self {
                message: Some(message),
                ..said(reason, operator)
            },
            FactKind::Classified { reason, operator } | FactKind::Cleared { reason, operator } => {
                said(reason, operator)
            }
            _ => Self::default(),
        }
    }
}
