//! The shared state against real servers, which every test starts for itself on loopback.
//!
//! Needs `redis-server` 7 on the PATH (Debian: `redis-server`); `RELAY_TEST_REDIS_SERVER` names
//! another program, such as `valkey-server`. Only processes that a test started are ended by it.

#![allow(clippy::unwrap_used)]

mod broken;
mod catching_up;
mod cluster;
mod forgetful;
mod guarded;
mod lanes;
mod line;
mod near;
mod one_node;
mod outage;
mod refusing;
mod sentinel;
mod server;
mod standalone;
mod store;
