//! The Redis store against real servers on loopback, which every test starts.

#![allow(clippy::unwrap_used)]

mod broken;
mod catching_up;
mod cluster;
mod forgetful;
mod guarded;
mod lanes;
mod near;
mod one_node;
mod outage;
mod refusing;
mod sentinel;
mod standalone;
mod store;
