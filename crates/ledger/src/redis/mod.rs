//! Redis (or Valkey) as the nodes of one ledger share it.
//!
//! This module knows keys, values and compare-and-swap; what the values mean is its caller's business. All
//! keys of one biller share a hash tag, so that one round trip can read or change several of them in a
//! Cluster too: `{prefix}:{{BILLER}}:{kind}:{name}`, as in `relay:{B0001}:b:…`.
//!
//! | module | holds | builds on |
//! |---|---|---|
//! | `settings` | how Redis is reached | |
//! | `commands` | keys, the script, commands and their answers | settings |
//! | `connection` | connections to one server | settings |
//! | `topology` | which server holds which keys, by which connection | connection, commands |
//! | `health` | which servers are in reach, and whether they are the ones of before | topology |
//! | `store` | the handle that workers use | all of them |
//!
//! # Being out of reach
//!
//! Nothing here waits longer than [`Settings::timeout`]. The first call that fails or takes too long closes
//! the connection for all; from then on calls fail at once, until the supervisor (which tries about four times
//! a second, and asks Sentinel or the Cluster which server is the primary) has a server that answers, is a
//! primary and takes writes.
//!
//! A connection that breaks is no such failure yet: the server may be well, and another connection ready in
//! some milliseconds. Until the supervisor has it, or finds the server out of reach, calls wait, and a read
//! that was under way is sent once more.
//!
//! A primary that takes no writes (no memory, a disk that fails, too few replicas) is still read where it is
//! the same server as before; see `health/known_servers.rs`. For writes, and for readiness, it is out of reach.
//!
//! Large values have a connection of their own, made when the first one comes.
//!
//! A swap that ends in [`OutOfReach`] may or may not have happened.

mod commands;
mod connection;
mod health;
mod out_of_reach;
mod settings;
mod store;
mod topology;

pub use commands::change::{BillerChanges, Change, Swap};
pub use commands::key::{CommonKey, Key, StreamKey};
pub use commands::stream::StreamEntry;
pub use connection::clock::WallClock;
pub use health::identity::{Identity, Server};
pub use health::inquiry::{Inquiry, Step, inquire};
pub use health::warning::Warning;
pub use out_of_reach::OutOfReach;
pub use settings::address::ServerAddress;
pub use settings::password::Password;
pub use settings::value_key::ValueKey;
pub use settings::{Settings, Topology};
pub use store::{Appended, SharedStore};
