//! The upstream client against parties that answer byte by byte as a test says.
#![allow(clippy::unwrap_used)]

mod answers;
mod party;
mod pool;
mod tls;
