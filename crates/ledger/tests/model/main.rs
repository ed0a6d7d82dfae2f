//! An exhaustive search of what two nodes, one Redis and one biller can do to one bill.
//!
//! Every call is cut into the steps that the facade is made of, each of which another call, the
//! writer of the journal, the catch-up, a crash, a wipe or an outage can come before or after. The
//! invariants of `invariants.rs` are checked in every state that can be reached.
//!
//! What decides is the production code and not a copy of it: the fold, the merge, the judgement of
//! payments and the stamps are the library's; the decision on links and the marks, which it keeps
//! to itself, are its very files, compiled into this test. Only the order of the steps (`facade`,
//! `share`) is written here a second time.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the search makes links, and re-creates none")]
#[path = "../../src/knowledge.rs"]
mod knowledge;

use knowledge::LinkRefusal;
use ledger::{
    BillGroup, BillState, DeliveryState, Fact, FactKind, HybridLogicalClock, LinkState,
    MessageDigest, PaymentEffect, Stamp, Timestamp, journal,
};

mod broken;
mod call;
mod faults;
mod invariants;
mod note;
mod owners;
mod scenario;
mod search;
mod share;
mod state;
mod step;
mod table;
mod tests;
