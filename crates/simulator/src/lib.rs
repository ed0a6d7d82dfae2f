//! Simulated parties on both sides of the gateway: billers and Kakao Pay.
//!
//! - [`Biller`] and [`Kakao`] are HTTP/1.1 servers, each on its own thread. Tests, the demo and load tests
//!   use them. They store the requests that they receive as [`Call`]s.
//! - A [`Rule`] makes them fail on demand, down to the bytes of an answer: see [`Fault`].
//! - [`Caller`] is a blocking HTTP/1.1 client for the calls of both parties. It sends exactly the bytes that
//!   it is given. [`guide`] has the guide's example requests, [`Body`] builds others.
//!
//! The crate shares no code with the gateway, so that a mistake in one is not repeated in the other.

mod answer;
mod biller;
mod body;
mod call;
mod caller;
mod fault;
pub mod guide;
mod history;
mod kakao;
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
pub use server::{FaultHeader, SimulatedParty};
