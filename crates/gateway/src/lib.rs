//! The relay gateway between billers (청구기관) and Kakao Pay.
//!
//! A call is a straight line: admit, parse, ledger, upstream, settle, reply. `ARCHITECTURE.md`
//! at the top of the repository tells the whole story.

pub mod admission;
pub mod call;
pub mod command;
pub mod config;
pub mod flow;
pub mod gateway;
pub mod handler;
pub mod logging;
pub mod ops;
pub mod redelivery;
pub mod registry;
pub mod reply;
pub mod request_id;
pub mod routes;
pub mod running;
pub mod server;
pub mod tls;
pub mod traces;
pub mod upstream;
