//! The state that nodes share: a thin layer that talks to Redis (or Valkey) and nothing else.
//!
//! It knows keys, values and compare-and-swap; what the values mean is its caller's business. All
//! keys of one biller share a hash tag, so that one round trip can read or change several of them
//! in a Cluster too: `{prefix}:{{BILLER}}:{kind}:{name}`, as in `relay:{B0001}:f:…`.
//!
//! # Whose connection it is
//!
//! A connection belongs to the async runtime that made it, and the gateway has many: one per
//! worker. *One* background thread owns one connection per Redis server: the *link*, which says
//! whether the server is in reach. Whoever has no connection of its own hands the link its commands
//! through a bounded queue. A worker has one of its own to each server, a companion of the link's:
//! waking another thread and being woken by it cost it some 10 µs of processor time for each
//! question, a third of what a relayed call costs; see [`near`] and [`lane`].
//!
//! # Being out of reach
//!
//! Nothing here waits longer than [`Settings::timeout`]. The first call that fails or takes too
//! long closes the connection for all; from then on calls fail at once, until the supervisor
//! (which tries about four times a second, and asks Sentinel or the Cluster who is primary now)
//! has a server that answers, is a primary and takes writes.
//!
//! A connection that breaks is no such failure yet: the server may be well, and another connection
//! there in some milliseconds. Until the supervisor has it, or says that the server is away, calls
//! wait, and what was read when it broke is asked once more.
//!
//! A primary that takes no writes (no memory, a disk that fails, too few replicas) goes on being read
//! where it is who it was; see [`met`]. To whoever writes, and to whoever watches, it is out of reach.
//!
//! Large values have a connection of their own, made when the first one comes; see [`bulk`].
//!
//! A swap that ends in [`OutOfReach`] may or may not have happened.

mod admission;
mod batch;
mod bulk;
mod change;
mod clock;
mod cluster;
mod commands;
mod dial;
mod fault;
mod herald;
mod identity;
mod inquiry;
mod key;
mod lane;
#[cfg(test)]
mod lane_tests;
mod large;
mod layout;
mod link;
mod met;
mod near;
mod node;
mod out_of_reach;
mod pace;
mod password;
mod presence;
mod probe;
mod published;
mod redirections;
mod refusal;
mod reply;
mod router;
mod routes;
mod sentinel;
mod settings;
mod slot;
mod store;
mod supervisor;
mod value_key;
mod wake;
mod warning;

pub use change::{BillerChanges, Change, Swap};
pub use clock::WallClock;
pub use identity::{Identity, Server};
pub use inquiry::{Inquiry, Step, inquire};
pub use key::Key;
pub use node::Node;
pub use out_of_reach::OutOfReach;
pub use password::Password;
pub use settings::{Settings, Topology};
pub use store::SharedStore;
pub use value_key::ValueKey;
pub use warning::Warning;
