//! [`Settings`] say how Redis is reached.

pub(crate) mod address;
pub(crate) mod password;
pub(crate) mod value_key;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use address::ServerAddress;
use password::Password;
use value_key::ValueKey;

/// A `Topology` is how the servers of a Redis work together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topology {
    /// One server; its name is resolved anew for every connection.
    Standalone(ServerAddress),
    /// Sentinels know which server is the primary.
    Sentinel {
        /// The name of the service that they watch.
        service: String,
        /// The Sentinels.
        nodes: Vec<ServerAddress>,
    },
    /// Servers share the slots among themselves.
    Cluster {
        /// Some of them, to ask for the others.
        nodes: Vec<ServerAddress>,
    },
}

/// `Settings` say how Redis is reached. `Debug` shows no secret.
#[derive(Clone)]
pub struct Settings {
    /// Where the servers are.
    pub topology: Topology,
    /// The database; 0 in a Cluster.
    pub database: u16,
    /// The user of the access control list; `None`: the default user.
    pub username: Option<String>,
    /// The user's password; `None`: without log-in.
    pub password: Option<Password>,
    /// The beginning of every key; without `{` and `}`.
    pub key_prefix: String,
    /// The key of the checksums of values; `None`: values have none.
    pub value_key: Option<ValueKey>,
    /// TLS to every server and Sentinel; `None`: plain TCP. Certificates are checked against the
    /// host as the settings, Sentinel or the Cluster spell it.
    pub tls: Option<Arc<ClientConfig>>,
    /// How long one operation may take, and each step of connecting (contract section 4: 200 ms).
    pub timeout: Duration,
}

impl Settings {
    /// The contract's bound on the time of one operation.
    pub const TIMEOUT: Duration = Duration::from_millis(200);
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("topology", &self.topology)
            .field("database", &self.database)
            .field("username", &self.username)
            .field("password", &self.password)
            .field("key_prefix", &self.key_prefix)
            .field("value_key", &self.value_key)
            .field("tls", &self.tls.is_some())
            .field("timeout", &self.timeout)
            .finish()
    }
}
