//! An exhaustive search of the states that two nodes, one Redis and one biller can reach with one bill.
//!
//! Every call is split into the steps of the api. Before and after each of them another call, the
//! journal's writer, the resync, a crash, a wipe or an outage can come. The invariants of
//! `invariants.rs` are checked in every reachable state.
//!
//! The decisions are production code: the fold, the merge, the judgement of payments and the stamps are
//! the library's; the decision on links and the marks, which are private, are its files, compiled into
//! this test. Only the order of the steps (`api`, `sync`) is repeated here.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the search makes links, and re-creates none")]
#[path = "../../src/node/decision.rs"]
mod decision;

use decision::LinkRefusal;
use ledger::{
    BillState, DeliveryState, Fact, FactKind, HybridLogicalClock, LinkState, MessageDigest,
    PaymentEffect, Stamp, Timestamp, journal,
};
use registered_bills::RegisteredBills;

mod broken;
mod call;
mod faults;
mod invariants;
mod note;
mod registered_bills;
mod scenario;
mod search;
mod share;
mod state;
mod step;
mod table;
mod tests;
