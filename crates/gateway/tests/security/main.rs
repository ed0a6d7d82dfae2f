//! No one party can hurt another: a real gateway process, real TLS, and callers that mean harm.
#![allow(missing_docs, clippy::too_many_lines, clippy::unwrap_used)]

mod attacks;
mod certificates;
mod connections;
mod credentials;
mod framing;
mod hanging;
mod listener;
mod load;
mod refusals;
mod reloading;
mod sources;
mod tls_client;
mod upgrading;
mod upstreams;
