//! Support for tests: processes, Redis servers, raw upstreams and callers.
//!
//! Every function panics if the test cannot continue. Servers listen on loopback only, and each process
//! is killed by its id when its owner is dropped.
#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    clippy::unwrap_used
)]

mod caller;
mod calls;
pub mod certificates;
mod distant;
pub mod former_version;
mod gateway;
mod ledger_cache;
mod message;
mod packed;
mod process;
mod proxy;
pub mod redis;
mod slow_reads;
mod upstream;
mod wait;

pub use caller::{Caller, Reply};
pub use calls::{
    AUTHORIZATION, CREATE, NOTICE, PAY_RESULT, PREPAY, RECREATE, link, notice, pay_result, prepay,
    with, without,
};
pub use certificates::{Authority, Certificate};
pub use distant::{DistantServer, IdleEnd};
pub use gateway::{Gateway, Setup, assert_own, hex};
pub use ledger_cache::{ledger_cache_bytes, with_ledger_cache};
pub use message::{Message, answer, request};
pub use packed::unpacked;
pub use process::{Process, free_port};
pub use proxy::{Proxy, Traffic};
pub use redis::RedisServer;
pub use slow_reads::SlowReads;
pub use upstream::{Action, Gate, OK, Upstream, serve};
pub use wait::{until, within};
