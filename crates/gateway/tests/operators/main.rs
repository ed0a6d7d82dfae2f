//! The operators' commands against a running gateway: what they see, what they change, and what
//! they are refused.
#![allow(missing_docs, clippy::unwrap_used)]

mod access;
mod bills;
mod fixture;
mod ledger;
mod payments;
#[path = "../../../ledger/tests/support/redis.rs"]
#[allow(dead_code)]
mod redis_server;
mod shared;
#[path = "../support/mod.rs"]
mod support;
