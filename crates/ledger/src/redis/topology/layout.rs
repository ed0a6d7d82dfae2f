//! A [`Layout`] says which server has which slots.

use super::slot::Slot;
use crate::redis::settings::address::ServerAddress;

/// A `Range` is consecutive slots of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) first: u16,
    pub(crate) last: u16,
    /// The index of its server.
    pub(crate) owner: usize,
}

/// A `Layout` is the servers, and which slots each has. A single server has all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) nodes: Vec<ServerAddress>,
    /// In order, without overlap.
    ranges: Vec<Range>,
    /// Of each server of a Cluster, a hash tag that lies in one of its slots.
    pub(crate) tags: Vec<Option<String>>,
}

impl Layout {
    /// Returns the layout of a single server.
    pub(crate) fn one(address: ServerAddress) -> Self {
        Self {
            nodes: vec![address],
            ranges: vec![Range {
                first: 0,
                last: Slot::COUNT - 1,
                owner: 0,
            }],
            tags: vec![None],
        }
    }

    /// Returns the layout of a Cluster. A server keeps the tag that it had `before` as long as it has its slot.
    pub(crate) fn cluster(
        nodes: Vec<ServerAddress>,
        mut ranges: Vec<Range>,
        before: Option<&Self>,
    ) -> Self {
        ranges.sort_unstable();
        let mut layout = Self {
            tags: Vec::with_capacity(nodes.len()),
            nodes,
            ranges,
        };
        for (owner, address) in layout.nodes.iter().enumerate() {
            let kept = before.and_then(|before| before.tag_of(address));
            let tag = kept
                .filter(|tag| layout.owner(Slot::of(tag)) == Some(owner))
                .map(str::to_owned)
                .or_else(|| layout.find_tag(owner));
            layout.tags.push(tag);
        }
        layout
    }

    /// Returns the index of the server that has a slot.
    pub(crate) fn owner(&self, slot: Slot) -> Option<usize> {
        let after = self.ranges.partition_point(|range| range.first <= slot.0);
        let range = self.ranges.get(after.checked_sub(1)?)?;
        (slot.0 <= range.last).then_some(range.owner)
    }

    /// Returns the slots of one server, as first and last of each range, in order.
    pub(crate) fn slots_of(&self, owner: usize) -> Vec<[u16; 2]> {
        self.ranges
            .iter()
            .filter(|range| range.owner == owner)
            .map(|range| [range.first, range.last])
            .collect()
    }

    /// Returns whether every slot has a server.
    pub(crate) fn is_whole(&self) -> bool {
        let mut next = 0;
        for range in &self.ranges {
            if range.first != next {
                return false;
            }
            next = range.last.saturating_add(1);
        }
        next == Slot::COUNT
    }

    fn tag_of(&self, address: &ServerAddress) -> Option<&str> {
        let owner = self.nodes.iter().position(|known| known == address)?;
        self.tags.get(owner)?.as_deref()
    }

    /// Returns the first number whose slot is the server's. A server with a single slot is found after some ten
    /// thousand tries, within a millisecond; a million leaves no slot out.
    fn find_tag(&self, owner: usize) -> Option<String> {
        (0..1_000_000_u32)
            .map(|number| number.to_string())
            .find(|tag| self.owner(Slot::of(tag)) == Some(owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, last: u16, owner: usize) -> Range {
        Range { first, last, owner }
    }

    fn nodes(count: u16) -> Vec<ServerAddress> {
        (0..count)
            .map(|port| ServerAddress::new("n", 7_000 + port))
            .collect()
    }

    #[test]
    fn a_slot_belongs_to_the_server_whose_range_holds_it() {
        let ranges = vec![range(5, 9, 1), range(0, 4, 0), range(12, 16_383, 1)];
        let layout = Layout::cluster(nodes(2), ranges, None);
        for (slot, owner) in [
            (0, Some(0)),
            (4, Some(0)),
            (5, Some(1)),
            (10, None),
            (16_383, Some(1)),
        ] {
            assert_eq!(layout.owner(Slot(slot)), owner, "{slot}");
        }
        assert!(!layout.is_whole());
        assert_eq!(layout.slots_of(1), [[5, 9], [12, 16_383]]);
        assert!(Layout::one(ServerAddress::new("n", 1)).is_whole());
    }

    #[test]
    fn every_server_has_a_tag_in_its_slots_and_keeps_it_while_it_can() {
        let before = Layout::cluster(
            nodes(2),
            vec![range(0, 16_382, 0), range(16_383, 16_383, 1)],
            None,
        );
        for (owner, tag) in before.tags.iter().enumerate() {
            assert_eq!(before.owner(Slot::of(tag.as_ref().unwrap())), Some(owner));
        }
        let slot = Slot::of(before.tags[0].as_ref().unwrap()).0;
        let kept = vec![
            range(0, slot - 1, 1),
            range(slot, slot, 0),
            range(slot + 1, 16_383, 1),
        ];
        let after = Layout::cluster(nodes(2), kept, Some(&before));
        assert_eq!(after.tags[0], before.tags[0]);
    }
}
