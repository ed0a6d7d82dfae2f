//! The Redis store against real servers on loopback, which every test starts.

#![allow(clippy::unwrap_used)]

mod broken;
mod cluster;
mod forgetful;
mod guarded;
mod one_node;
mod outage;
mod pipelined_connections;
mod redirected;
mod refusing;
mod resync;
mod sentinel;
mod standalone;
mod store;
mod thread_connections;
