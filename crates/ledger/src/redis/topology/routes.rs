//! [`Routes`] say which connection serves which slot at this moment.

use std::sync::Arc;

use super::layout::Layout;
use super::slot::Slot;
use crate::redis::connection::large_value_connection::LargeValueConnection;
use crate::redis::connection::shared_connection::SharedConnection;
use crate::redis::settings::address::ServerAddress;

/// A `Route` is how the server of a slot is reached.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// Over this connection.
    Open(Arc<SharedConnection>),
    /// Its connection broke, which says nothing of the server: the supervisor is about to make another one, or to
    /// find the server out of reach.
    Broken,
    /// Not at all: the server is out of reach, too slow, or unfit.
    Closed,
}

/// `Routes` say which connection serves which slot. They are never changed, only replaced.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    layout: Option<Layout>,
    /// One per server of the layout; `None`: it is out of reach.
    owners: Vec<Option<Arc<SharedConnection>>>,
    /// To servers that have no slot yet but were named by a redirection.
    extras: Vec<Arc<SharedConnection>>,
    /// One per server of the layout, once there are large values.
    large_value_connections: Vec<Option<Arc<LargeValueConnection>>>,
}

impl Routes {
    pub(crate) const fn new(
        layout: Option<Layout>,
        owners: Vec<Option<Arc<SharedConnection>>>,
        extras: Vec<Arc<SharedConnection>>,
        large_value_connections: Vec<Option<Arc<LargeValueConnection>>>,
    ) -> Self {
        Self {
            layout,
            owners,
            extras,
            large_value_connections,
        }
    }

    /// Returns the same routes with other connections for large values.
    pub(crate) fn with_large_value_connections(
        &self,
        large_value_connections: Vec<Option<Arc<LargeValueConnection>>>,
    ) -> Self {
        Self::new(
            self.layout.clone(),
            self.owners.clone(),
            self.extras.clone(),
            large_value_connections,
        )
    }

    /// Returns the same routes without the connections that are closed.
    pub(crate) fn without_closed(&self) -> Self {
        let is_open = |connection: &Arc<SharedConnection>| connection.is_open();
        let open = |owner: &Option<Arc<SharedConnection>>| owner.clone().filter(is_open);
        Self::new(
            self.layout.clone(),
            self.owners.iter().map(open).collect(),
            self.extras
                .iter()
                .filter(|connection| is_open(connection))
                .cloned()
                .collect(),
            self.large_value_connections.clone(),
        )
    }

    /// Returns the connection for large values of the server that has a slot.
    pub(crate) fn large_value_connection(&self, slot: Slot) -> Option<Arc<LargeValueConnection>> {
        let owner = self.layout.as_ref()?.owner(slot)?;
        let large_value_connection = self.large_value_connections.get(owner)?.as_ref()?;
        large_value_connection
            .connection()
            .is_open()
            .then(|| Arc::clone(large_value_connection))
    }

    /// Returns the connection for large values to a server.
    pub(crate) fn large_value_connection_to(
        &self,
        address: &ServerAddress,
    ) -> Option<Arc<LargeValueConnection>> {
        let mut large_value_connections = self.large_value_connections.iter().flatten();
        large_value_connections
            .find(|large_value_connection| {
                large_value_connection.connection().is_open()
                    && large_value_connection.connection().address() == address
            })
            .cloned()
    }

    /// Returns the servers of the layout that are in reach; `None` in the place of one that is not.
    pub(crate) fn owners(&self) -> impl Iterator<Item = Option<&ServerAddress>> {
        let is_open = |owner: &'_ Option<Arc<SharedConnection>>| {
            owner
                .as_ref()
                .is_some_and(|connection| connection.is_open())
        };
        self.owners.iter().map(move |owner| {
            owner
                .as_ref()
                .filter(|_| is_open(owner))
                .map(|connection| connection.address())
        })
    }

    /// Returns the route to the server that has a slot.
    pub(crate) fn route(&self, slot: Slot) -> Route {
        match self.owner(slot) {
            Some(connection) if connection.is_open() => Route::Open(Arc::clone(connection)),
            Some(connection) if connection.is_broken() => Route::Broken,
            _ => Route::Closed,
        }
    }

    /// Returns whether these are servers of a Cluster, which may redirect.
    pub(crate) fn are_of_a_cluster(&self) -> bool {
        let tags = self.layout.iter().flat_map(|layout| &layout.tags);
        tags.flatten().next().is_some()
    }

    /// Returns the open connection to the server that has a slot.
    pub(crate) fn connection(&self, slot: Slot) -> Option<Arc<SharedConnection>> {
        self.owner(slot)
            .filter(|connection| connection.is_open())
            .cloned()
    }

    /// Returns whether the server that has a slot is in reach and takes no writes.
    pub(crate) fn refuses_writes(&self, slot: Slot) -> bool {
        self.owner(slot)
            .is_some_and(|connection| !connection.takes_writes())
    }

    /// Returns the connection to the server that has a slot, also a closed one.
    fn owner(&self, slot: Slot) -> Option<&Arc<SharedConnection>> {
        let owner = self.layout.as_ref()?.owner(slot)?;
        self.owners.get(owner)?.as_ref()
    }

    /// Returns the open connection to a server.
    pub(crate) fn connection_to(&self, address: &ServerAddress) -> Option<Arc<SharedConnection>> {
        self.connections()
            .find(|connection| connection.is_open() && connection.address() == address)
            .cloned()
    }

    /// Returns every connection, also the closed ones.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<SharedConnection>> {
        self.owners.iter().flatten().chain(&self.extras)
    }

    pub(crate) const fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// Returns whether every slot can be read and written.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_readable()
            && self
                .owners
                .iter()
                .flatten()
                .all(|connection| connection.takes_writes())
    }

    /// Returns whether every slot can be read.
    pub(crate) fn is_readable(&self) -> bool {
        let is_open = |owner: &Option<Arc<SharedConnection>>| {
            owner
                .as_ref()
                .is_some_and(|connection| connection.is_open())
        };
        self.layout.as_ref().is_some_and(Layout::is_whole) && self.owners.iter().all(is_open)
    }
}
