//! Connections to Redis servers: how they are made, and how a command travels over them.
//!
//! A connection belongs to the async runtime that made it, and the gateway has many runtimes: one per
//! worker. *One* background thread owns one [shared connection](shared_connection) per server, which
//! says whether the server is in reach. A worker has [connections of its own](thread_connections)
//! beside them: waking another thread and being woken by it cost some 10 µs of processor time for each
//! command, a third of what a relayed call costs. Large values have [a connection for
//! themselves](large_value_connection).

pub(super) mod admission;
pub(super) mod clock;
pub(super) mod dialer;
pub(super) mod fault;
pub(super) mod info;
pub(super) mod large_value_connection;
pub(super) mod pipelined_connection;
#[cfg(test)]
mod pipelined_connection_tests;
pub(super) mod refusal;
pub(super) mod reply;
pub(super) mod shared_connection;
pub(super) mod thread_connections;
pub(super) mod wake;
