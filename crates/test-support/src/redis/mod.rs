//! Real Redis servers on loopback: one, one that Sentinels watch, or a Cluster.
//!
//! They need `redis-server` 7 on the PATH (Debian: `redis-server`); `RELAY_TEST_REDIS_SERVER` names
//! another program, such as `valkey-server`.

mod cluster;
mod sentinel;
mod server;

pub use cluster::Cluster;
pub use sentinel::{SERVICE, Watched, watch};
pub use server::{Persistence, RedisServer, eventually};

use crate::{Proxy, free_port};

/// How servers reach each other and how clients that discover them do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Direct,
    /// Through a [`Proxy`] in front of each server, which the server announces as its own address.
    Proxied,
}

/// One of several servers that depend on each other.
#[derive(Debug)]
pub struct Member {
    pub server: RedisServer,
    pub proxy: Option<Proxy>,
}

impl Member {
    fn start(network: Network, announce: &str, arguments: &[&str]) -> Self {
        let port = free_port();
        let proxy = match network {
            Network::Direct => None,
            Network::Proxied => Some(Proxy::to(port)),
        };
        let announced = proxy.as_ref().map_or(port, Proxy::port).to_string();
        let arguments = [&[announce, &announced], arguments].concat();
        Self {
            server: RedisServer::on_port(port, Persistence::EveryWrite, &arguments),
            proxy,
        }
    }

    /// The port that the others and clients know.
    pub fn port(&self) -> u16 {
        self.proxy
            .as_ref()
            .map_or_else(|| self.server.port(), Proxy::port)
    }

    pub fn is_primary(&self) -> bool {
        self.server.info("role") == "master"
    }

    /// Whether it is a replica that has its primary's data.
    pub fn is_in_step(&self) -> bool {
        self.server.info("master_link_status") == "up"
    }

    /// Waits until this replica has all that its primary was sent until now.
    pub fn await_all_of(&self, primary: &Self) {
        let offset = |member: &Self| member.server.info("master_repl_offset").parse::<u64>();
        let sent = offset(primary).unwrap();
        eventually("the replica has all of its primary's data", || {
            offset(self).is_ok_and(|offset| offset >= sent)
        });
    }
}
