//! Calls to the parties: the HTTP client, and the only module that knows it.
//!
//! Every call ends before its deadline, with a whole answer or with a [`Fault`] that says whether
//! the party can have got the request. It speaks as much HTTP/1.1 as a relay needs and no more: one
//! POST on one connection, written in one piece; one answer, read to its end, from the very bytes
//! that tell where it ends. So an answer cut short never passes for a whole one, and bytes behind one
//! answer never begin the next.
//!
//! Who knows what:
//!
//! - [`Party`]: an upstream, how much it may answer, its [`Circuit`]; shared by workers
//! - [`Origin`]: the server that a party is at, perhaps beside others; shared by workers, too
//! - [`Clients`], `pool`: one worker's connections that wait, in pools of origins and of parties
//! - `call`: one call, and whether it may be sent a second time; `progress`: what it has come to
//! - `dial`, `names`: name, address, TLS
//! - `request`: what is written; `reading`, `head`, `framing`, `chunks`: what is read
//! - `connection`: the bytes

mod answer;
mod call;
mod chunks;
mod circuit;
mod clients;
mod connection;
mod dial;
mod framing;
mod head;
mod names;
mod origin;
mod outcome;
mod party;
mod pool;
mod progress;
mod reading;
mod request;

pub use answer::{Answer, Fault, Report, Sent, Step, Unreached};
pub use circuit::{Admission, Circuit, CircuitState, Permit};
pub use clients::Clients;
pub use origin::Origin;
pub use outcome::{Outcome, PartyTime};
pub use party::Party;
pub use request::{Endpoint, Repeat, UpstreamRequest};
