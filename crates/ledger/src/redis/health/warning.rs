//! A [`Warning`] names a setting by which a server can lose data.

use std::fmt;

use crate::redis::settings::address::ServerAddress;

/// A `Warning` is a setting by which a server can lose data. Nothing is lost for good, since every node writes what
/// is missing again from its journal; until then nodes know only their own facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// `appendonly no`: a restart loses what came after the last snapshot, or everything.
    NoAppendOnlyFile(ServerAddress),
    /// `appendfsync` is not `always`: a crash loses the latest writes.
    SyncsLate {
        /// Which server.
        address: ServerAddress,
        /// Its policy.
        policy: String,
    },
    /// `maxmemory-policy` is one of `allkeys-…`: streams and links under way are evicted, too, so it is no second copy.
    Evicts {
        /// Which server.
        address: ServerAddress,
        /// Its policy.
        policy: String,
    },
    /// The server does not say how it is configured.
    NotInspected(ServerAddress),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAppendOnlyFile(address) => write!(
                f,
                "{address}: has no append-only file (`appendonly yes`): it is no second copy of a payment, and a restart \
                 forgets bills until every node has written them again"
            ),
            Self::SyncsLate { address, policy } => write!(
                f,
                "{address}: does not sync every write (appendfsync {policy}): a crash forgets the last \
                 of them until the nodes have written them again; `always` forgets none"
            ),
            Self::Evicts { address, policy } => write!(
                f,
                "{address}: evicts any key when memory is short (maxmemory-policy {policy}), streams and links that are \
                 being made too: it is no second copy of a payment; set `noeviction` or `volatile-lru`"
            ),
            Self::NotInspected(address) => write!(
                f,
                "{address}: does not say whether it keeps what it is told: check `appendonly` and \
                 `maxmemory-policy` by hand"
            ),
        }
    }
}
