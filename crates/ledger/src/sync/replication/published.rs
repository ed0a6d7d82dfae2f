//! What Redis and the other nodes say is published of this node's facts.

use super::WITHIN;
use super::entry::StreamFacts;
use crate::redis::{CommonKey, OutOfReach, StreamEntry};
use crate::state::horizon::Horizon;
use crate::sync::Share;

/// What is known to be published of this node's facts.
pub(super) struct PublishedFacts {
    pub(super) top: Top,
    /// Up to which number another node has them.
    told: i64,
}

/// The last entry of this node's stream.
pub(super) enum Top {
    None,
    Entry(StreamEntry),
    /// It was not written by this node, or is damaged.
    Strange,
}

impl PublishedFacts {
    /// Returns the greatest number that somebody knows.
    pub(super) fn most(&self) -> i64 {
        match &self.top {
            Top::Entry(top) => top.number.max(self.told),
            Top::None | Top::Strange => self.told,
        }
    }
}

/// Asks Redis what is published of this node's facts.
pub(super) async fn published(share: &Share) -> Result<PublishedFacts, OutOfReach> {
    let author = share.replica().author();
    let stream = CommonKey::Stream(author);
    let top = share.store().last_entry(stream, WITHIN).await?;
    let horizon = Horizon::at(share.node.now());
    let top = top.map(|top| {
        let opened = StreamFacts::open(&top.value, (share.seal(), stream), &horizon);
        let is_own = opened.is_ok_and(|facts| facts.author == author && facts.last == top.number);
        if is_own {
            Top::Entry(top)
        } else {
            Top::Strange
        }
    });
    let nodes = share.replica().nodes();
    let nodes = nodes.borrow();
    let others = nodes.iter().filter(|known| known.node != author.node);
    let replicas = others.filter_map(|known| known.replica.as_ref());
    let told = replicas.map(|replica| replica.has_up_to(author)).max();
    Ok(PublishedFacts {
        top: top.unwrap_or(Top::None),
        told: told.unwrap_or_default(),
    })
}
