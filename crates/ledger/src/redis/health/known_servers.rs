//! [`KnownServers`] decide which of the servers that take no writes may be read.

use std::collections::HashMap;
use std::sync::Arc;

use super::identity::Server;
use super::probe::{Probed, Writes};
use crate::redis::connection::fault::Fault;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::settings::address::ServerAddress;

/// A `ReachableServer` answers as a primary and may be asked.
#[derive(Debug)]
pub(crate) struct ReachableServer {
    pub(crate) connection: Arc<SharedConnection>,
    pub(crate) server: Server,
    /// Why it takes no writes.
    pub(crate) read_only: Option<Fault>,
}

impl ReachableServer {
    pub(crate) const fn takes_writes(&self) -> bool {
        self.read_only.is_none()
    }
}

/// A `CheckOutcome` is what one check found of one server.
pub(crate) type CheckOutcome = Result<ReachableServer, Fault>;

/// A `CheckSummary` is what one check found of all servers of a layout.
#[derive(Debug, Default)]
pub(crate) struct CheckSummary {
    /// One per server; `None`: it is out of reach.
    pub(crate) owners: Vec<Option<Arc<SharedConnection>>>,
    /// The servers that take writes.
    pub(crate) servers: Vec<Server>,
    /// Why a server is out of reach.
    pub(crate) away: Option<Fault>,
    /// Why one takes no writes.
    pub(crate) read_only: Option<Fault>,
}

impl CheckSummary {
    pub(crate) fn of(outcomes: Vec<CheckOutcome>) -> Self {
        let mut summary = Self::default();
        for server in outcomes {
            match server {
                Ok(reachable) => {
                    summary.owners.push(Some(reachable.connection));
                    match reachable.read_only {
                        None => summary.servers.push(reachable.server),
                        why => summary.read_only = why,
                    }
                }
                Err(why) => {
                    summary.owners.push(None);
                    summary.away = Some(why);
                }
            }
        }
        summary
    }
}

/// `KnownServers` are the servers as they were when they last took writes.
#[derive(Debug, Default)]
pub(crate) struct KnownServers(HashMap<ServerAddress, Server>);

impl KnownServers {
    /// Decides whether a server may be asked. One that takes no writes cannot be given the mark by which a wiped
    /// server is recognized, nor be written anew from the journals if it lacks something. So it is read only where it
    /// is the same process, with the same data, as when it last took writes; never where this node has just started
    /// and knows no server.
    pub(crate) fn admit(&self, connection: Arc<SharedConnection>, probed: Probed) -> CheckOutcome {
        let Probed { server, writes } = probed;
        let read_only = match writes {
            Writes::Taken => {
                connection.learn_writes_taken();
                None
            }
            Writes::Refused(code) => {
                let known = self.0.get(connection.address());
                if !known.is_some_and(|known| known.is_same_but_for_slots(&server)) {
                    let what = format_args!("refuses with {code}");
                    return Err(Fault::of(connection.address(), what));
                }
                connection.learn_writes_refused(&code);
                let what = format_args!("takes no writes: it refuses with {code}");
                Some(Fault::of(connection.address(), what))
            }
        };
        Ok(ReachableServer {
            connection,
            server,
            read_only,
        })
    }

    /// Keeps the servers that take writes, and removes those that are not part of the layout any more.
    pub(crate) fn remember(&mut self, outcomes: &[CheckOutcome], nodes: &[ServerAddress]) {
        self.0.retain(|address, _| nodes.contains(address));
        let reachable = outcomes.iter().flatten();
        let writable = reachable.filter(|reachable| reachable.takes_writes());
        let named = writable.map(|reachable| {
            (
                reachable.connection.address().clone(),
                reachable.server.clone(),
            )
        });
        self.0.extend(named);
    }
}
