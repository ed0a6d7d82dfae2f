//! No party can harm another: a real gateway process, real TLS, and hostile callers.
#![allow(missing_docs, clippy::too_many_lines, clippy::unwrap_used)]

mod attacks;
mod certificates;
mod connections;
mod credentials;
mod expiry;
mod framing;
mod handshakes;
mod hanging;
mod haproxy;
mod http2;
mod listener;
mod load;
mod ops_listener;
mod proxy_protocol;
mod refusals;
mod reloading;
mod sources;
mod tls_client;
mod upgrading;
mod upstreams;
