//! Which connection serves which slot, at this moment.

use std::sync::Arc;

use super::layout::Layout;
use super::slot::Slot;
use crate::redis::connection::large_value_connection::Bulk;
use crate::redis::connection::shared_connection::Link;
use crate::redis::settings::address::Node;

/// How the server of a slot is reached.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Over this connection.
    Open(Arc<Link>),
    /// Its connection broke, which says nothing of the server: the supervisor is about to say whether
    /// there is another.
    Broken,
    /// Not at all: it is away, too slow, or unfit.
    Closed,
}

/// Which connection serves which slot. Never changed, only replaced.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    layout: Option<Layout>,
    /// One per server of the layout; `None`: it is out of reach.
    owners: Vec<Option<Arc<Link>>>,
    /// To servers that have no slot yet but were named by a redirection.
    extras: Vec<Arc<Link>>,
    /// One per server of the layout, once there are large values.
    bulks: Vec<Option<Arc<Bulk>>>,
}

impl Routes {
    pub(crate) const fn new(
        layout: Option<Layout>,
        owners: Vec<Option<Arc<Link>>>,
        extras: Vec<Arc<Link>>,
        bulks: Vec<Option<Arc<Bulk>>>,
    ) -> Self {
        Self {
            layout,
            owners,
            extras,
            bulks,
        }
    }

    /// The same with other lanes for large values.
    pub(crate) fn with_bulks(&self, bulks: Vec<Option<Arc<Bulk>>>) -> Self {
        Self::new(
            self.layout.clone(),
            self.owners.clone(),
            self.extras.clone(),
            bulks,
        )
    }

    /// The same without connections that are closed: nothing takes their place for now.
    pub(crate) fn without_closed(&self) -> Self {
        let is_open = |link: &Arc<Link>| link.is_open();
        let open = |owner: &Option<Arc<Link>>| owner.clone().filter(is_open);
        Self::new(
            self.layout.clone(),
            self.owners.iter().map(open).collect(),
            self.extras
                .iter()
                .filter(|link| is_open(link))
                .cloned()
                .collect(),
            self.bulks.clone(),
        )
    }

    /// The lane for large values of the server that has a slot.
    pub(crate) fn bulk(&self, slot: Slot) -> Option<Arc<Bulk>> {
        let owner = self.layout.as_ref()?.owner(slot)?;
        let bulk = self.bulks.get(owner)?.as_ref()?;
        bulk.link().is_open().then(|| Arc::clone(bulk))
    }

    /// The lane for large values to a server.
    pub(crate) fn bulk_to(&self, node: &Node) -> Option<Arc<Bulk>> {
        let mut bulks = self.bulks.iter().flatten();
        bulks
            .find(|bulk| bulk.link().is_open() && bulk.link().node() == node)
            .cloned()
    }

    /// The servers of the layout that are in reach; `None` in the place of one that is not.
    pub(crate) fn owners(&self) -> impl Iterator<Item = Option<&Node>> {
        let is_open =
            |owner: &'_ Option<Arc<Link>>| owner.as_ref().is_some_and(|link| link.is_open());
        self.owners.iter().map(move |owner| {
            owner
                .as_ref()
                .filter(|_| is_open(owner))
                .map(|link| link.node())
        })
    }

    /// The way to the server that has a slot.
    pub(crate) fn way(&self, slot: Slot) -> Way {
        match self.owner(slot) {
            Some(link) if link.is_open() => Way::Open(Arc::clone(link)),
            Some(link) if link.is_broken() => Way::Broken,
            _ => Way::Closed,
        }
    }

    /// Whether these are servers of a Cluster, which may redirect.
    pub(crate) fn are_of_a_cluster(&self) -> bool {
        let tags = self.layout.iter().flat_map(|layout| &layout.tags);
        tags.flatten().next().is_some()
    }

    /// The connection to the server that has a slot; `None` where there is none at this moment.
    pub(crate) fn link(&self, slot: Slot) -> Option<Arc<Link>> {
        self.owner(slot).filter(|link| link.is_open()).cloned()
    }

    /// Whether the server that has a slot is there and takes no writes.
    pub(crate) fn refuses_writes(&self, slot: Slot) -> bool {
        self.owner(slot).is_some_and(|link| !link.takes_writes())
    }

    /// The connection to the server that has a slot, also a closed one.
    fn owner(&self, slot: Slot) -> Option<&Arc<Link>> {
        let owner = self.layout.as_ref()?.owner(slot)?;
        self.owners.get(owner)?.as_ref()
    }

    /// The connection to a server.
    pub(crate) fn link_to(&self, node: &Node) -> Option<Arc<Link>> {
        self.links()
            .find(|link| link.is_open() && link.node() == node)
            .cloned()
    }

    /// Every connection, also closed ones.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.owners.iter().flatten().chain(&self.extras)
    }

    pub(crate) const fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// Whether every slot is served.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_readable() && self.owners.iter().flatten().all(|link| link.takes_writes())
    }

    /// Whether every slot is served to those who read.
    pub(crate) fn is_readable(&self) -> bool {
        let is_open = |owner: &Option<Arc<Link>>| owner.as_ref().is_some_and(|link| link.is_open());
        self.layout.as_ref().is_some_and(Layout::is_whole) && self.owners.iter().all(is_open)
    }
}
