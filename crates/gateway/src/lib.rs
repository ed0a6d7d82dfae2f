//! The relay gateway between billers (청구기관) and Kakao Pay.
//!
//! A call passes admission, parsing, ledger, upstream, settlement and reply, in this order.
//! `ARCHITECTURE.md` describes the crate's modules and the way of a call.

pub mod admission;
pub mod call;
pub mod command;
pub mod config;
pub mod expiry;
pub mod flow;
pub mod handler;
pub mod lifecycle;
pub mod logging;
pub mod ops;
pub mod progress_bar;
pub mod redelivery;
pub mod refused;
pub mod registry;
pub mod reply;
pub mod request_id;
pub mod routes;
pub mod server;
pub mod state;
pub mod tls;
pub mod traces;
pub mod upstream;
