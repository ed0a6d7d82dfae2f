//! What a fact changes in the indexes: whether its bill is registered, and which events are open.
//!
//! An *open* event is one that is under way or undelivered. At most one of its rows is marked: the payment while no
//! delivery is known, else the deciding delivery while it is neither accepted nor closed.

use protocol::PaymentEvent;

use crate::{BillState, Fact, FactKind, Link};

/// What is true behind a fact, once it is folded into its bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// `None`: the bill has no link fact; `false`: no attempt made a link; `true`: linked, reserved or unknown.
    pub registered: Option<bool>,
    /// Whether this fact's row is the one that marks its event as open.
    pub is_open: bool,
}

impl Effect {
    /// Folds a fact into the state of its bill and returns its effect.
    pub fn fold(state: &mut BillState, fact: &Fact) -> Self {
        let is_open = match &fact.kind {
            FactKind::Payment { event, .. } => {
                let is_known = state.payments().is_some_and(|payments| payments.has(event));
                state.fold(fact);
                !is_known
            }
            FactKind::Delivery {
                event, state: to, ..
            } => {
                state.fold(fact);
                let decides = state
                    .payments()
                    .and_then(|payments| payments.stamped_delivery(event));
                !to.is_settled() && decides == Some((fact.stamp, *to))
            }
            _ => {
                state.fold(fact);
                false
            }
        };
        Self {
            registered: registered(state.link()),
            is_open,
        }
    }
}

/// Returns what `bill.registered` is of this link.
pub(super) fn registered(link: &Link) -> Option<bool> {
    (!link.is_unheard_of()).then(|| !link.is_settled_to_nothing())
}

/// Returns whether no other row of the event is open any more once a row with this effect is written.
pub(super) const fn ends_others(kind: &FactKind, effect: Effect) -> bool {
    match kind {
        // A settled delivery decides, or one that decided before it has settled the event.
        FactKind::Delivery { state, .. } => state.is_settled() || effect.is_open,
        FactKind::DeliveryClosed { .. } => true,
        _ => false,
    }
}

/// Returns the event of a payment or delivery.
pub(super) const fn event_of(kind: &FactKind) -> Option<&PaymentEvent> {
    match kind {
        FactKind::Payment { event, .. }
        | FactKind::Delivery { event, .. }
        | FactKind::DeliveryClosed { event, .. } => Some(event),
        _ => None,
    }
}
