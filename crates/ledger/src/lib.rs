//! The ledger: what is known of every bill, and the promise that a payment is never forgotten.
//!
//! A [`Fact`] is small and immutable. It is written to this node's durable [`journal`] first; the
//! state of a bill is the pure fold of its facts ([`BillState::fold`]), and folding the same facts
//! twice, or in another order, gives the same state. [`Ledger`] is the facade that the flows use.
//!
//! This crate knows no HTTP. Time comes in as a value ([`Timestamp`]), so that tests own the clock.

mod bill_state;
mod book;
mod claim;
mod classification;
mod codec;
mod conflict;
mod delivery;
mod facade;
mod fact;
mod family;
pub mod journal;
mod knowledge;
mod link;
mod message;
mod owners;
mod payments;
mod retention;
mod share;
mod shared;
mod stamp;

/// Redis as the state that nodes share: how it is reached, and what is read and written there.
pub mod redis {
    pub use crate::shared::*;
}

pub use bill_state::BillState;
pub use claim::{Claim, ClaimGuard, UnderWay};
pub use classification::Classification;
pub use delivery::DeliveryState;
pub use facade::{
    BillHistory, BillerUndelivered, DeliveryAttempts, DeliveryOutcome, Durability, EventDelivery,
    Ledger, LinkOutcome, Options, Rebuild, RecordOutcome, RecordedPayment, Redelivery,
    RedisDifference, Reservation, Scope, ScopedState, SkipCancelled, Verification, verify_offline,
};
pub use fact::{Fact, FactKind};
pub use family::BillGroup;
pub use journal::JournalError;
pub use knowledge::{BillView, LinkRefusal};
pub use link::{Link, LinkState};
pub use message::{KeptAnswer, MessageDigest};
pub use payments::{Cancellation, PaymentEffect, PaymentGroup, PaymentRecord, Payments};
pub use share::Observer;
pub use stamp::{HybridLogicalClock, Stamp, Timestamp};
