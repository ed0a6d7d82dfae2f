//! A pay-result as it was report, and what it means to its bill.

use std::time::Duration;

use protocol::{Bill, PayType, PaymentEvent};

use crate::{BillState, FactKind, Message, PaymentEffect, Stamp, Timestamp};

/// How long the mark of an indistinct bill's payment lasts where no `expire_at` is in force.
const INDISTINCT_MARK: Duration = Duration::from_hours(24);

/// A pay-result as the flow has it: the bill, the event, and the bytes that said so.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    pub(super) bill: Bill,
    pub(super) event: PaymentEvent,
    pub(super) message: Message,
    pub(super) now: Timestamp,
}

impl Reported {
    /// The fact of it.
    pub(super) fn payment(&self, mark_ends_at: Option<Timestamp>) -> FactKind {
        FactKind::Payment {
            event: self.event.clone(),
            mark_ends_at,
            message: self.message.digest,
        }
    }

    /// When the mark of the payment ends (contract section 4): only where the bill cannot be told
    /// from next month's, at the `expire_at` in force, or after a day where none or only a past one
    /// is.
    pub(super) fn mark_ends_at(&self, state: Option<&BillState>) -> Option<Timestamp> {
        if !self.bill.has_only_user_key() || self.event.pay_type != PayType::P {
            return None;
        }
        let in_force = state
            .and_then(|state| state.link().expire_at())
            .map(|expire_at| Timestamp::from_seconds(expire_at.unix_seconds()))
            .filter(|end| *end > self.now);
        Some(in_force.unwrap_or_else(|| self.now.plus(INDISTINCT_MARK)))
    }

    /// What it means to a bill of which this is known; `own` are the stamps that it was told with,
    /// for it may be among what is known.
    pub(super) fn effect(&self, state: Option<&BillState>, own: &[Stamp]) -> PaymentEffect {
        state
            .and_then(BillState::payments)
            .map_or(PaymentEffect::New, |payments| {
                payments.effect_excluding(&self.event, own, self.now)
            })
    }
}
