//! The HTTP client for calls to the parties.
//!
//! Every call ends by its deadline, with a whole answer or an [`UpstreamFault`] that says whether the party may have
//! received the request. The client implements the part of HTTP/1.1 that a relay needs: it writes one POST request
//! in one piece and reads one answer to its end. It finds that end itself, so a truncated answer never passes for a
//! whole one, and bytes behind an answer never become part of the next. A request that must not be sent twice goes over
//! a pooled connection only while that is certain to stay open.
//!
//! The parts:
//!
//! - [`Party`]: an upstream with its limit of answers and its [`Circuit`]; shared by all workers
//! - [`Origin`]: the server of one or more parties; shared by all workers
//! - [`Clients`], `pool`: the idle connections of one worker, in pools per origin and per party
//! - `idle_times`: how long an origin leaves idle connections open
//! - `call`, `progress`, `outcome`: one call, its attempts, its progress and its outcome for the circuit
//! - `dial`, `resolver`: look-up, TCP, TLS
//! - `request`: the bytes of a request
//! - `read_answer`, `head`, `framing`, `chunks`, `json_object`: the parts of an answer
//! - [`Malformed`]: the rules that an answer's bytes can break
//! - `connection`: reading and writing

mod answer;
mod answer_memory;
mod call;
mod chunks;
mod circuit;
mod clients;
mod connection;
mod dial;
mod framing;
mod head;
mod idle_times;
mod json_object;
mod malformed;

mod origin;
mod outcome;
mod party;
mod pool;
mod progress;
mod read_answer;
mod request;
mod resolver;

pub use answer::{Answer, CallReport, ConnectFailure, ConnectStep, Sent, UpstreamFault};
pub use circuit::{Circuit, CircuitDecision, CircuitPermit, CircuitState};
pub use clients::Clients;
pub use malformed::Malformed;
pub use origin::Origin;
pub use outcome::{BudgetShare, CircuitOutcome};
pub use party::Party;
pub use request::{ApiEndpoint, Repeat, UpstreamRequest};
