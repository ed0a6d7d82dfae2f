//! The operators' commands against a running gateway: what they see, what they change, and what
//! they are refused.
#![allow(missing_docs, clippy::too_many_lines, clippy::unwrap_used)]

mod access;
mod any_node;
mod bills;
mod closed;
mod fixture;
mod ledger;
mod nodes;
mod payments;
mod progress;
mod refused;
mod shared;
mod upkeep;
