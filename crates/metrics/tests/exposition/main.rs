//! The exposition as Prometheus reads it, against the contract's table of series.

// Counts and halves are exact; the sums of durations are compared as they are printed.
#![allow(clippy::float_cmp, clippy::unwrap_used)]

mod bounds;
mod contract;
mod counting;
#[path = "../../../gateway/tests/contract/document.rs"]
mod document;
mod page;
