//! Calls to the parties: the only module that knows the HTTP client.
//!
//! Every call ends before its deadline, with a whole answer or with a [`Fault`] that says whether
//! the party can have got the request. The client (awc) is told nothing but "send this over that
//! stream"; what decides is seen on the stream itself, by `connection`: whether bytes went out,
//! whether bytes came back, and where an answer ends. So an answer cut short never passes for a
//! whole one, and bytes behind one answer never begin the next.
//!
//! Who knows what:
//!
//! - [`Party`]: where an upstream is, how much it may answer, its [`Circuit`]; shared by workers
//! - [`Clients`]: one worker's pools of connections, one for each party
//! - `call`: one call, and whether it may be sent a second time
//! - `dial`, `names`, `opened`: name, address, TLS; what is open
//! - `socket`, `connection`, `inbound`, `framing`, `chunks`: the bytes
//! - `trace`: what one call has seen

mod answer;
mod call;
mod chunks;
mod circuit;
mod clients;
mod connection;
mod dial;
mod framing;
mod inbound;
mod names;
mod opened;
mod outcome;
mod party;
mod request;
mod socket;
mod trace;

pub use answer::{Answer, Fault, Report, Sent, Step, Unreached};
pub use circuit::{Admission, Circuit, CircuitState, Permit};
pub use clients::Clients;
pub use outcome::{Outcome, PartyTime};
pub use party::Party;
pub use request::{Repeat, UpstreamRequest};
