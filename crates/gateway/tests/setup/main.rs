//! What an operator meets before and beside the calls: files of certificates, their expiry, handshakes that fail,
//! `gateway check`, `init` and `token`. Real processes and real TLS.
#![allow(missing_docs, clippy::too_many_lines, clippy::unwrap_used)]

mod command;
mod connect;
mod expiry;
mod files;
mod first_steps;
mod handshakes;
mod port;
mod tls_server;
