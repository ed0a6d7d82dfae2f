//! What is known of a bill: facts, their fold, and the bytes of both.
//!
//! A [`Fact`] is small and immutable. The state of a bill ([`BillState`]) is the fold of its facts and a state-based
//! CRDT. Facts are ordered by a hybrid logical clock ([`Stamp`]). This module reads and writes nothing.

mod author;
mod bill_group;
pub(crate) mod bill_state;
mod classification;
pub(crate) mod codec;
pub(crate) mod conflict;
mod delivery;
mod fact;
mod fact_context;
pub(crate) mod fact_record;
mod heap_bytes;
pub(crate) mod horizon;
pub(crate) mod hybrid_logical_clock;
pub(crate) mod link;
mod message;
pub(crate) mod owners;
pub(crate) mod paid_identities;
mod payments;
mod refusals;
mod refused;
pub(crate) mod registered_bills;
mod registered_node;
mod sorted;

pub use author::Author;
pub use bill_group::BillGroup;
pub use bill_state::BillState;
pub use classification::Classification;
pub use delivery::DeliveryState;
pub use fact::{Fact, FactKind};
pub use fact_context::{AnswerSummary, FactContext, Message};
pub use fact_record::FactRecord;
pub use heap_bytes::HeapBytes;
pub use hybrid_logical_clock::{HybridLogicalClock, Stamp, Timestamp};
pub use link::{Link, LinkState};
pub use message::{Digests, KeptAnswer, MessageDigest};
pub use payments::{Cancellation, PaymentEffect, PaymentGroup, PaymentRecord, Payments};
pub use refused::{RefusedClosing, RefusedEntry, RefusedOutcome, RefusedPayResult};
pub use registered_node::{RegisteredNode, Replica};
