//! The upstream client against upstreams whose bytes the tests control.
#![allow(clippy::unwrap_used)]

mod answers;
mod idle;
mod malformed;
mod party;
mod pool;
mod tls;
mod unframed;
