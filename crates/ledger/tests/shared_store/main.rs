//! The Redis store against real servers on loopback, which every test starts.
//!
//! Needs `redis-server` 7 on the PATH (Debian: `redis-server`); `RELAY_TEST_REDIS_SERVER` names
//! another program, such as `valkey-server`. A test ends only the processes that it started.

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
