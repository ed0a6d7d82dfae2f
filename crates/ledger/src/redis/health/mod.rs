//! These modules find out whether Redis is in reach and which Redis it is, and publish that to the workers.
//!
//! The [supervisor](supervisor::Supervisor) keeps the connections and checks the servers again and again. What it
//! finds is the [status](status) that the workers read.

pub(super) mod identity;
pub(super) mod inquiry;
mod known_servers;
mod pace;
mod probe;
pub(super) mod status;
mod status_publisher;
pub(super) mod supervisor;
pub(super) mod warning;
