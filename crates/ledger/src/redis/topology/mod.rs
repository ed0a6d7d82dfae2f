//! Which server holds which keys: one server, the primary that Sentinels name, or the servers of a Cluster.

pub(super) mod cluster;
pub(super) mod layout;
pub(super) mod redirections;
pub(super) mod router;
pub(super) mod routes;
pub(super) mod sentinel;
pub(super) mod slot;
