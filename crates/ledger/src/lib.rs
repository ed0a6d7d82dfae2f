//! The ledger: the state of every bill, derived from facts on durable storage.
//!
//! A [`Fact`] is small and immutable. A node writes it to its durable [`journal`] first. The state of
//! a bill ([`BillState`]) is the fold of its facts and a state-based CRDT: the order and the number
//! of times that facts are folded or states are merged do not matter. Facts are ordered by a hybrid
//! logical clock ([`Stamp`]). [`Ledger`] is the interface that the flows call.
//!
//! This crate has no HTTP. Callers pass the time as a value ([`Timestamp`]), so tests set the clock.

#[cfg(test)]
extern crate self as ledger;

mod bill_state;
mod book;
mod claim;
mod classification;
mod codec;
mod conflict;
mod delivery;
mod facade;
mod fact;
mod fact_context;
mod family;
mod horizon;
pub mod journal;
mod link;
mod link_decision;
mod message;
mod owners;
mod payments;
mod refusals;
mod refused;
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
    Ledger, LeftBehind, LinkOutcome, Options, Rebuild, RecordOutcome, RecordedPayment, Redelivery,
    RedisDifference, RefusedEnd, RefusedKept, Reservation, Scope, ScopedState, SkipCancelled,
    Verification, verify_offline,
};
pub use fact::{Fact, FactKind};
pub use fact_context::{AnswerSummary, FactContext, Message};
pub use family::BillGroup;
pub use journal::JournalError;
pub use link::{Link, LinkState};
pub use link_decision::{BillView, LinkRefusal};
pub use message::{Digests, KeptAnswer, MessageDigest};
pub use payments::{Cancellation, PaymentEffect, PaymentGroup, PaymentRecord, Payments};
pub use refused::{
    REFUSED_BOUND, REFUSED_BYTES_BOUND, RefusedClosing, RefusedEntry, RefusedOutcome,
    RefusedPayResult,
};
pub use share::Observer;
pub use stamp::{HybridLogicalClock, Stamp, Timestamp};
