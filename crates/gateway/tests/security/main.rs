//! No one party can hurt another: a real gateway process, real TLS, and callers that mean harm.
#![allow(missing_docs, clippy::too_many_lines, clippy::unwrap_used)]

mod certificates;
mod connections;
mod credentials;
mod framing;
mod hanging;
mod listener;
mod load;
mod papers;
mod refusals;
mod reloading;
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod tricks;
mod upgrading;
mod upstreams;
mod visitor;

/// Where Kakao Pay asks for a bill's notice.
const NOTICE: &str = "/kakao/notice/B0001";
