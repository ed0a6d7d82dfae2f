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

mod api;
pub mod journal;
mod node;
mod observer;
pub mod redis;
mod state;
mod sync;

pub use api::{
    BillHistory, BillerUndelivered, Copies, DeliveryAttempts, DeliveryLease, DeliveryOutcome,
    DeliveryTurn, DueNow, Durability, EventDelivery, ForgottenCount, IdentityUse, KeptFrom, Ledger,
    LeftBehind, LinkOutcome, NotForgotten, Options, Rebuild, RecordOutcome, RecordedPayment,
    Redelivery, RedisDifference, RefusedEnd, RefusedKept, Reservation, RetentionPreview, Scope,
    ScopedState, SkipCancelled, Verification, WithoutRedis, verify_offline,
};
pub use journal::{BackupReport, IdentityInForce, JournalError, Restored, restore};
pub use node::{
    BillView, CacheFigures, Claim, ClaimGuard, LinkRefusal, REFUSED_BOUND, REFUSED_BYTES_BOUND,
    UnderWay,
};
pub use observer::{Observer, UpgradeProgress};
pub(crate) use state::registered_bills::RegisteredBills;
pub use state::{
    AnswerSummary, Author, BillGroup, BillState, Cancellation, Classification, DeliveryState,
    Digests, Fact, FactContext, FactKind, FactRecord, HeapBytes, HybridLogicalClock, KeptAnswer,
    Link, LinkState, Message, MessageDigest, PaymentEffect, PaymentGroup, PaymentRecord, Payments,
    RefusedClosing, RefusedEntry, RefusedOutcome, RefusedPayResult, RegisteredNode, Replica, Stamp,
    Timestamp,
};
