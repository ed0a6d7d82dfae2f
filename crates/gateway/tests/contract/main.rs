//! Compares the tables of `docs/contract.md` with the program, in both directions.
//!
//! The series of section 7 are compared in `crates/metrics/tests/exposition/contract.rs`, and with a running
//! gateway in `crates/gateway/tests/observability/`.
#![allow(missing_docs, clippy::unwrap_used)]

mod codes;
mod commands;
mod configuration;
mod document;
mod references;
mod routes;
