//! The upstream client against upstreams whose bytes the tests control.
#![allow(clippy::unwrap_used)]

mod answers;
mod party;
mod pool;
mod tls;
