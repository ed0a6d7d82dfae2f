//! Which connection serves which slot, at this moment.

use std::sync::Arc;

use super::Node;
use super::bulk::Bulk;
use super::layout::Layout;
use super::link::Link;
use super::slot::Slot;

/// Which connection serves which slot. Never changed, only replaced.
#[derive(Debug, Default)]
pub(super) struct Routes {
    layout: Option<Layout>,
    /// One per server of the layout; `None`: it is out of reach.
    owners: Vec<Option<Arc<Link>>>,
    /// To servers that have no slot yet but were named by a redirection.
    extras: Vec<Arc<Link>>,
    /// One per server of the layout, once there are large values.
    bulks: Vec<Option<Arc<Bulk>>>,
}

impl Routes {
    pub(super) const fn new(
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
    pub(super) fn with_bulks(&self, bulks: Vec<Option<Arc<Bulk>>>) -> Self {
        Self::new(
            self.layout.clone(),
            self.owners.clone(),
            self.extras.clone(),
            bulks,
        )
    }

    /// The lane for large values of the server that has a slot.
    pub(super) fn bulk(&self, slot: Slot) -> Option<Arc<Bulk>> {
        let owner = self.layout.as_ref()?.owner(slot)?;
        let bulk = self.bulks.get(owner)?.as_ref()?;
        bulk.link().is_open().then(|| Arc::clone(bulk))
    }

    /// The lane for large values to a server.
    pub(super) fn bulk_to(&self, node: &Node) -> Option<Arc<Bulk>> {
        let mut bulks = self.bulks.iter().flatten();
        bulks
            .find(|bulk| bulk.link().is_open() && bulk.link().node() == node)
            .cloned()
    }

    /// The servers of the layout that are in reach; `None` in the place of one that is not.
    pub(super) fn owners(&self) -> impl Iterator<Item = Option<&Node>> {
        let is_open =
            |owner: &'_ Option<Arc<Link>>| owner.as_ref().is_some_and(|link| link.is_open());
        self.owners.iter().map(move |owner| {
            owner
                .as_ref()
                .filter(|_| is_open(owner))
                .map(|link| link.node())
        })
    }

    /// The connection to the server that has a slot; `None` where it is out of reach.
    pub(super) fn link(&self, slot: Slot) -> Option<Arc<Link>> {
        let owner = self.layout.as_ref()?.owner(slot)?;
        let link = self.owners.get(owner)?.as_ref()?;
        link.is_open().then(|| Arc::clone(link))
    }

    /// The connection to a server.
    pub(super) fn link_to(&self, node: &Node) -> Option<Arc<Link>> {
        self.links()
            .find(|link| link.is_open() && link.node() == node)
            .cloned()
    }

    /// Every connection, also closed ones.
    pub(super) fn links(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.owners.iter().flatten().chain(&self.extras)
    }

    pub(super) const fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// Whether every slot is served.
    pub(super) fn is_whole(&self) -> bool {
        let is_open = |owner: &Option<Arc<Link>>| owner.as_ref().is_some_and(|link| link.is_open());
        self.layout.as_ref().is_some_and(Layout::is_whole) && self.owners.iter().all(is_open)
    }
}
