//! Stand-ins for the two parties that the gateway stands between.
//!
//! - [`Biller`] and [`Kakao`] are real HTTP/1.1 servers on a thread of their own: a plain test,
//!   `relay-demo` and a load test use the same ones. What they are asked is kept as [`Call`]s.
//! - A [`Rule`] makes them fail on demand, down to the bytes on the wire: see [`Fault`].
//! - [`Caller`] plays the two parties where they call: a blocking HTTP/1.1 client that sends exactly
//!   the bytes it is given. [`guide`] holds the guide's example requests, [`Body`] builds others.
//!
//! The crate shares no code with the gateway, so that a mistake in one shows up against the other.

mod answer;
mod biller;
mod body;
mod call;
mod caller;
mod fault;
pub mod guide;
mod kakao;
mod kept;
mod latency;
mod random;
mod request;
mod server;
mod wire;

pub use answer::Answer;
pub use biller::{Bill, Biller, BillerOptions, Detail, PayType, Payment, Personality};
pub use body::Body;
pub use call::Call;
pub use caller::{Caller, Reply};
pub use fault::{Fault, Rule};
pub use kakao::{Kakao, KakaoOptions, Link, LinkKind};
pub use latency::Latency;
pub use server::{FaultHeader, StandIn};
