//! Servers that were met, and which of those that take no writes may be read.

use std::collections::HashMap;
use std::sync::Arc;

use super::identity::Server;
use super::probe::{Probed, Writes};
use crate::redis::connection::fault::Fault;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::settings::address::ServerAddress;

/// A server that answers as a primary, and may be asked.
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

/// What one look found of one server.
pub(crate) type CheckOutcome = Result<ReachableServer, Fault>;

/// What one look found of all servers of a layout.
#[derive(Debug, Default)]
pub(crate) struct CheckSummary {
    /// One per server; `None`: it is out of reach.
    pub(crate) owners: Vec<Option<Arc<SharedConnection>>>,
    /// Those that take writes.
    pub(crate) servers: Vec<Server>,
    /// Why one is out of reach.
    pub(crate) away: Option<Fault>,
    /// Why one takes no writes.
    pub(crate) read_only: Option<Fault>,
}

impl CheckSummary {
    pub(crate) fn of(outcomes: Vec<CheckOutcome>) -> Self {
        let mut found = Self::default();
        for server in outcomes {
            match server {
                Ok(met) => {
                    found.owners.push(Some(met.connection));
                    match met.read_only {
                        None => found.servers.push(met.server),
                        why => found.read_only = why,
                    }
                }
                Err(why) => {
                    found.owners.push(None);
                    found.away = Some(why);
                }
            }
        }
        found
    }
}

/// Who the servers were when they last took writes.
#[derive(Debug, Default)]
pub(crate) struct KnownServers(HashMap<ServerAddress, Server>);

impl KnownServers {
    /// Whether a server may be asked. One that takes no writes cannot be given the mark by which a
    /// wiped one is told from others, nor be written anew from the journals if it lacks something. So
    /// it is read where it is who it was: the same process, with the same data, as when it last took
    /// writes. Nobody else is, not even where this node has just begun and knows nobody.
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

    /// Remembers those who take writes, and forgets those who are no part of it any more.
    pub(crate) fn remember(&mut self, outcomes: &[CheckOutcome], nodes: &[ServerAddress]) {
        self.0.retain(|address, _| nodes.contains(address));
        let met = outcomes.iter().flatten();
        let writable = met.filter(|met| met.takes_writes());
        let named = writable.map(|met| (met.connection.address().clone(), met.server.clone()));
        self.0.extend(named);
    }
}
