//! What Redis and the other nodes say is published of this node's facts.

use super::WITHIN;
use super::entry::StreamFacts;
use crate::journal::Reader;
use crate::redis::{OutOfReach, StreamEntry, StreamKey};
use crate::state::horizon::Horizon;
use crate::sync::Share;
use crate::{Fact, FactRecord, JournalError};

/// What is known to be published of this node's facts.
pub(super) struct PublishedFacts {
    pub(super) top: Top,
    /// The last fact of that entry.
    last: Option<(i64, FactRecord)>,
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
    /// Returns whether the journal, whose last own number is `own_last`, is not the one that published them: its disk was
    /// rolled back. It lacks facts, or has others under their numbers.
    pub(super) fn are_of_another(
        &self,
        reader: &Reader,
        own_last: i64,
    ) -> Result<bool, JournalError> {
        let top = match &self.top {
            Top::Entry(top) => top.number,
            Top::None | Top::Strange => 0,
        };
        if top.max(self.told) > own_last {
            return Ok(true);
        }
        let Some((number, published)) = &self.last else {
            return Ok(false);
        };
        let own = reader.records_after(None, number - 1, (1, usize::MAX))?;
        let own = own.records.first();
        // One that was forgotten says nothing.
        let is_another = |record: &FactRecord| !is_same(&record.fact, &published.fact);
        Ok(own.is_some_and(|(own, record)| own == number && is_another(record)))
    }
}

/// Returns whether two facts that came under one number are one. Amounts may be spelled in another way.
pub(super) fn is_same(one: &Fact, other: &Fact) -> bool {
    (one.stamp, &one.bill, one.kind.name()) == (other.stamp, &other.bill, other.kind.name())
}

/// Asks Redis what is published of this node's facts.
pub(super) async fn published(share: &Share) -> Result<PublishedFacts, OutOfReach> {
    let author = share.replica().author();
    let stream = StreamKey::Facts(author);
    let top = share.store().last_entry(stream, WITHIN).await?;
    let horizon = Horizon::at(share.node.now());
    let mut last = None;
    let top = top.map(|top| {
        let opened = StreamFacts::open(&top.value, (share.seal(), stream), &horizon);
        let own = |facts: &StreamFacts| facts.author == author && facts.last == top.number;
        let Some(mut facts) = opened.ok().filter(own) else {
            return Top::Strange;
        };
        last = facts.records.pop();
        Top::Entry(top)
    });
    Ok(PublishedFacts {
        top: top.unwrap_or(Top::None),
        last,
        told: told_by_others(share),
    })
}

/// Returns up to which number another node has this node's facts.
pub(super) fn told_by_others(share: &Share) -> i64 {
    let author = share.replica().author();
    let nodes = share.replica().nodes();
    let nodes = nodes.borrow();
    let others = nodes.iter().filter(|known| known.node != author.node);
    let replicas = others.filter_map(|known| known.replica.as_ref());
    let told = replicas.map(|replica| replica.has_up_to(author)).max();
    told.unwrap_or_default()
}
